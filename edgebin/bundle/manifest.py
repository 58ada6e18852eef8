"""The schema of a bundle's `manifest.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from edgebin.targets import Target
from edgebin.targets.schema import GlibcVersion, Identifier, KernelPath
from edgebin.toolchain.runtime import Backend, library_names

SCHEMA_VERSION = 2  # of Manifest.schema_version
MANIFEST_NAME = "manifest.json"
IO_NAME = "io.txt"
RUNNER_NAME = "runner"
GOLDEN_INPUTS_NAME = "golden/inputs.npz"
GOLDEN_OUTPUTS_NAME = "golden/outputs.npz"
# The file that the runtime loads (`eb_engine_model` of kernels/runtime/engine.h), and our library for it.
MODEL_NAMES: Mapping[Backend, str] = {"tvm": "module.so", "ort": "model.onnx", "tflite": "model.tflite"}
PLUGIN_NAMES: Mapping[Backend, str] = {"ort": "libedgebin_ort.so", "tflite": "libedgebin_tflite.so"}

Form = Literal["binary", "lce-only", "full-precision"]
FORM_BACKENDS: Mapping[Form, tuple[Backend, ...]] = {
    "binary": ("tvm", "ort", "tflite"),
    "lce-only": ("tflite",),
    "full-precision": ("tvm", "tflite"),
}
_FORM_TITLES: Mapping[Form, str] = {"binary": "", "lce-only": "lce", "full-precision": "fp32"}

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Relative, no empty or dot-only part, no backslash, nothing that a shell or a terminal could misread.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*$")]
TensorName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,100}$")]

RuntimeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
RuntimeVersion = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+-]{1,40}$")]


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
    """What one compiled function, or node of a runtime's graph, stands for.

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

    `backend` says whose format the model is in, and `runtimes` the versions of what runs it, the runtime itself first.
    `form` is "lce-only" where LCE's own interpreter runs the model too, "full-precision" for the twin that is only
    there to be compared with. `kernel_path` is the best path that the target has; `operations` say which kernels are
    really called, and `tuning` how they were measured (None: they were chosen by model). `features` and `glibc` are
    what a machine must have to run it, in the terms of `edgebin.targets`.
    """

    schema_version: Literal[2] = 2
    edgebin: str
    backend: Backend
    form: Form = "binary"
    runtimes: dict[RuntimeName, RuntimeVersion] = Field(min_length=1)
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
    def title(self) -> str:
        """`tvm`, `tvm fp32`, `ort`, `tflite`, `tflite lce`, `tflite fp32`: what tells bundles of a model apart."""
        return " ".join(filter(None, (self.backend, _FORM_TITLES[self.form])))

    @property
    def runtime(self) -> str:
        """`onnxruntime 1.31.1`."""
        name, version = next(iter(self.runtimes.items()))
        return f"{name} {version}"

    @property
    def engine(self) -> str:
        """`edgebin 0.1.0, onnxruntime 1.31.1, kernels avx512`."""
        kernels = (f"kernels {self.kernels}",) if self.operations or self.backend == "tvm" else ()
        return ", ".join((f"edgebin {self.edgebin}", self.runtime, *kernels))

    @property
    def model_name(self) -> str:
        """The file that the runtime loads."""
        return MODEL_NAMES[self.backend]

    @property
    def required_files(self) -> frozenset[str]:
        """What has to be in the bundle, apart from the manifest."""
        names = {RUNNER_NAME, IO_NAME, GOLDEN_INPUTS_NAME, GOLDEN_OUTPUTS_NAME, self.model_name}
        names |= {f"lib/{name}" for name in library_names(self.backend)}
        if self.backend in PLUGIN_NAMES and self.form != "full-precision":
            names.add(PLUGIN_NAMES[self.backend])
        return frozenset(names)

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
        if self.backend not in FORM_BACKENDS[self.form]:
            raise ValueError(f"a bundle of backend `{self.backend}` is not {self.form}")
        return self

    def io_text(self) -> str:
        """The bundle's `io.txt`, from which the runner knows inputs and outputs; format in kernels/runtime/spec.h."""
        lines = ["edgebin-io 1", f"batch {self.batch}", f"tolerance {self.tolerance.atol!r} {self.tolerance.rtol!r}"]
        for role, specs in (("input", self.inputs), ("output", self.outputs)):
            lines += [f"{role} {spec.name} {spec.dtype} {' '.join(map(str, spec.shape))}" for spec in specs]
        return "\n".join(lines) + "\n"
