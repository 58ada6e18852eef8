"""The schema of a bundle's `manifest.json`."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from edgebin.targets import Target
from edgebin.targets.schema import GlibcVersion, Identifier, KernelPath

SCHEMA_VERSION = 1  # of Manifest.schema_version
MANIFEST_NAME = "manifest.json"
IO_NAME = "io.txt"
MODULE_NAME = "module.so"
RUNNER_NAME = "runner"
GOLDEN_INPUTS_NAME = "golden/inputs.npz"
GOLDEN_OUTPUTS_NAME = "golden/outputs.npz"
REQUIRED_FILES = frozenset(
    {
        *(MODULE_NAME, RUNNER_NAME, IO_NAME, GOLDEN_INPUTS_NAME, GOLDEN_OUTPUTS_NAME),
        *("lib/libtvm_runtime.so", "lib/libtvm_ffi.so"),
    }
)

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Relative, no empty or dot-only part, no backslash, nothing that a shell or a terminal could misread.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*$")]
TensorName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,100}$")]


class Model(BaseModel):
    """Frozen; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TensorSpec(Model):
    """An input or output of the compiled graph. The first axis is the batch."""

    name: TensorName
    dtype: Literal["float32", "float64", "int8", "int32", "int64", "uint8"]
    shape: tuple[Annotated[int, Field(gt=0)], ...] = Field(min_length=1, max_length=8)


class Tolerance(Model):
    """Outputs pass when |difference| <= atol + rtol * |golden| everywhere."""

    atol: float = Field(ge=0, allow_inf_nan=False)
    rtol: float = Field(ge=0, allow_inf_nan=False)


class Operation(Model):
    """What one compiled function stands for.

    `function` is the name that the runner reports, `variant` the path or tuning whose kernel it calls. `nodes` are
    those of the ONNX graph that it computes, `macs` its multiply-accumulates per call, `bytes_` what it reads and
    writes per call.
    """

    function: str
    kind: str
    variant: Identifier | None = None
    nodes: tuple[str, ...] = ()
    macs: int = Field(default=0, ge=0)
    bytes_: int = Field(default=0, ge=0)


class TunedCall(Model):
    """A kernel chosen by measurement: `best_ns` holds the fastest call of each variant that was tried.

    `op`, `dims` and `epilogue` are as the probe takes them, see `edgebin.kernels.shape`.
    """

    op: Identifier
    dims: tuple[Annotated[int, Field(gt=0)], ...]
    epilogue: str
    variant: Identifier
    best_ns: dict[Identifier, Annotated[int, Field(ge=0)]]


class Tuning(Model):
    """On which machine kernels were chosen by measurement, when (YYYY-MM-DD), with which edgebin."""

    machine: str
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]
    edgebin: str
    choices: tuple[TunedCall, ...]


class ModelInfo(Model):
    """Where the model came from: its registry id, its configuration, and the SHA-256 of the ONNX file compiled."""

    id: str
    config: dict[str, JsonValue] = {}
    source_sha256: Sha256


class FileEntry(Model):
    """One file of the bundle."""

    size: int = Field(ge=0)
    sha256: Sha256


class Manifest(Model):
    """Everything about a bundle. `files` lists all its members but the manifest itself; `write_bundle` fills it in.

    `kernel_path` is the best path that the target has; `operations` say which kernels are really called, and `tuning`
    how they were measured (None: they were chosen by model). `features` and `glibc` are what a machine must have to run
    it, in the terms of `edgebin.targets`.
    """

    schema_version: Literal[1] = 1
    edgebin: str
    tvm: str
    tvm_ffi: str
    target: Target
    features: tuple[Identifier, ...]
    glibc: GlibcVersion
    kernel_path: KernelPath
    model: ModelInfo
    batch: int = Field(gt=0)
    inputs: tuple[TensorSpec, ...] = Field(min_length=1, max_length=16)
    outputs: tuple[TensorSpec, ...] = Field(min_length=1, max_length=16)
    tolerance: Tolerance
    operations: tuple[Operation, ...] = ()
    tuning: Tuning | None = None
    files: dict[FileName, FileEntry] = {}

    @property
    def kernels(self) -> str:
        """The paths and tunings whose kernels are called, the one with most calls first."""
        calls = Counter(operation.variant for operation in self.operations if operation.variant)
        return ", ".join(variant for variant, _ in calls.most_common()) or self.kernel_path

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        for spec in (*self.inputs, *self.outputs):
            if spec.shape[0] != self.batch:
                raise ValueError(f"the first axis of `{spec.name}` is {spec.shape[0]}, the batch is {self.batch}")
        return self

    def io_text(self) -> str:
        """The bundle's `io.txt`, from which the runner knows inputs and outputs; format in kernels/runtime/spec.h."""
        lines = ["edgebin-io 1", f"batch {self.batch}", f"tolerance {self.tolerance.atol!r} {self.tolerance.rtol!r}"]
        for role, specs in (("input", self.inputs), ("output", self.outputs)):
            lines += [f"{role} {spec.name} {spec.dtype} {' '.join(map(str, spec.shape))}" for spec in specs]
        return "\n".join(lines) + "\n"
