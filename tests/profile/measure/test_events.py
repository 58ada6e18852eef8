"""Reading what the agent wrote: it comes from another machine, and may be cut off anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgebin.errors import BoardError, InputError
from edgebin.profile.measure.events import Round, SessionBegin, parse_event, read_events

SESSION = b'{"event": "session", "session": 0, "threads": 2, "cores": [2, 3]}\n'
ROUND = (
    b'{"event": "round", "session": 0, "round": 4, "contender": 1, "begin_ns": 5, "end_ns": 9, "samples_ns": [1, 2]}\n'
)


def test_events_are_typed(tmp_path: Path) -> None:
    (tmp_path / "events").write_bytes(SESSION + ROUND)
    assert read_events(tmp_path / "events") == (
        SessionBegin(event="session", session=0, threads=2, cores=(2, 3)),
        Round(event="round", session=0, round=4, contender=1, begin_ns=5, end_ns=9, samples_ns=(1, 2)),
    )


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    for length in range(len(ROUND)):
        (tmp_path / "events").write_bytes(SESSION + ROUND[:length])
        assert len(read_events(tmp_path / "events")) == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"event": "surprise"}\n',
        b'{"session": 0}\n',
        b"[]\n",
        b"not JSON\n",
        SESSION.replace(b'"threads": 2', b'"threads": "many"'),
        SESSION.replace(b"}", b', "more": 1}'),
    ],
)
def test_what_is_unknown_is_an_error(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(BoardError, match="makes no sense"):
        parse_event(line)
    (tmp_path / "events").write_bytes(SESSION + line)
    with pytest.raises(InputError, match="line 2"):
        read_events(tmp_path / "events")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_events(tmp_path / "events")
