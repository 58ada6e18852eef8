"""The baselines of a comparison: what is asked for, made ready to run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from edgebin.board.state.inspect import Board
from edgebin.bundle import Bundle, open_bundle
from edgebin.bundle.full_precision import full_precision_bundle
from edgebin.errors import InputError
from edgebin.profile.baselines.baseline import ONNXRUNTIME, Baseline, check_baselines, prepare, user_twin, write_input
from edgebin.profile.baselines.contender import Contender, Named
from edgebin.profile.baselines.hosting import FLOAT_TWIN, HOSTED, INT8_TWIN, TfliteTwins, hosted_contenders
from edgebin.profile.baselines.programs import onnxruntime_library
from edgebin.profile.baselines.twin import Twin, export_twin, write_tflite_twin
from edgebin.targets import Target
from edgebin.toolchain.elf import elf_needs, parse_glibc

# Torch's exporter and TVM's compiler cannot be run twice at once, as for the boards of a fleet.
_ONE_AT_A_TIME = threading.Lock()
_RANDOM_TWIN = "the full-precision twin has the same shape and random weights: it serves for latency only"


@dataclass(frozen=True)
class Opponents:
    """Those that onnxruntime runs, those that Python hosts by number of threads, and what to say about them.

    `bundles`: the full-precision twin as TVM's module, for boards where onnxruntime does not start.
    """

    bundles: tuple[Named, ...] = ()
    onnxruntime: tuple[Baseline, ...] = ()
    hosted: Mapping[int, tuple[Contender, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def prepare_opponents(
    ours: Sequence[Named],
    names: Sequence[str],
    twin_file: Path | None,
    folder: Path,
    *,
    threads: Sequence[int],
    board: Board | None = None,
    hosted: bool = True,
) -> Opponents:
    """Makes the baselines' files in `folder`, of the first bundle's model or of the user's `twin_file`.

    Args:
        threads: hosted baselines are made for each of these.
        board: where they are to run; on one whose C library is too old for onnxruntime, TVM runs the twin.
        hosted: whether Python hosts baselines there, as on this host.

    Raises:
        InputError: an unknown baseline, or one that these bundles, this twin or this machine do not allow.
        ToolchainError: a package is missing.
    """
    with _ONE_AT_A_TIME:
        return _prepare(ours, names, twin_file, folder, threads=threads, board=board, hosted=hosted)


def _prepare(
    ours: Sequence[Named],
    names: Sequence[str],
    twin_file: Path | None,
    folder: Path,
    *,
    threads: Sequence[int],
    board: Board | None,
    hosted: bool,
) -> Opponents:
    check_baselines(names)
    if not hosted and (python := sorted(set(names) & set(HOSTED))):
        raise InputError(
            f"the baseline `{python[0]}` is for this host only: Python hosts it, and nothing is installed on boards",
            hint="for the float twin on LiteRT, profile a bundle of it too: `edgebin compile … --full-precision`",
        )
    manifest = ours[0].bundle.manifest
    images = manifest.inputs[0].shape
    too_old = _why_no_onnxruntime(board, manifest.target) if set(names) & set(ONNXRUNTIME) else None
    if too_old is not None:
        bundle = _tvm_twin(ours[0].bundle, twin_file, folder) if "fp32" in names else None
        notes = (f"{too_old}; {'int8 is left out' if bundle is None else 'TVM runs the twin, in fp32 only'}",)
        random = (_RANDOM_TWIN,) if bundle is not None and twin_file is None else ()
        return Opponents(bundles=(Named("fp32", bundle),) if bundle else (), notes=(*notes, *random))
    twin: Twin | None = None
    if set(names) & {*ONNXRUNTIME, *FLOAT_TWIN, *INT8_TWIN}:
        if twin_file is not None:
            twin = user_twin(twin_file, images[1:])
        else:
            twin = export_twin(manifest.model, folder / "fp32.onnx")
    twins = _tflite_twins(names, twin, folder, images[0]) if twin else TfliteTwins()
    images_file = write_input(folder, images)
    return Opponents(
        onnxruntime=tuple(prepare(names, twin, folder, batch=images[0])) if twin else (),
        hosted={n: tuple(hosted_contenders(names, ours, twins, images_file, threads=n)) for n in threads},
        notes=(_RANDOM_TWIN,) if twin is not None and twin_file is None else (),
    )


def _why_no_onnxruntime(board: Board | None, target: Target) -> str | None:
    if board is None:
        return None
    needed = elf_needs(onnxruntime_library(target)).glibc
    if board.glibc is not None and parse_glibc(board.glibc) >= needed:
        return None
    return f"onnxruntime needs glibc {needed[0]}.{needed[1]}, the board has {board.glibc or 'another C library'}"


def _tvm_twin(bundle: Bundle, twin_file: Path | None, folder: Path) -> Bundle:
    output = folder / "fp32.ebz"
    full_precision_bundle(bundle, output, twin=None if twin_file is None else onnx.load(twin_file))
    return open_bundle(output)


def _tflite_twins(names: Sequence[str], twin: Twin, folder: Path, batch: int) -> TfliteTwins:
    floats = write_tflite_twin(twin, folder / "fp32.tflite", batch) if set(names) & set(FLOAT_TWIN) else None
    int8 = write_tflite_twin(twin, folder / "int8.tflite", batch, int8=True) if set(names) & set(INT8_TWIN) else None
    return TfliteTwins(floats, int8)
