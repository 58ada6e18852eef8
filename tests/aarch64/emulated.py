"""Models on the runtimes' own aarch64 wheels: jobs for `guest.py`, many to one start of the emulator."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgebin.targets import Target
from edgebin.toolchain.userland import userland_command

Array = np.ndarray[Any, np.dtype[Any]]
RUNTIMES = ("onnxruntime", "tflite_runtime", "ai_edge_litert")


@dataclass(frozen=True)
class Job:
    """A model to run: `inputs` by name, any number of rows; `library` our custom ops or delegate."""

    runtime: str
    model: Path
    inputs: dict[str, Array]
    library: Path | None = None


def run_emulated(target: Target, jobs: list[Job], folder: Path) -> list[dict[str, Array]]:
    """The outputs of each job by name; of one that the runtime refused `{"error": why}`."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    for index, job in enumerate(jobs):
        np.savez(folder / f"{index}-in.npz", **job.inputs)
        manifest.append(
            {
                "runtime": job.runtime,
                "model": str(job.model),
                "library": str(job.library) if job.library else None,
                "inputs": str(folder / f"{index}-in.npz"),
                "outputs": str(folder / f"{index}-out.npz"),
            }
        )
    (folder / "jobs.json").write_text(json.dumps(manifest))
    script = Path(__file__).with_name("guest.py")
    done = subprocess.run(
        userland_command(target, [script, folder / "jobs.json"]), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [dict(np.load(job["outputs"])) for job in manifest]
