"""Programs that answer lines, and the probe, here and on another machine over a real sshd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgebin.board.programs import ask_program
from edgebin.board.transports.ssh import SshTransport
from edgebin.errors import BoardError
from edgebin.kernels.shape import CallShape
from edgebin.profile import probe
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from tests.board.sshd import Sshd

# Says how it is called, then repeats what it is told.
ECHO = '#!/bin/sh\necho "$1"\nexec cat\n'
FAILING = "#!/bin/sh\necho the end is near >&2\nexit 7\n"


@pytest.fixture
def way(board: Sshd) -> Iterator[SshTransport]:
    transport = SshTransport(board.host)
    yield transport
    transport.close()


def program(folder: Path, text: str) -> Path:
    path = folder / "script"
    path.write_text(text)
    return path


def test_lines_never_reach_a_shell(way: SshTransport, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    lines = [f"$(touch {mark})", f"'; touch {mark}; '", f"`touch {mark}`"]
    assert ask_program(way, program(tmp_path, ECHO), "echo", lines).splitlines() == ["batch", *lines]
    assert not mark.exists()


def test_a_program_that_fails_is_reported(way: SshTransport, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="ended with 7 on board\nthe end is near"):
        ask_program(way, program(tmp_path, FAILING), "fail", [])


def test_a_program_for_another_processor(way: SshTransport, tmp_path: Path) -> None:
    alien = program(tmp_path, "")
    alien.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(57))
    with pytest.raises(BoardError, match="board cannot run `alien-") as error:
        ask_program(way, alien, "alien", ["x"])
    assert "-t" in (error.value.hint or "")


@pytest.mark.skipif(host_arch() != "x86_64", reason="takes this host for the other machine, an x86-64 one")
def test_another_host_is_probed_and_tuned_for(way: SshTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    call = CallShape("b1_gemm", "f32", (5, 70, 40))
    monkeypatch.setattr(probe, "SHAPES", (call,))
    target = load_target("x86-64")
    report = probe.probe_machine(way, target)
    assert report.machine == "board"
    assert report.freq_hz
    assert all(result.exact for result in report.kernels if result.variant == "scalar")
    found = probe.tuner(way, target)
    assert found.choose_for(("scalar",))(call).path == "scalar"
    assert found.results[call][1]["scalar"] > 0
