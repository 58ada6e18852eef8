"""The twin under onnxruntime, as a program that is timed on this host or counted under the emulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

from edgebin.bundle.manifest import Operation
from edgebin.errors import InputError
from edgebin.profile.baselines.contender import LAYERS_PREFIX, PER_OP_RUNS, Contender
from edgebin.profile.baselines.hosting import HOSTED
from edgebin.profile.baselines.programs import baseline_runner, onnxruntime_library
from edgebin.profile.baselines.twin import Twin, model_bytes, open_twin, quantize_dynamically, quantize_statically
from edgebin.targets import Target

ONNXRUNTIME = ("fp32", "int8")
BASELINES = (*ONNXRUNTIME, *HOSTED)


@dataclass(frozen=True)
class Baseline:
    """One ONNX file to run. `how` says how it was quantised, empty for fp32; `input_file` holds raw float32."""

    name: str
    how: str
    twin: Twin
    input_file: Path

    @property
    def file_bytes(self) -> int:
        return model_bytes(self.twin.path)

    def engine(self, target: Target) -> str:
        """`onnxruntime 1.31.1`: its library has the version in its name."""
        return f"onnxruntime {onnxruntime_library(target).name.partition('.so.')[2]}"

    def contender(self, target: Target, threads: int) -> Contender:
        """Its runner, serving."""
        command = self.command(target, threads=threads, arguments=["--serve"])
        return Contender(self.name, self.engine(target), command, self.file_bytes, self.how)

    def layers(self, target: Target, threads: int) -> Contender:
        """Its runner, telling what each node takes, as onnxruntime's own profiler has it (measure/layers.py)."""
        command = self.command(target, threads=threads, arguments=["--per-op", str(PER_OP_RUNS)])
        return Contender(LAYERS_PREFIX + self.name, self.engine(target), command, self.file_bytes, self.how)

    def operations(self) -> tuple[Operation, ...]:
        """The nodes of its graph, by the names that onnxruntime's profiler gives them where it has left them alone."""
        nodes = onnx.load(self.twin.path, load_external_data=False).graph.node
        names = [node.name or f"{node.op_type}_{number}" for number, node in enumerate(nodes)]
        pairs = zip(nodes, names, strict=True)
        return tuple(Operation(function=name, kind=node.op_type, nodes=(name,)) for node, name in pairs)

    def command(self, target: Target, *, threads: int, arguments: Sequence[str]) -> tuple[str | Path, ...]:
        """The command line of the runner for the target.

        Raises:
            ToolchainError: the runner cannot be built, or onnxruntime's library for the target has not been fetched.
        """
        shape = ",".join(map(str, self.twin.input_shape))
        return (
            *(baseline_runner(target), onnxruntime_library(target), self.twin.path),
            *(self.twin.input_name, self.input_file, shape, self.twin.output_name),
            *("--threads", str(threads), *arguments),
        )


def check_baselines(names: Sequence[str]) -> None:
    """Makes sure that there are such baselines.

    Raises:
        InputError: an unknown one.
    """
    if unknown := sorted(set(names) - set(BASELINES)):
        raise InputError(f"unknown baseline `{unknown[0]}`", hint=f"known: {', '.join(BASELINES)}")


def write_input(folder: Path, shape: Sequence[int]) -> Path:
    """A batch of seeded noise as raw float32."""
    file = folder / "input.bin"
    np.random.default_rng(0).standard_normal(shape).astype(np.float32).tofile(file)
    return file


def prepare(names: Sequence[str], fp32: Twin, folder: Path, *, batch: int) -> list[Baseline]:
    """The files of those baselines that onnxruntime runs, made in `folder`.

    int8 comes twice, quantised dynamically and statically: the caller takes the quicker one.
    """
    shape = (batch, *fp32.input_shape[1:])
    input_file = write_input(folder, shape)
    made = []
    if "fp32" in names:
        made.append(Baseline("fp32", "", fp32, input_file))
    if "int8" in names:
        dynamic = quantize_dynamically(fp32, folder / "int8-dynamic.onnx")
        static = quantize_statically(fp32, folder / "int8-static.onnx")
        made.append(Baseline("int8", "dynamic quantisation", dynamic, input_file))
        made.append(Baseline("int8", "static quantisation (QDQ)", static, input_file))
    return [replace(baseline, twin=replace(baseline.twin, input_shape=shape)) for baseline in made]


def user_twin(path: Path, image_shape: tuple[int, ...]) -> Twin:
    """A file the user names as the twin; it must take the same images.

    Raises:
        InputError: it does not.
    """
    twin = open_twin(path)
    if twin.input_shape[1:] != image_shape:
        raise InputError(
            f"`{path}` takes images of {list(twin.input_shape[1:])}, the bundle of {list(image_shape)}",
            hint="name the full-precision model of the same input size",
        )
    return twin
