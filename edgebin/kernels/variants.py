"""Reads `kernels/variants.inc`, the one list of paths, tunings and kernel variants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from edgebin.errors import InputError
from edgebin.resources import resource_dir

_PATH = re.compile(r'^EB_PATH\((\w+), (\w+), "([^"]*)"\)$', re.MULTILINE)
_TUNING = re.compile(r"^EB_TUNING\((\w+), (\w+)\)$", re.MULTILINE)
_VARIANT = re.compile(r'^EB_VARIANT\((\w+), (\w+), (\d+), (\d+), "([^"]+)"\)$', re.MULTILINE)


@dataclass(frozen=True)
class KernelPath:
    """An instruction set that kernels are written for; `arch` is `any` for portable C."""

    name: str
    arch: str
    features: frozenset[str]  # as /proc/cpuinfo names them


@dataclass(frozen=True)
class Variant:
    """One kernel: the C function `symbol`, and the layout of its weights where it has any.

    `path` names a path, or a tuning of one. Weights lie in panels of `nr` output channels, [ceil(n / nr)][words along
    k][nr] words of `word_bits` bits; see `edgebin.kernels.layout`. `source` is relative to `kernels/`.
    """

    op: str
    path: str
    symbol: str
    features: frozenset[str]
    nr: int
    word_bits: int
    source: str


@cache
def kernel_paths() -> tuple[KernelPath, ...]:
    """All paths, the best of each architecture first."""
    return tuple(
        KernelPath(name, arch, frozenset(features.split())) for name, arch, features in _PATH.findall(_list_text())
    )


@cache
def tunings() -> dict[str, str]:
    """The path that each tuning belongs to."""
    return dict(_TUNING.findall(_list_text()))


def path_of(name: str) -> str:
    """The path that a path or tuning of this name is compiled as."""
    return tunings().get(name, name)


@cache
def variants() -> tuple[Variant, ...]:
    """All kernel variants, in the order of the list."""
    features = {path.name: path.features for path in kernel_paths()}
    return tuple(
        Variant(op, path, f"eb_{op}__{path}", features[path_of(path)], int(nr), int(word_bits), source)
        for op, path, nr, word_bits, source in _VARIANT.findall(_list_text())
    )


def find_variant(op: str, path: str) -> Variant:
    """The kernel for `op` ("b1_gemm", "rows", …) on `path`; a tuning without one of its own has its path's.

    Raises:
        InputError: there is none.
    """
    for name in (path, path_of(path)):
        for variant in variants():
            if (variant.op, variant.path) == (op, name):
                return variant
    raise InputError(
        f"there is no `{op}` kernel for the path `{path}`",
        hint=f"paths: {', '.join(known.name for known in kernel_paths())}",
    )


def _list_text() -> str:
    return (resource_dir("kernels") / "variants.inc").read_text()
