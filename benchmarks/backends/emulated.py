"""Models on the runtimes' own aarch64 wheels under the emulator: jobs for `guest.py`, many to one start, or counted."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgebin.errors import BoardError
from edgebin.profile.baselines.programs import instruction_counter, node_marks
from edgebin.profile.estimate.counting import Counts, plugin_argument, read_counts
from edgebin.targets import Target
from edgebin.toolchain.process import tail
from edgebin.toolchain.userland import userland_command

Array = np.ndarray[Any, np.dtype[Any]]
TFLITE_RUNTIMES = ("tflite_runtime", "ai_edge_litert")
RUNTIMES = ("onnxruntime", *TFLITE_RUNTIMES)


@dataclass(frozen=True)
class Job:
    """A model to run: `inputs` by name, any number of rows; `library` is our custom ops or our delegate."""

    runtime: str
    model: Path
    inputs: dict[str, Array]
    library: Path | None = None


def run_emulated(target: Target, jobs: Sequence[Job], folder: Path) -> list[dict[str, Array]]:
    """The outputs of each job by name; of one that the runtime refused `{"error": why}`. Files go to `folder`.

    Raises:
        ToolchainError: no userland or no emulator.
        BoardError: the emulated Python died.
    """
    return _run(target, jobs, folder, marks=None, plugin=None)


def count_emulated(target: Target, job: Job, folder: Path) -> tuple[Counts, list[str]]:
    """Counts an inference after the first, and names the nodes that ran, functions 0, 1, … of the counts.

    After them come two more functions: what ran before the first node, and what after the last.

    Raises:
        ToolchainError: no userland, no emulator or no counter.
        BoardError: the emulated Python died, or the runtime refused the model.
        MeasurementInvalid: the runtime ran several threads.
    """
    counts = folder / "counts.bin"
    plugin = plugin_argument(instruction_counter(), counts)
    (outputs,) = _run(target, [job], folder, marks=node_marks(target), plugin=plugin)
    if "error" in outputs:
        raise BoardError(f"{job.runtime} did not run `{job.model.name}`: {outputs['error']}")
    return read_counts(counts), [str(name) for name in outputs["nodes"]]


def _run(
    target: Target, jobs: Sequence[Job], folder: Path, *, marks: Path | None, plugin: str | None
) -> list[dict[str, Array]]:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    for index, job in enumerate(jobs):
        inputs, outputs = folder / f"{index}-in.npz", folder / f"{index}-out.npz"
        np.savez(inputs, **job.inputs)  # type: ignore[arg-type]
        paths = {"model": job.model, "library": job.library, "inputs": inputs, "outputs": outputs, "marks": marks}
        manifest.append({"runtime": job.runtime} | {name: str(path) if path else None for name, path in paths.items()})
    (folder / "jobs.json").write_text(json.dumps(manifest))
    command = userland_command(target, [Path(__file__).with_name("guest.py"), folder / "jobs.json"], plugin=plugin)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BoardError(f"the emulated Python ended with {done.returncode}\n{tail(done.stderr)}")
    return [dict(np.load(str(job["outputs"]))) for job in manifest]
