"""Brings what contenders need to the machine, and says where it lies there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edgebin.board.store.deploy import deploy_bundle, deploy_files, deploy_program
from edgebin.board.transports.qemu import QemuTransport
from edgebin.board.transports.transport import Transport
from edgebin.bundle import Bundle
from edgebin.errors import TargetMismatch
from edgebin.profile.baselines.contender import Contender
from edgebin.toolchain.agent import ARCHES, agent_program
from edgebin.toolchain.qemu import qemu_command


@dataclass(frozen=True)
class Places:
    """Folders of this host, and what stands for them on the machine."""

    folders: Mapping[Path, PurePosixPath]
    way: Transport

    def command(self, words: Sequence[str | Path]) -> tuple[str, ...]:
        """A contender's command line there."""
        there = tuple(word if isinstance(word, str) else str(self._there(word)) for word in words)
        if isinstance(self.way, QemuTransport) and isinstance(words[0], Path):
            # An emulated agent cannot start emulated programs: it starts their emulator.
            return tuple(qemu_command(self.way.target, there))
        return there

    def _there(self, path: Path) -> PurePosixPath:
        folder = next(folder for folder in self.folders if path.is_relative_to(folder))
        return self.folders[folder] / path.relative_to(folder).as_posix()


def files_of(contenders: Sequence[Contender], bundles: Sequence[Bundle]) -> dict[Path, dict[str, Path]]:
    """The files that are not of a bundle, by folder and name; external weights of an ONNX file come along."""
    inside = [bundle.extracted() for bundle in bundles]
    found: dict[Path, dict[str, Path]] = {}
    for contender in contenders:
        for path in (word for word in contender.command if isinstance(word, Path)):
            if any(path.is_relative_to(folder) for folder in inside):
                continue
            for file in (path, path.with_name(path.name + ".data")):
                if file.is_file():
                    found.setdefault(path.parent, {})[file.name] = file
    return found


def place(way: Transport, contenders: Sequence[Contender], bundles: Sequence[Bundle]) -> tuple[Places, int]:
    """Copies what is not there yet; also the number of bytes that took.

    Raises:
        ConnectionLost, BoardError: the machine cannot be reached, or its disk is full.
    """
    copied, folders = 0, {}
    for bundle in bundles:
        done = deploy_bundle(way, bundle)
        folders[bundle.extracted()] = done.path
        copied += done.copied_bytes
    for folder, files in files_of(contenders, bundles).items():
        done = deploy_files(way, files)
        folders[folder] = done.path
        copied += done.copied_bytes
    return Places(folders, way), copied


def place_agent(way: Transport) -> PurePosixPath:
    """Brings the agent for the machine's own processor there.

    Raises:
        TargetMismatch: there is no agent for such a processor.
        ConnectionLost, BoardError: the machine cannot be reached, or its disk is full.
    """
    if isinstance(way, QemuTransport):
        return deploy_program(way, agent_program(way.target.arch), "agent").path
    machine = way.run(["uname", "-m"]).stdout.decode(errors="replace").strip()
    if machine not in ARCHES:
        raise TargetMismatch(f"{way.name} is {machine}", hint=f"edgebin compiles for {' and '.join(ARCHES)} only")
    return deploy_program(way, agent_program(machine), "agent").path
