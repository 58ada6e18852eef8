"""The baselines of a comparison: what is asked for, made ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgebin.profile.baseline import ONNXRUNTIME, Baseline, check_baselines, prepare, user_twin, write_input
from edgebin.profile.contender import Contender, Named
from edgebin.profile.hosting import FLOAT_TWIN, INT8_TWIN, TfliteTwins, hosted_contenders
from edgebin.profile.twin import Twin, export_twin, write_tflite_twin

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
    ours: Sequence[Named], names: Sequence[str], twin_file: Path | None, folder: Path, *, threads: Sequence[int]
) -> Opponents:
    """Makes the baselines' files in `folder`, of the first bundle's model or of the user's `twin_file`.

    Raises:
        InputError: an unknown baseline, or one that these bundles or this twin do not allow.
        ToolchainError: a package is missing.
    """
    check_baselines(names)
    manifest = ours[0].bundle.manifest
    images = manifest.inputs[0].shape
    twin: Twin | None = None
    if set(names) & {*ONNXRUNTIME, *FLOAT_TWIN, *INT8_TWIN}:
        if twin_file is not None:
            twin = user_twin(twin_file, images[1:])
        else:
            twin = export_twin(manifest.model, folder / "fp32.onnx")
    twins = _tflite_twins(names, twin, folder, images[0]) if twin else TfliteTwins()
    images_file = write_input(folder, images)
    return Opponents(
        (),
        tuple(prepare(names, twin, folder, batch=images[0])) if twin else (),
        {n: tuple(hosted_contenders(names, ours, twins, images_file, threads=n)) for n in threads},
        (_RANDOM_TWIN,) if twin is not None and twin_file is None else (),
    )


def _tflite_twins(names: Sequence[str], twin: Twin, folder: Path, batch: int) -> TfliteTwins:
    floats = write_tflite_twin(twin, folder / "fp32.tflite", batch) if set(names) & set(FLOAT_TWIN) else None
    int8 = write_tflite_twin(twin, folder / "int8.tflite", batch, int8=True) if set(names) & set(INT8_TWIN) else None
    return TfliteTwins(floats, int8)
