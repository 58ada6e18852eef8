"""Which path a processor can run. Kernels never ask; the table is the order of paths in `kernels/variants.inc`."""

from __future__ import annotations

import platform
from collections.abc import Iterable

from edgebin.kernels.variants import Variant, kernel_paths, tunings, variants
from edgebin.targets.host import host_features

__all__ = ["host_features", "host_paths", "path_for", "usable_paths", "usable_variants", "with_tunings"]


def path_for(arch: str, features: frozenset[str]) -> str:
    """The best path for an architecture (`aarch64`, `x86_64`) with these features, named as in /proc/cpuinfo."""
    return usable_paths(arch, features)[0]


def usable_paths(arch: str, features: frozenset[str]) -> tuple[str, ...]:
    """All paths that such a processor can run, best first; `scalar` is always the last."""
    return tuple(path.name for path in kernel_paths() if path.arch in (arch, "any") and path.features <= features)


def host_paths() -> tuple[str, ...]:
    """All paths that the running processor can run, best first."""
    return usable_paths(platform.machine(), host_features())


def with_tunings(paths: Iterable[str]) -> tuple[str, ...]:
    """Each path, followed by its tunings."""
    return tuple(name for path in paths for name in (path, *(t for t, of in tunings().items() if of == path)))


def usable_variants(op: str, paths: Iterable[str]) -> tuple[Variant, ...]:
    """The kernels for `op` that a processor with these paths can run: path by path, each followed by its tunings."""
    of_op = {variant.path: variant for variant in variants() if variant.op == op}
    return tuple(of_op[name] for name in with_tunings(paths) if name in of_op)
