"""`manifest.json` of an export folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from edgebin.errors import InputError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TensorSpec(_Part):
    """A graph input or output; dynamic sizes are names."""

    name: str
    dtype: str
    shape: list[int | str]


class Source(_Part):
    """The checkpoint that was exported: its file name without folders, and what it held."""

    file: str
    sha256: str


class Verification(_Part):
    """Largest absolute differences of logits from PyTorch's; `edgebin.graph.verification` says what each one means."""

    onnxruntime: list[float]
    onnxruntime_given_bits: float
    reference_given_bits: float
    undecided_bits: int


class GoldenData(_Part):
    """How `golden/` was made.

    A sample is stable if neither float noise on its pixels nor another runtime moves its logits beyond `tolerance`.
    """

    seed: int
    samples: int
    stable: list[bool]
    tolerance: float


class Counts(_Part):
    """Multiply-accumulates are those of one image, `parameters` those of the PyTorch model, the rest of the graph.

    `edgebin.graph.costs.Kind` says what the kinds of multiply-accumulates are.
    """

    parameters: int
    binary_weights: int
    full_precision_weights: int
    binary_macs: int
    ternary_macs: int = 0
    one_bit_weight_macs: int = 0
    full_precision_macs: int
    constant_bytes: int
    file_bytes: int


class ExportManifest(_Part):
    """What `edgebin export` wrote, from what, with what, and how it was verified (`None`: it was not)."""

    schema_version: Literal[1] = 1
    edgebin: str
    model: str
    config: dict[str, Any]
    full_precision: bool
    trained: bool
    source: Source
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    golden: GoldenData
    verification: Verification | None
    counts: Counts
    versions: dict[str, str]


def write_manifest(manifest: ExportManifest, path: Path) -> None:
    """Writes JSON, indented, keys in the order of the schema."""
    path.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> ExportManifest:
    """The manifest of an export folder.

    Raises:
        InputError: there is none, or it is damaged or of another schema version.
    """
    path = folder / "manifest.json"
    hint = "name a folder that `edgebin export` wrote"
    try:
        return ExportManifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"no manifest: `{path}`", hint=hint) from error
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}", hint=hint) from error
    except ValidationError as error:
        raise InputError(f"not a manifest of an export: `{path}`: {error.errors()[0]['msg']}", hint=hint) from error
