"""The documentation and the commands are the same: docs/cli.md, README.md and `--help`."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import update_backends, update_board, update_cli, update_targets

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = list(update_cli.commands())


def test_the_page_is_what_help_prints() -> None:
    assert update_cli.PAGE.read_text(encoding="utf-8") == update_cli.render(), "run `make docs`"


def test_the_table_of_targets_is_what_the_files_say() -> None:
    text = update_targets.README.read_text(encoding="utf-8")
    assert text == update_targets.update(text), "run `make docs`"


def test_the_tables_of_findings_and_flags_are_those_of_the_code() -> None:
    text = update_board.PAGE.read_text(encoding="utf-8")
    assert text == update_board.update(text), "run `make docs`"


def test_the_tables_of_backends_are_what_was_counted() -> None:
    text = update_backends.PAGE.read_text(encoding="utf-8")
    assert text == update_backends.update(text, update_backends.read_report()), "run `make docs`"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    usage, _, rest = update_cli.help_text(words).partition("\n\n")
    assert usage.startswith(f"Usage: edgebin {' '.join(words)}")
    description, _, _ = rest.partition("\n\n")
    assert description.strip().endswith(".")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_in_the_readme(words: tuple[str, ...]) -> None:
    assert f"edgebin {words[0]}" in (ROOT / "README.md").read_text(encoding="utf-8")
