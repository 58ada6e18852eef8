"""A saved target is read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgebin.errors import InputError
from edgebin.targets import Target, list_targets, load_target
from edgebin.targets.save import write_target


@pytest.mark.parametrize("target", list_targets(), ids=lambda target: target.id)
def test_every_target_survives(target: Target, tmp_path: Path) -> None:
    write_target(target, tmp_path / "own.toml")
    assert load_target(str(tmp_path / "own.toml")) == target


def test_text_that_toml_must_escape(tmp_path: Path) -> None:
    target = load_target("rpi4b").model_copy(update={"description": 'a "quote", a \\ and \x7f,\nä [core]'})
    write_target(target, tmp_path / "own.toml")
    assert load_target(str(tmp_path / "own.toml")) == target


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        write_target(load_target("rpi4b"), tmp_path / "none" / "own.toml")
