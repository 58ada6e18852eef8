"""From checkpoint to export folder: its contents, stock runtimes running it, and failures that leave nothing behind."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from edgebin.errors import CheckpointError, EdgebinError, InputError, VerificationError
from edgebin.graph.exporting import ExportResult, export_checkpoint
from edgebin.graph.golden import Golden, run_torch
from edgebin.graph.manifest import read_manifest
from edgebin.graph.ops import DOMAIN
from edgebin.graph.verification import verify_export
from edgebin.models.checkpoint import read_checkpoint
from edgebin.nn.freeze import freeze

_STOCK_ONNXRUNTIME = """
import sys
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
images = np.load(sys.argv[2])["pixel_values"]
for batch in (1, 2, 3):
    logits = session.run(["logits"], {"pixel_values": images[:batch]})[0]
    np.save(f"{sys.argv[3]}/{batch}.npy", logits)
assert not any(name.split(".")[0] in ("edgebin", "torch") for name in sys.modules)
"""


def load(result: ExportResult) -> onnx.ModelProto:
    return onnx.load(result.folder / "model.onnx")


def test_folder_holds_model_manifest_and_golden_data(exported: ExportResult) -> None:
    files = {str(path.relative_to(exported.folder)) for path in exported.folder.rglob("*") if path.is_file()}
    assert files == {"model.onnx", "manifest.json", "golden/inputs.npz", "golden/outputs.npz"}
    assert list(exported.folder.parent.iterdir()) == [exported.folder]
    inputs, outputs = (np.load(exported.folder / "golden" / name) for name in ("inputs.npz", "outputs.npz"))
    assert (inputs.files, outputs.files) == (["pixel_values"], ["logits"])
    assert inputs["pixel_values"].shape == (3, 3, 32, 32)
    assert outputs["logits"].shape == (3, 10)
    assert outputs["logits"].dtype == np.float32


def test_stock_onnxruntime_without_edgebin_gives_pytorchs_logits(exported: ExportResult, tmp_path: Path) -> None:
    golden = exported.folder / "golden"
    subprocess.run(
        [sys.executable, "-c", _STOCK_ONNXRUNTIME, exported.folder / "model.onnx", golden / "inputs.npz", tmp_path],
        check=True,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
        cwd=tmp_path,
    )
    expected = np.load(golden / "outputs.npz")["logits"]
    assert all(exported.manifest.golden.stable)
    for batch in (1, 2, 3):
        logits = np.load(tmp_path / f"{batch}.npy")
        assert logits.shape == (batch, 10)
        assert np.abs(logits - expected[:batch]).max() <= exported.manifest.golden.tolerance
    assert np.ptp(expected, axis=0).max() > 100 * exported.manifest.golden.tolerance  # the logits depend on the image


def test_concept_ops_are_exported_with_their_bodies(exported: ExportResult) -> None:
    model = load(exported)
    used = {node.op_type for node in model.graph.node if node.domain == DOMAIN}
    assert used == {"SignPack", "BinaryLinear", "BinaryAttention", "RPReLU", "PlusStencil"}
    assert used <= {function.name for function in model.functions}
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": 20, DOMAIN: 1}


def test_binary_weights_take_one_bit_and_nothing_is_dead(exported: ExportResult) -> None:
    graph = load(exported).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    assert set(constants) == {name for node in graph.node for name in node.input} & set(constants)
    linears = [node for node in graph.node if node.op_type == "BinaryLinear"]
    for node in linears:
        weight = constants[node.input[1]]
        k = onnx.helper.get_node_attr_value(node, "k")
        assert weight.data_type == onnx.TensorProto.UINT8
        assert weight.dims[1] == -(-k // 64) * 8
        assert len(weight.raw_data) == weight.dims[0] * weight.dims[1]
    floats = [tensor for tensor in constants.values() if tensor.data_type == onnx.TensorProto.FLOAT]
    matrices = {tensor.name for tensor in floats if len(tensor.dims) > 1 and min(tensor.dims[-2:]) > 9}
    assert len(matrices) == 4  # stem, two position embeddings, classifier


def test_nodes_are_named_after_modules(exported: ExportResult) -> None:
    names = [node.name for node in load(exported).graph.node]
    assert len(set(names)) == len(names)
    assert any(name.startswith("vit.encoder.layer.0.attention.attention.query") for name in names)
    assert any(name.startswith("vit.encoder.layer.1.intermediate") for name in names)
    assert any(name.startswith("classifier") for name in names)


def test_file_says_nothing_of_this_machine(exported: ExportResult) -> None:
    data = (exported.folder / "model.onnx").read_bytes() + (exported.folder / "manifest.json").read_bytes()
    for trace in (str(Path.cwd()), str(exported.folder.parent), ".py", "site-packages", "stack_trace"):
        assert trace.encode() not in data


def test_same_checkpoint_gives_same_bytes_in_another_process(exported: ExportResult, checkpoint: Path) -> None:
    """Also under another hash seed, which would disturb the order of sets."""
    again = checkpoint.parent / "again"
    script = (
        "import sys; from pathlib import Path; from edgebin.graph.exporting import export_checkpoint; "
        "export_checkpoint(Path(sys.argv[1]), Path(sys.argv[2]), samples=3)"
    )
    subprocess.run(
        [sys.executable, "-c", script, checkpoint, again],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "5", "PYTHONPATH": str(Path.cwd())},
    )
    for name in ("model.onnx", "manifest.json", "golden/inputs.npz", "golden/outputs.npz"):
        assert (again / name).read_bytes() == (exported.folder / name).read_bytes(), name


def test_manifest_tells_source_shapes_and_verification(exported: ExportResult, checkpoint: Path) -> None:
    manifest = read_manifest(exported.folder)
    assert manifest == exported.manifest
    assert (manifest.full_precision, manifest.trained) == (False, True)
    assert manifest.source.file == "small.safetensors"
    assert manifest.source.sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert manifest.inputs[0].model_dump() == {
        "name": "pixel_values",
        "dtype": "float32",
        "shape": ["batch", 3, 32, 32],
    }
    assert manifest.outputs[0].shape == ["batch", 10]
    assert manifest.config["dims"] == [24, 48]
    assert manifest.verification is not None
    assert 0 < max(manifest.verification.onnxruntime) <= manifest.golden.tolerance
    assert manifest.counts.file_bytes == (exported.folder / "model.onnx").stat().st_size


def test_untrained_twin_is_marked_so(checkpoint: Path, tmp_path: Path) -> None:
    result = export_checkpoint(checkpoint, tmp_path / "twin", full_precision=True, samples=1)
    assert (result.manifest.full_precision, result.manifest.trained) == (True, False)
    assert result.report.binary_macs == 0
    assert not load(result).functions
    assert result.manifest.inputs[0].shape == ["batch", 3, 32, 32]


@pytest.mark.parametrize("tensor", ["weight", "threshold", "scale", "limit", "taps"])
def test_a_wrong_constant_is_caught(exported: ExportResult, checkpoint: Path, tensor: str) -> None:
    """Verification must see a fault in any kind of layer."""
    model = load(exported)
    broken = next(t for t in model.graph.initializer if t.name.endswith(f".{tensor}") and "layer.1" in t.name)
    array = onnx.numpy_helper.to_array(broken)
    broken.CopyFrom(onnx.numpy_helper.from_array(array[::-1].copy() if tensor != "limit" else array * 0, broken.name))
    frozen = freeze(read_checkpoint(checkpoint).module)
    images = np.load(exported.folder / "golden" / "inputs.npz")["pixel_values"]
    with pytest.raises(VerificationError):
        verify_export(model, frozen, Golden(images, run_torch(frozen, images), (True, True, True)))


def test_failed_verification_leaves_nothing(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise VerificationError("they differ", max_abs_diff=1.0)

    monkeypatch.setattr("edgebin.graph.exporting.verify_export", refuse)
    with pytest.raises(VerificationError):
        export_checkpoint(checkpoint, tmp_path / "out", samples=1)
    assert not list(tmp_path.iterdir())


def test_unusable_checkpoint_leaves_nothing(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"\x10\0\0\0\0\0\0\0not json at all!")
    with pytest.raises(CheckpointError):
        export_checkpoint(damaged, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [damaged]


def test_an_earlier_export_is_replaced_and_other_folders_are_not(
    exported: ExportResult, checkpoint: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "notes.txt").write_text("keep me")
    with pytest.raises(InputError, match="not an earlier export"):
        export_checkpoint(checkpoint, own)
    assert (own / "notes.txt").read_text() == "keep me"
    earlier = tmp_path / "earlier"
    for _ in range(2):
        export_checkpoint(checkpoint, earlier, samples=1, verify=False)
    assert read_manifest(earlier).verification is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["earlier", "own"]


@pytest.mark.parametrize("content", [None, "{}", "not json", '{"schema_version": 2}'])
def test_unreadable_manifest_is_one_error(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path)
    assert isinstance(caught.value, EdgebinError)
    assert caught.value.hint


def test_frozen_networks_are_deterministic(checkpoint: Path) -> None:
    frozen = freeze(read_checkpoint(checkpoint).module)
    images = torch.zeros(2, 3, 32, 32).numpy()
    assert np.array_equal(run_torch(frozen, images), run_torch(frozen, images))
