"""Several bundles in one run: what they are called, what may be compared, and who hosts the other runtimes."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebin.bundle import open_bundle, read_npz
from edgebin.errors import InputError, MeasurementInvalid
from edgebin.profile import Options, RunRecord, default_run_folder, profile_bundles
from edgebin.profile.baselines.contender import named
from edgebin.profile.baselines.hosting import TfliteTwins, hosted_contenders
from edgebin.report import report_csv, report_markdown
from tests.road import KINDS, succeed

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 and runs the result")

Compiled = Callable[[str], Path]
QUICK: dict[str, Any] = {"min_runs": 20, "min_seconds": 0.05, "warmup_seconds": 0.02, "energy": "off"}
PACKAGES = {"tflite_runtime": "tflite-runtime", "larq_compute_engine": "lce"}


def needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: it exists for Python up to 3.11 only")


@pytest.fixture(scope="session")
def record(compiled: Compiled, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Path]:
    folder = tmp_path_factory.mktemp("runs") / "all"
    return profile_bundles(
        [compiled(title) for title in KINDS], Options(baselines=("fp32",), **QUICK), save=folder
    ), folder


def test_all_are_measured_in_one_run(record: tuple[RunRecord, Path]) -> None:
    found, folder = record
    assert [variant.name for variant in found.variants] == [*KINDS, "fp32"]
    assert [bundle.variant for bundle in found.bundles] == list(KINDS)
    assert all(variant.speedup is not None for variant in found.variants)
    assert RunRecord.read(folder) == found
    engines = {variant.name: variant.engine for variant in found.variants}
    assert ", TVM " in engines["tvm"]
    assert ", onnxruntime " in engines["ort"]
    assert ", LiteRT " in engines["tflite"]
    assert all(", kernels " in engines[name] for name in ("tvm", "ort", "tflite"))


def test_each_bundle_has_its_layers(record: tuple[RunRecord, Path]) -> None:
    found, folder = record
    for title in KINDS:
        layers = [layer for layer in found.layers if layer.bundle == title]
        assert layers, title
        assert sum(layer.share for layer in layers) == pytest.approx(1)
        assert f"Where {title} spends its time:" in report_markdown(found)
    lines = (folder / "layers.csv").read_text().splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == {*KINDS, "fp32"}


def test_reports_name_all_bundles(record: tuple[RunRecord, Path]) -> None:
    found, _ = record
    summary = report_markdown(found).splitlines()[0]
    assert all(bundle.name in summary for bundle in found.bundles)
    assert {row["reference"] for row in csv.DictReader(io.StringIO(report_csv(found)))} == {"fp32"}


def test_without_fp32_the_first_is_the_reference(compiled: Compiled) -> None:
    found = profile_bundles([compiled("tvm"), compiled("ort")], Options(baselines=(), **QUICK))
    assert found.reference == "tvm"
    assert [variant.speedup is not None for variant in found.variants] == [True, True]
    assert "× vs tvm" in report_markdown(found)
    assert {row["reference"] for row in csv.DictReader(io.StringIO(report_csv(found)))} == {"tvm"}


def test_names_are_unique(compiled: Compiled) -> None:
    bundles = [open_bundle(compiled(title)) for title in ("ort", "tvm", "ort", "tflite lce", "ort")]
    assert [side.name for side in named(bundles)] == ["ort", "tvm", "ort 2", "tflite lce", "ort 3"]
    assert [side.name for side in named(bundles[:1])] == ["binary"]
    assert [side.name for side in named([open_bundle(compiled("tflite fp32"))])] == ["tflite fp32"]


def test_only_bundles_of_one_target_and_image_are_compared(road: Path, compiled: Compiled, tmp_path: Path) -> None:
    words = ("compile", road / "net.export", "--no-verify", "-o")
    succeed(*words, tmp_path / "two.ebz", "-t", "x86-64", "--batch", "2")
    with pytest.raises(InputError, match=r"takes \[2, 3, 16, 16\]"):
        named([open_bundle(compiled("tvm")), open_bundle(tmp_path / "two.ebz")])
    succeed(*words, tmp_path / "arm.ebz", "-t", "rpi4b")
    with pytest.raises(InputError, match="is for rpi4b"):
        named([open_bundle(compiled("tvm")), open_bundle(tmp_path / "arm.ebz")])
    with pytest.raises(MeasurementInvalid, match="no estimate of the baseline `tflite`"):
        profile_bundles([tmp_path / "arm.ebz"], Options(baselines=("tflite",)))


def test_the_float_twin_on_litert(compiled: Compiled) -> None:
    found = profile_bundles([compiled("tflite")], Options(baselines=("tflite", "tflite-int8"), **QUICK))
    assert [variant.name for variant in found.variants] == ["binary", "fp32 in litert", "int8 in litert"]
    assert found.variants[2].file_bytes < found.variants[1].file_bytes
    assert found.variants[1].engine.startswith("LiteRT 2.")


def test_a_bundle_and_the_float_twin_on_tflite_runtime(compiled: Compiled) -> None:
    needs("tflite_runtime")
    found = profile_bundles([compiled("tflite")], Options(baselines=("tflite-runtime",), **QUICK))
    names = ["binary", "fp32 in tflite-runtime", "binary in tflite-runtime"]
    assert [variant.name for variant in found.variants] == names


def test_lce_runs_its_bundles(compiled: Compiled) -> None:
    needs("larq_compute_engine")
    found = profile_bundles([compiled("tflite lce")], Options(baselines=("lce",), **QUICK))
    assert [variant.name for variant in found.variants] == ["binary", "lce"]
    assert "; slower in a trial: " in found.variants[1].note
    assert found.variants[1].note.count("XNNPACK") == 2
    with pytest.raises(InputError, match="needs a bundle that LCE"):
        profile_bundles([compiled("tflite")], Options(baselines=("lce",), **QUICK))


@pytest.mark.parametrize(("title", "baseline"), [("tflite", "tflite-runtime"), ("tflite lce", "lce")])
def test_hosted_runtimes_compute_what_the_bundle_does(
    compiled: Compiled, title: str, baseline: str, tmp_path: Path
) -> None:
    """What is timed is the model, with our delegate really in it."""
    needs("tflite_runtime" if baseline == "tflite-runtime" else "larq_compute_engine")
    sides = named([open_bundle(compiled(title))])
    golden = {name: read_npz(sides[0].bundle.extracted() / f"golden/{name}.npz") for name in ("inputs", "outputs")}
    images = tmp_path / "images.bin"
    golden["inputs"]["pixel_values"][:1].tofile(images)
    contenders = hosted_contenders([baseline], sides, TfliteTwins(), images, threads=1)
    assert contenders
    for contender in contenders:
        output = tmp_path / "out.bin"
        done = subprocess.run(
            [*contender.command, "--output", output], input="run 2\n", stdout=subprocess.PIPE, text=True, check=True
        )
        answer = json.loads(done.stdout.splitlines()[-1])
        assert len(answer["samples_ns"]) == 2
        assert 0 < sum(answer["samples_ns"]) <= answer["end_ns"] - answer["begin_ns"]
        logits = np.fromfile(output, np.float32)
        np.testing.assert_allclose(logits, golden["outputs"]["logits"][0], rtol=1e-4, atol=1e-4)


def test_default_folders_say_how_many(tmp_path: Path) -> None:
    one = default_run_folder([Path("net-rpi4b.ebz")], "rpi4b")
    three = default_run_folder([Path("net-rpi4b.ebz"), Path("b.ebz"), Path("c.ebz")], "rpi4b")
    assert one.name.endswith("-rpi4b-net")
    assert three.name.endswith("-rpi4b-net-and-2")
