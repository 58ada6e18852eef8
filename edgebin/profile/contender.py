"""One way to run a model, as a program that serves (`edgebin.profile.engines`): a bundle, or a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgebin.board import LocalMachine
from edgebin.bundle import Bundle
from edgebin.bundle.manifest import GOLDEN_INPUTS_NAME
from edgebin.errors import InputError

BINARY = "binary"


@dataclass(frozen=True)
class Contender:
    """`engine` says what runs it and the versions; `how` what sets it apart from others of its name, which compete."""

    name: str
    engine: str
    command: tuple[str, ...]
    file_bytes: int
    how: str = ""


@dataclass(frozen=True)
class Named:
    """A bundle and what it is called in the comparison."""

    name: str
    bundle: Bundle

    def contender(self, threads: int) -> Contender:
        """Its runner, serving."""
        folder = self.bundle.extracted()
        arguments = ["--input", str(folder / GOLDEN_INPUTS_NAME), "--serve", "--threads", str(threads)]
        command = tuple(LocalMachine().command(folder, arguments))
        return Contender(self.name, self.bundle.manifest.engine, command, self.bundle.size_bytes)


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
