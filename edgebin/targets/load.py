"""Reads target files: by id or alias those that edgebin ships, by path those of the user."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from edgebin.errors import InputError
from edgebin.resources import resource_dir
from edgebin.targets.host import resolve_host
from edgebin.targets.schema import Target


def list_targets() -> list[Target]:
    """Every shipped target that this machine can compile for, by id: `x86-64` is left out where the host is not one."""
    targets = []
    for path in _shipped():
        try:
            targets.append(_read(path))
        except InputError:
            if '"host"' not in path.read_text():
                raise
    return targets


def load_target(name_or_path: str) -> Target:
    """The target with this id or alias, or the one in this TOML file (anything with a slash or ending in `.toml`).

    Raises:
        InputError: no such target or file; not TOML; a field missing, unknown or out of range.
    """
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        return _read(Path(name_or_path))
    names: dict[str, Path] = {}
    for path in _shipped():
        data = _parse(path)
        aliases = data.get("aliases", [])
        for name in (data["id"], *(aliases if isinstance(aliases, list) else [])):
            names[str(name)] = path
    if name_or_path in names:
        return _read(names[name_or_path])
    raise InputError(f"no target named `{name_or_path}`", hint=_suggestion(name_or_path, names))


def _suggestion(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return (
        f"did you mean `{near[0]}`? " if near else ""
    ) + "`edgebin targets list` shows all; a path to a TOML file works too"


def _shipped() -> list[Path]:
    return sorted(resource_dir("targets").glob("*.toml"))


def _parse(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"`{path}` is not a text file in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"`{path}` is not valid TOML: {error}") from error


def _read(path: Path) -> Target:
    data = resolve_host(_parse(path))
    if isinstance(core := data.get("core"), str):
        data["core"] = _parse(_core_file(core, path))
    try:
        return Target.model_validate(data)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise InputError(
            f"`{path}` is not a usable target: " + "; ".join(problems),
            hint=f"`{resource_dir('targets') / 'rpi4b.toml'}` is a complete example",
        ) from error


def _core_file(core: str, target_file: Path) -> Path:
    """A shipped core by id, or a TOML file relative to the target file."""
    if core.endswith(".toml"):
        return target_file.parent / core
    shipped = resource_dir("targets") / "cores"
    names = sorted(path.stem for path in shipped.glob("*.toml"))
    if core not in names:
        raise InputError(
            f"`{target_file}` names an unknown core `{core}`",
            hint=f"known cores: {', '.join(names)}; a path to a core's own TOML file works too",
        )
    return shipped / f"{core}.toml"
