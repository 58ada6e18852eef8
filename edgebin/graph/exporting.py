"""`edgebin export`: from a checkpoint to a folder with a verified ONNX file, its manifest and golden data."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import onnx
import torch
from torch import nn

import edgebin
from edgebin.errors import InputError
from edgebin.graph.accounting import ModelReport, inspect_model
from edgebin.graph.export import export_module
from edgebin.graph.golden import make_golden, write_golden
from edgebin.graph.manifest import (
    Counts,
    ExportManifest,
    GoldenData,
    Source,
    TensorSpec,
    Verification,
    write_manifest,
)
from edgebin.graph.ops.concept import shape_of
from edgebin.graph.verification import verify_export
from edgebin.models.checkpoint import LoadedModel, full_precision_twin, read_checkpoint
from edgebin.models.config import config_to_dict
from edgebin.models.own import is_definition, read_own_model
from edgebin.models.registry import model_id_of
from edgebin.nn.freeze import freeze

MODEL_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"
GOLDEN_FOLDER = "golden"


@dataclass(frozen=True)
class ExportResult:
    """What was written where."""

    folder: Path
    manifest: ExportManifest
    report: ModelReport


def export_checkpoint(
    checkpoint: Path,
    output: Path,
    *,
    model: str | None = None,
    config: Path | None = None,
    mlp: str | None = None,
    full_precision: bool = False,
    samples: int = 4,
    seed: int = 0,
    verify: bool = True,
) -> ExportResult:
    """Exports a checkpoint; `output` appears whole, verified, or not at all.

    Args:
        checkpoint: what `edgebin.models.checkpoint.read_checkpoint` reads.
        output: folder to make; an earlier export there is replaced.
        model: model id, where the checkpoint does not tell, or `FILE.py:NAME`, a network of the user's own.
        config: published `config.json`, where the checkpoint does not tell the sizes.
        mlp: what is binary in a BiViT's MLPs, which its checkpoint does not tell.
        full_precision: export the untrained full-precision twin of a binary checkpoint, as a baseline of speed and
            size. A full-precision checkpoint is exported as it is either way.
        samples: number of golden images.
        seed: of the golden images and of the twin's weights.
        verify: compare with onnxruntime and `onnx.reference` before anything is written.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        InputError: `output` is in the way or cannot be written, or `samples` is not positive.
        ExportError: the model cannot be written as ONNX.
        VerificationError: the written model computes something else.
    """
    if samples < 1:
        raise InputError(f"at least one golden sample is needed, not {samples}")
    _require_replaceable(output)
    if model is not None and is_definition(model):
        loaded = read_own_model(checkpoint, model)
    else:
        loaded = read_checkpoint(checkpoint, model=model, config=config, mlp=mlp)
    module: nn.Module = loaded.module
    is_twin = full_precision and not loaded.full_precision
    if is_twin:
        twin = full_precision_twin(loaded, seed=seed)
        module, loaded = (
            twin,
            dataclasses.replace(
                loaded, model_id=model_id_of(twin.config), config=twin.config, module=twin, full_precision=True
            ),
        )
    frozen = freeze(module)
    image_shape = (loaded.config.channels, loaded.config.image_size, loaded.config.image_size)
    proto = export_module(frozen, torch.zeros(2, *image_shape))
    golden = make_golden(frozen, image_shape, samples=samples, seed=seed)
    agreement = verify_export(proto, frozen, golden) if verify else None
    if agreement:
        golden = golden.restricted_to([difference <= golden.tolerance for difference in agreement.onnxruntime])
    report = inspect_model(proto)
    data = proto.SerializeToString(deterministic=True)
    manifest = ExportManifest(
        edgebin=edgebin.__version__,
        model=loaded.model_id,
        config=config_to_dict(loaded.config),
        full_precision=loaded.full_precision,
        trained=not is_twin,
        source=Source(file=checkpoint.name, sha256=_sha256(checkpoint)),
        inputs=[_tensor_spec(value) for value in proto.graph.input],
        outputs=[_tensor_spec(value) for value in proto.graph.output],
        golden=GoldenData(seed=seed, samples=samples, stable=list(golden.stable), tolerance=golden.tolerance),
        verification=Verification(**dataclasses.asdict(agreement)) if agreement else None,
        counts=_counts(loaded, report, len(data)),
        versions={name: version(name) for name in ("torch", "onnx", "onnxscript", "onnxruntime")},
    )
    with _new_folder(output) as folder:
        (folder / MODEL_FILE).write_bytes(data)
        write_golden(golden, folder / GOLDEN_FOLDER)
        write_manifest(manifest, folder / MANIFEST_FILE)
    return ExportResult(output, manifest, report)


def _require_replaceable(output: Path) -> None:
    """Only an empty folder or an earlier export may be replaced."""
    if not output.exists():
        return
    if not output.is_dir():
        raise InputError(f"`{output}` is in the way", hint="name a folder")
    if any(output.iterdir()) and not ((output / MANIFEST_FILE).is_file() and (output / MODEL_FILE).is_file()):
        raise InputError(
            f"`{output}` is not empty and not an earlier export", hint="name a new folder, or empty this one"
        )


@contextmanager
def _new_folder(output: Path) -> Iterator[Path]:
    """A temporary folder beside `output` that takes its place if all goes well and disappears if not."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as error:
        raise InputError(f"cannot write beside `{output}`: {error.strerror}") from error
    try:
        folder = temporary / "new"
        folder.mkdir()
        yield folder
        if output.exists():
            output.rename(temporary / "old")
        folder.rename(output)
    except OSError as error:
        raise InputError(f"cannot write `{output}`: {error.strerror}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _counts(loaded: LoadedModel, report: ModelReport, file_bytes: int) -> Counts:
    return Counts(
        parameters=sum(parameter.numel() for parameter in loaded.module.parameters()),
        binary_weights=report.binary_weights,
        full_precision_weights=report.full_precision_weights,
        binary_macs=report.binary_macs,
        ternary_macs=report.ternary_macs,
        one_bit_weight_macs=report.one_bit_weight_macs,
        full_precision_macs=report.full_precision_macs,
        constant_bytes=report.stored_bytes,
        file_bytes=file_bytes,
    )


def _tensor_spec(value: onnx.ValueInfoProto) -> TensorSpec:
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    return TensorSpec(name=value.name, dtype=str(dtype), shape=[size or "" for size in shape_of(value.type)])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
