"""One way to run a model, as a program that serves: a bundle, or a baseline.

It prints one JSON line when its model is loaded; then each line `run N` on its standard input gives one JSON line whose
`samples_ns` are the times of N inferences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgebin.bundle import Bundle
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME, RUNNER_NAME
from edgebin.errors import InputError

BINARY = "binary"
# A command that tells where a variant of this name spends its time, and how many inferences it looks at.
LAYERS_PREFIX = "layers of "
PER_OP_RUNS = 30


@dataclass(frozen=True)
class Contender:
    """`engine` says what runs it and the versions; `how` what sets it apart from others of its name, which compete.

    Paths in `command` are files of this host, which have to be brought to the machine that runs it; strings are not.
    """

    name: str
    engine: str
    command: tuple[str | Path, ...]
    file_bytes: int
    how: str = ""


@dataclass(frozen=True)
class Named:
    """A bundle and what it is called in the comparison."""

    name: str
    bundle: Bundle

    def contender(self, threads: int) -> Contender:
        """Its runner, serving."""
        command = (*self._runner(threads), "--serve")
        return Contender(self.name, self.bundle.manifest.engine, command, self.bundle.size_bytes)

    def layers(self, threads: int, cpus: Sequence[int] | None) -> Contender:
        """Its runner, telling what each function takes (`edgebin.profile.measure.layers`)."""
        pin = ("--pin", ",".join(map(str, cpus))) if cpus else ()
        command = (*self._runner(threads), "--per-op", "--min-runs", str(PER_OP_RUNS), *pin)
        return Contender(LAYERS_PREFIX + self.name, self.bundle.manifest.engine, command, self.bundle.size_bytes)

    def _runner(self, threads: int) -> tuple[str | Path, ...]:
        folder = self.bundle.extracted()
        return (folder / RUNNER_NAME, "--input", folder / GOLDEN_INPUTS_NAME, "--threads", str(threads))


def named(bundles: Sequence[Bundle]) -> tuple[Named, ...]:
    """One bundle is `binary`; several are called by their backends, and counted where these are the same.

    Raises:
        InputError: they are for different targets, or do not take the same images.
    """
    first = bundles[0].manifest
    for bundle in bundles[1:]:
        other = bundle.manifest
        if other.target.id != first.target.id:
            raise InputError(
                f"`{bundle.path}` is for {other.target.id}, `{bundles[0].path}` for {first.target.id}",
                hint="compare bundles for one target",
            )
        if [spec.shape for spec in other.inputs] != [spec.shape for spec in first.inputs]:
            shapes = [list(manifest.inputs[0].shape) for manifest in (other, first)]
            raise InputError(
                f"`{bundle.path}` takes {shapes[0]}, `{bundles[0].path}` {shapes[1]}",
                hint="compare bundles of one image size and batch",
            )
    if len(bundles) == 1:
        return (Named(BINARY if first.form != "full-precision" else first.title, bundles[0]),)
    titles = [bundle.manifest.title for bundle in bundles]
    names = [
        title if titles[:index].count(title) == 0 else f"{title} {titles[:index].count(title) + 1}"
        for index, title in enumerate(titles)
    ]
    return tuple(Named(name, bundle) for name, bundle in zip(names, bundles, strict=True))
