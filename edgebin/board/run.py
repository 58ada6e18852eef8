"""Runs inputs of the user through a bundle."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebin.board.choose import machine_for
from edgebin.board.invoke import RunnerReport, invoke
from edgebin.board.machine import Machine
from edgebin.bundle import Bundle, npz_bytes, open_bundle, read_npz
from edgebin.errors import InputError


def run_bundle(
    bundle: Bundle,
    inputs: Mapping[str, NDArray[np.generic]],
    *,
    machine: Machine | None = None,
    threads: int = 1,
) -> dict[str, NDArray[np.generic]]:
    """The outputs for `inputs`, which are named, typed and shaped as the manifest says but for any number of rows.

    Raises:
        InputError: an input is missing, or of the wrong type or shape.
        TargetMismatch, ToolchainError: as `machine_for`.
        BoardError: the runner died.
    """
    with tempfile.TemporaryDirectory(prefix="edgebin-") as scratch:
        source, result = Path(scratch) / "inputs.npz", Path(scratch) / "outputs.npz"
        source.write_bytes(npz_bytes(inputs))
        _run(bundle, source, result, machine, threads)
        return read_npz(result)


def run_bundle_files(
    bundle: Path, input_: Path, output: Path, *, machine: Machine | None = None, threads: int = 1
) -> RunnerReport:
    """The same from file to file: `.npz`, compressed or not. `output` appears only when it is complete.

    Raises:
        BundleError: the bundle cannot be used.
        InputError: neither can the input, or the output cannot be written.
        TargetMismatch, ToolchainError, BoardError: as `run_bundle`.
    """
    opened = open_bundle(bundle)
    arrays = read_npz(input_)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".edgebin-") as scratch:
            source, result = Path(scratch) / input_.name, Path(scratch) / "outputs.npz"
            source.write_bytes(npz_bytes(arrays))
            report = _run(opened, source, result, machine, threads)
            os.replace(result, output)
    except OSError as error:
        raise InputError(f"cannot write `{output}`: {error.strerror}") from error
    return report


def _run(bundle: Bundle, source: Path, result: Path, machine: Machine | None, threads: int) -> RunnerReport:
    arguments: list[str | Path] = ["--input", source, "--output", result, "--threads", str(threads)]
    return invoke(machine or machine_for(bundle), bundle, arguments)
