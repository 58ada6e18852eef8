"""Writes the table of targets in README.md from the target files. `make docs` runs it, a test compares."""

from __future__ import annotations

from pathlib import Path

from edgebin.targets import Target, list_targets

README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- targets: written by docs/update_targets.py -->", "<!-- end of targets -->"


def table() -> str:
    """One Markdown row for each board, the same on every machine."""
    lines = ["| `-t` | also | machine | processor | kernels, best first |", "|---|---|---|---|---|"]
    lines += [_row(target) for target in list_targets()]
    return "\n".join(lines)


def _row(target: Target) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in target.aliases)
    # What the host is depends on where this runs.
    processor = (
        f"{target.cores} × {target.core.name}, {target.freq_hz / 1e9:.2f} GHz" if target.arch == "aarch64" else "x86-64"
    )
    return f"| `{target.id}` | {aliases} | {target.name} | {processor} | {', '.join(target.kernel_paths)} |"


def update(text: str) -> str:
    """`text` with the part between the two markers replaced by the table."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    assert after, "README.md has lost its markers"
    return f"{before}{START}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(update(README.read_text(encoding="utf-8")), encoding="utf-8")
