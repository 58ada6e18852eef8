"""What would be done is what is done: a dry run is held against the commands of a real one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from edgebin.board.transports.ssh import SshTransport
from edgebin.bundle import Bundle
from edgebin.profile import Options, dry_run_lines, profile_on
from tests.board.sshd import Sshd

Bundles = Callable[[str], Bundle]
QUICK: dict[str, Any] = {"min_runs": 5, "min_seconds": 0.0, "warmup_seconds": 0.0, "baselines": (), "energy": "off"}


class Watched(SshTransport):
    """Keeps the command lines of everything that it runs."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.lines: list[str] = []

    def run(self, command: Sequence[str], **options: Any) -> Any:
        self.lines.append(self.command_line(command))
        return super().run(command, **options)

    def put(self, files: Mapping[PurePosixPath, Path | bytes], *, executable: bool = False) -> None:
        before = list(self.lines)
        super().put(files, executable=executable)
        self.lines = before  # a dry run says `# write`

    @contextlib.contextmanager
    def stream(self, command: Sequence[str]) -> Iterator[Iterator[bytes]]:
        self.lines.append(self.command_line(command))
        with super().stream(command) as lines:
            yield lines


def comparable(lines: list[str], folder: PurePosixPath | str) -> list[str]:
    """Without the job's name, and with the folder under one name."""
    joined = [re.sub(r"jobs/[0-9a-f]{16}", "jobs/JOB", line.replace(str(folder), "FOLDER")) for line in lines]
    return [line for line in joined if not line.startswith("#")]


def test_a_dry_run_says_what_a_real_one_does(board: Sshd, tiny_bundle: Bundles) -> None:
    options = Options(**QUICK)
    bundle = tiny_bundle("x86-64")
    lines = dry_run_lines([bundle], options, host="board")
    assert list(board.home.iterdir()) == []
    assert board.connections() == []
    with contextlib.closing(Watched("board")) as way:
        profile_on(way, [bundle], options, host="board")
        done = comparable(way.lines, way.folder)
    assert comparable(lines, ".cache/edgebin/board") == done


def test_it_names_settings_sizes_and_what_the_agent_starts(tiny_bundle: Bundles) -> None:
    options = Options(**{**QUICK, "energy": "auto", "tune": ("nvpmodel 0", "governor performance"), "threads": (1, 2)})
    text = "\n".join(dry_run_lines([tiny_bundle("rpi4b")], options, host="pi@board.invalid"))
    for expected in (
        r"# the agent sets, through `sudo -n` where it has to: nvpmodel 0\n.*: governor performance\n",
        r"# the agent puts back: governor\n# the agent puts back: nvpmodel\n",
        r"# with an archive of \d+ bytes on standard input:\nssh ",
        r"# write .*/plan \(\d+ bytes\)\n#   edgebin-plan 1\n",
        r"# the agent starts on processors 3, and has timed in turns:\n#   ORT_DISABLE_TELEMETRY=1 .*runner.* --serve",
        r"# the agent starts on processors 2, 3, ",
        r"# the agent runs, after that:\n#   .* --per-op",
        r"idles 20 s before and after 5 windows of 10 s each",
        r"ssh pi@board.invalid '.*agent-[0-9a-f]{64} start ",
    ):
        assert re.search(expected, text), expected


def test_an_estimate_runs_nothing_on_a_board(tiny_bundle: Bundles) -> None:
    (line,) = dry_run_lines([tiny_bundle("rpi4b")], Options(**QUICK))
    assert line.startswith("# an estimate for Raspberry Pi 4B")


def test_nothing_is_needed_of_a_board_that_is_not_there(tiny_bundle: Bundles, tmp_path: Path) -> None:
    options = Options(**QUICK)
    assert dry_run_lines([tiny_bundle("rpi4b")], options, host="board.invalid")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))  # no ssh
        assert dry_run_lines([tiny_bundle("rpi4b")], options, host="board.invalid")
