"""Writes the tables of findings and flags in docs/board.md from the code. `make docs` runs it, a test compares."""

from __future__ import annotations

from pathlib import Path

from edgebin.board.state.preflight import FINDINGS
from edgebin.profile.validity import FLAGS

PAGE = Path(__file__).with_name("board.md")


def findings() -> str:
    """One Markdown row for each thing that `preflight` may find."""
    rows = [f"| `{id_}` | {severity} | {meaning} | {remedy} |" for id_, (severity, meaning, remedy) in FINDINGS.items()]
    return "\n".join(["| finding | is | means | what helps |", "|---|---|---|---|", *rows])


def flags() -> str:
    """One Markdown row for each flag of a run."""
    rows = [
        f"| `{name}` | {'invalid' if flag.invalid else 'note'} | {flag.meaning} | {flag.action} |"
        for name, flag in FLAGS.items()
    ]
    return "\n".join(["| flag | is | means | what to do |", "|---|---|---|---|", *rows])


def update(text: str) -> str:
    """`text` with what stands between each pair of markers replaced by its table."""
    for name, table in (("findings", findings()), ("flags", flags())):
        start, end = f"<!-- {name}: written by docs/update_board.py -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        assert after, f"{PAGE.name} has lost its markers"
        text = f"{before}{start}\n{table}\n{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(update(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
