"""Bundles of every backend: what is in them, that they compute the same, and that damage is found before they run."""

from __future__ import annotations

import json
import platform
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from edgebin.board import LocalMachine, run_bundle, verify_bundle
from edgebin.board.layers import compare_layers
from edgebin.bundle import Bundle, Manifest, npz_bytes, open_bundle, read_npz, write_bundle
from edgebin.bundle.compile import check_form, compile_bundle
from edgebin.bundle.layers import LAYERS_NAME
from edgebin.bundle.manifest import GOLDEN_OUTPUTS_NAME, Form
from edgebin.errors import BundleError, InputError, TargetMismatch, VerificationError
from edgebin.targets import load_target
from edgebin.toolchain.runtime import Backend
from tests.road import KINDS

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 and runs the result")

Compiled = Callable[[str], Path]
FILES = {
    "tvm fp32": {"module.so", "lib/libtvm_runtime.so", "lib/libtvm_ffi.so"},
    "ort": {"model.onnx", "libedgebin_ort.so", "lib/libonnxruntime.so.1"},
    "tflite": {"model.tflite", "libedgebin_tflite.so", "lib/libLiteRt.so"},
    "tflite lce": {"model.tflite", "libedgebin_tflite.so", "lib/libLiteRt.so"},
    "tflite fp32": {"model.tflite", "lib/libLiteRt.so"},
}


@pytest.fixture(params=KINDS)
def bundle(compiled: Compiled, request: pytest.FixtureRequest) -> Bundle:
    return open_bundle(compiled(request.param))


@pytest.mark.parametrize("title", FILES)
def test_a_bundle_holds_its_model_library_and_runtime(compiled: Compiled, title: str) -> None:
    manifest = open_bundle(compiled(title)).manifest
    common = {"runner", "io.txt", "golden/inputs.npz", "golden/outputs.npz"}
    layers = {LAYERS_NAME} if manifest.operations else set()
    assert set(manifest.files) == common | FILES[title] | layers
    assert manifest.title == title
    assert manifest.engine.startswith(f"edgebin {manifest.edgebin}, {manifest.runtime}")


def test_the_manifest_says_what_the_newest_part_needs(compiled: Compiled) -> None:
    assert open_bundle(compiled("tvm")).manifest.glibc == "2.27"
    assert open_bundle(compiled("ort")).manifest.glibc == "2.28", "libonnxruntime is built for that"


def test_every_bundle_verifies(bundle: Bundle) -> None:
    assert verify_bundle(bundle).rows >= 1


@pytest.mark.parametrize("title", ["tvm", "ort", "tflite", "tflite lce"])
def test_backends_give_what_stock_onnxruntime_gives(road: Path, compiled: Compiled, title: str) -> None:
    images = np.random.default_rng(3).standard_normal((3, 3, 16, 16), dtype=np.float32)
    session = onnxruntime.InferenceSession(road / "net.export/model.onnx", providers=["CPUExecutionProvider"])
    (expected,) = session.run(["logits"], {"pixel_values": images})
    logits = run_bundle(open_bundle(compiled(title)), {"pixel_values": images})["logits"]
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


def test_the_onnx_file_alone_gives_the_same_on_stock_onnxruntime(compiled: Compiled) -> None:
    bundle = open_bundle(compiled("ort"))
    images = np.random.default_rng(3).standard_normal((1, 3, 16, 16), dtype=np.float32)
    model = bundle.extracted() / "model.onnx"
    (expected,) = onnxruntime.InferenceSession(model).run(["logits"], {"pixel_values": images})
    np.testing.assert_allclose(run_bundle(bundle, {"pixel_values": images})["logits"], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", ["tvm", "tflite"])
def test_the_twin_of_a_binary_model_is_said_to_be_random(road: Path, tmp_path: Path, backend: Backend) -> None:
    twin = tmp_path / "twin.ebz"
    result = compile_bundle(road / "net.export", load_target("x86-64"), twin, backend=backend, form="full-precision")
    assert result.random
    outputs = read_npz(open_bundle(result.bundle).extracted() / GOLDEN_OUTPUTS_NAME)["logits"]
    assert np.abs(outputs).max() > 10 * result.manifest.tolerance.atol, "else any answer would pass"


@pytest.mark.parametrize("title", ["ort", "tflite", "tflite lce"])
def test_the_first_wrong_layer_is_named_by_its_node(compiled: Compiled, title: str, tmp_path: Path) -> None:
    whole = open_bundle(compiled(title))
    files: dict[str, Path | bytes] = {name: whole.extracted() / name for name in whole.manifest.files}
    layers, outputs = read_npz(whole.extracted() / LAYERS_NAME), read_npz(whole.extracted() / GOLDEN_OUTPUTS_NAME)
    ran = compare_layers(whole, LocalMachine())  # onnxruntime has an order of its own
    assert len(ran) >= 4
    assert not [layer for layer in ran if layer.differing]
    for layer in ran[2:4]:
        layers[layer.function] = layers[layer.function] + np.eye(1, layers[layer.function].size)[0]
    files[LAYERS_NAME] = npz_bytes(layers)
    files[GOLDEN_OUTPUTS_NAME] = npz_bytes({name: array + np.float32(1) for name, array in outputs.items()})
    write_bundle(tmp_path / "wrong.ebz", whole.manifest, files)
    with pytest.raises(VerificationError) as caught:
        verify_bundle(open_bundle(tmp_path / "wrong.ebz"))
    assert caught.value.layer == ran[2].layer
    assert ran[2].layer in {operation.nodes[0] for operation in whole.manifest.operations}


@pytest.mark.parametrize(("title", "name"), [(title, name) for title, names in FILES.items() for name in sorted(names)])
def test_a_tampered_file_is_found(compiled: Compiled, title: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "tampered.ebz"
    with zipfile.ZipFile(compiled(title)) as source, zipfile.ZipFile(path, "w") as sink:
        for member in source.infolist():
            content = bytearray(source.read(member))
            if member.filename == name:
                content[len(content) // 2] ^= 1
            sink.writestr(member, bytes(content))
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        open_bundle(path)


@pytest.mark.parametrize("title", FILES)
def test_a_bundle_without_its_library_is_none(compiled: Compiled, title: str, tmp_path: Path) -> None:
    """Listed nowhere and not there: the checksums would all be right."""
    gone = sorted(FILES[title])[-1]
    path = tmp_path / "less.ebz"
    with zipfile.ZipFile(compiled(title)) as source, zipfile.ZipFile(path, "w") as sink:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == "manifest.json":
                manifest = json.loads(content)
                del manifest["files"][gone]
                content = json.dumps(manifest).encode()
            if member.filename != gone:
                sink.writestr(member, content)
    with pytest.raises(BundleError, match=f"it has no `{gone}`"):
        open_bundle(path)


def test_the_machine_check_refuses_an_older_c_library(compiled: Compiled) -> None:
    manifest = open_bundle(compiled("tflite")).manifest
    newer = Manifest.model_validate({**manifest.model_dump(), "glibc": "2.99"})
    with pytest.raises(TargetMismatch, match=r"needs glibc 2\.99"):
        LocalMachine().check(newer)


@pytest.mark.parametrize(
    ("backend", "form", "tuned"),
    [
        ("tvm", "lce-only", False),
        ("ort", "full-precision", False),
        ("tflite", "lce-only", True),
        ("tflite", "full-precision", True),
    ],
)
def test_options_that_do_not_belong_together(backend: Backend, form: Form, tuned: bool) -> None:
    with pytest.raises(InputError) as caught:
        check_form(backend, form, tuned=tuned)
    assert f"--{form}" in caught.value.message
    assert caught.value.hint


def test_forms_are_of_tflite_only(compiled: Compiled) -> None:
    data = open_bundle(compiled("ort")).manifest.model_dump()
    with pytest.raises(ValueError, match="is not lce-only"):
        Manifest.model_validate({**data, "form": "lce-only"})
