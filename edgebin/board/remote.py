"""A board over a transport: brings bundles and files there, runs them, and brings back what they write."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from edgebin.board.state.inspect import inspect_board
from edgebin.board.state.preflight import preflight, require
from edgebin.board.store.agent import place_agent
from edgebin.board.store.archive import UNPACK, packed, unpacked
from edgebin.board.store.arrival import appearing
from edgebin.board.store.deploy import deploy_bundle
from edgebin.board.transports.transport import Transport
from edgebin.bundle import Bundle, Manifest
from edgebin.bundle.manifest import RUNNER_NAME
from edgebin.errors import BoardError
from edgebin.toolchain.process import tail

_KILLED = 128  # + the signal, as shells say it
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")

# $1: the folder; then the runner and its arguments, whose files are named from the folder that standard input
# becomes. Standard output: all that the runner has written there, and what it has said.
_RUN = f"""
{UNPACK}
cd "$new" || exit 1
shift
"$@" >said
status=$?
rm -rf in
tar -cf - .
exit $status
"""


class RemoteMachine:
    """Runs bundles over a transport, which stays the caller's to close; nothing of a run is left there.

    A bundle is looked at once in this object's life, and what is missing there copied; `copied_bytes` is the sum.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._deployed: dict[str, PurePosixPath] = {}
        self.copied_bytes = 0

    @property
    def name(self) -> str:
        return self._transport.name

    @property
    def emulated(self) -> bool:
        return self._transport.emulated

    def check(self, manifest: Manifest) -> None:
        """Makes sure that the board has what the bundle needs; the agent looks, and stays there.

        Raises:
            TargetMismatch: other architecture, missing processor features, older C library, too little memory.
            ToolchainError: the agent cannot be built.
            ConnectionLost, BoardError: the board is away.
        """
        board = inspect_board(self._transport, place_agent(self._transport))
        # Room is for the copying to find out: what is there already needs none.
        require([found for found in preflight(board, manifest) if found.id != "disk"], name=self.name)

    def run(self, bundle: Bundle, arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        folder = self.deploy(bundle)
        words, inputs, outputs = _mapped(arguments, bundle.extracted(), folder)
        command = [str(folder / RUNNER_NAME), *words]
        with packed({**inputs, "out/.keep": b""}) as archive:
            done = self._transport.run(
                ["sh", "-c", _RUN, "edgebin", str(self._transport.folder), *command], stdin=archive
            )
        if not done.stdout:
            raise BoardError(f"the runner could not be started on {self.name}: {tail(done.stderr)}")
        written = unpacked(done.stdout)
        for name, path in outputs.items():
            if (content := written.get(f"./{name}")) is not None:
                with appearing(path) as partial:
                    partial.write_bytes(content)
        return subprocess.CompletedProcess(
            command,
            done.returncode if done.returncode <= _KILLED else _KILLED - done.returncode,
            written.get("./said", b"").decode(errors="replace"),
            done.stderr,
        )

    def deploy(self, bundle: Bundle) -> PurePosixPath:
        """The bundle's folder there, made and checked when it is first asked for."""
        if bundle.sha256 not in self._deployed:
            deployed = deploy_bundle(self._transport, bundle)
            self._deployed[bundle.sha256] = deployed.path
            self.copied_bytes += deployed.copied_bytes
        return self._deployed[bundle.sha256]


def _mapped(
    arguments: Sequence[str | Path], here: Path, there: PurePosixPath
) -> tuple[list[str], dict[str, Path | bytes], dict[str, Path]]:
    """The arguments as they are there; the files to bring, and those to fetch, by their names in the archives."""
    words: list[str] = []
    inputs: dict[str, Path | bytes] = {}
    outputs: dict[str, Path] = {}
    for number, argument in enumerate(arguments):
        if isinstance(argument, str):
            words.append(argument)
        elif argument.is_relative_to(here):
            words.append(str(there / argument.relative_to(here)))
        else:
            plain = argument.name if _PLAIN_NAME.fullmatch(argument.name) else "input.npz"
            if argument.exists():
                words.append(f"in/{number}/{plain}")
                inputs[words[-1]] = argument
            else:
                words.append(f"out/{number}.npz")
                outputs[words[-1]] = argument
    return words, inputs, outputs
