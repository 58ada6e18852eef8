"""Baselines that Python hosts (hosted.py): TFLite and LiteRT on the float twin, LCE and TFLite on a bundle's file."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebin.bundle.manifest import MODEL_NAMES, PLUGIN_NAMES
from edgebin.errors import InputError
from edgebin.profile.baselines.contender import Contender, Named
from edgebin.profile.baselines.hosted import LCE
from edgebin.toolchain.packages import require_packages

# As `--baseline` has them.
TFLITE, TFLITE_INT8, TFLITE_RUNTIME, LCE_INTERPRETER = "tflite", "tflite-int8", "tflite-runtime", "lce"
HOSTED = (TFLITE, TFLITE_INT8, TFLITE_RUNTIME, LCE_INTERPRETER)
# Those that run the twin, as a float file or with int8 weights.
FLOAT_TWIN, INT8_TWIN = (TFLITE, TFLITE_RUNTIME), (TFLITE_INT8,)

_LITERT = "ai_edge_litert"
_TFLITE_RUNTIME = "tflite_runtime"
_TITLES = {_LITERT: "LiteRT", _TFLITE_RUNTIME: "tflite_runtime", LCE: "Larq Compute Engine"}
_EXTRAS = {_LITERT: "tflite", _TFLITE_RUNTIME: "lce", LCE: "lce"}


@dataclass(frozen=True)
class TfliteTwins:
    """The full-precision twin as `.tflite` files, as far as the baselines need them."""

    floats: Path | None = None
    int8: Path | None = None


def hosted_contenders(
    names: Sequence[str], bundles: Sequence[Named], twins: TfliteTwins, input_file: Path, *, threads: int
) -> list[Contender]:
    """What these baselines are, of those that Python hosts.

    `tflite` is the float twin on LiteRT, `tflite-int8` that with int8 weights; `tflite-runtime` the float twin on
    tflite_runtime, and each TFLite bundle there with our delegate; `lce` each `--lce-only` bundle in LCE's own
    interpreter, in each of the ways that it offers.

    Args:
        names: of `HOSTED`; others are not looked at.
        twins: what `FLOAT_TWIN` and `INT8_TWIN` need.
        input_file: raw float32, one batch.

    Raises:
        InputError: there is no bundle that LCE could run.
        ToolchainError: a runtime is not installed.
    """
    made: list[Contender] = []

    def add(name: str, runtime: str, model: Path, how: str = "", *arguments: str | Path) -> None:
        command = (sys.executable, "-P", str(Path(__file__).with_name("hosted.py")), runtime, model, input_file)
        words = (*command, "--threads", str(threads), *arguments)
        made.append(Contender(name, f"{_TITLES[runtime]} {_version(runtime)}", words, model.stat().st_size, how))

    if TFLITE in names and twins.floats:
        add("fp32 in litert", _LITERT, twins.floats)
    if TFLITE_INT8 in names and twins.int8:
        add("int8 in litert", _LITERT, twins.int8, "int8 weights, activations are quantised as they come")
    if TFLITE_RUNTIME in names and twins.floats:
        add(f"fp32 in {TFLITE_RUNTIME}", _TFLITE_RUNTIME, twins.floats)
    if TFLITE_RUNTIME in names:
        for name, model, plugin in _tflite_bundles(bundles):
            add(f"{name} in {TFLITE_RUNTIME}", _TFLITE_RUNTIME, model, "", "--delegate", plugin)
    if LCE_INTERPRETER in names:
        lce_only = [named for named in bundles if named.bundle.manifest.form == "lce-only"]
        if not lce_only:
            raise InputError(
                "the baseline `lce` needs a bundle that LCE's interpreter can run",
                hint="`edgebin compile … --backend tflite --lce-only` makes one",
            )
        for named in lce_only:
            model = named.bundle.extracted() / MODEL_NAMES["tflite"]
            name = LCE_INTERPRETER if len(lce_only) == 1 else f"{named.name} in lce"
            add(name, LCE, model, "without XNNPACK")
            add(name, LCE, model, "with XNNPACK", "--xnnpack")
            add(name, LCE, model, "with XNNPACK and indirect convolutions", "--xnnpack", "--indirect")
    return made


def _tflite_bundles(bundles: Sequence[Named]) -> list[tuple[str, Path, Path]]:
    """Name, model and our delegate of the bundles that have one."""
    plugin = PLUGIN_NAMES["tflite"]
    found = [named for named in bundles if plugin in named.bundle.manifest.files]
    folders = [named.bundle.extracted() for named in found]
    files = [(folder / MODEL_NAMES["tflite"], folder / plugin) for folder in folders]
    return [(named.name, *pair) for named, pair in zip(found, files, strict=True)]


def _version(runtime: str) -> str:
    require_packages([runtime], _EXTRAS[runtime])
    return importlib.metadata.version(runtime.replace("_", "-"))
