"""Boards by name: the user's registry, and lists of boards for fleets, in one format.

```toml
[devices.kitchen]
host = "pi@10.0.0.7"      # as ssh takes it
target = "rpi4b"          # optional: what is compiled for it
power = "hwmon:ina219:power1"  # optional: the power source, as `edgebin doctor --host` lists them
meter = "kitchen.csv"     # optional: the log of an external meter, relative to this file
```
"""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator

from edgebin.board.transports.hosts import LOCAL, QEMU_PREFIX, checked_host
from edgebin.errors import InputError

CONFIG_VARIABLE = "EDGEBIN_CONFIG_DIR"
_FILE_NAME = "devices.toml"
_NAME_RULE = "letters, digits, `_`, `-` and `.`, at most 64, a letter or digit first"

DeviceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/+-]{0,199}$")]
FilePath = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,1000}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeviceEntry(_Model):
    """What the file says of one board."""

    host: str
    target: Word | None = None
    power: Word | None = None
    meter: FilePath | None = None

    @field_validator("host")
    @classmethod
    def _usable(cls, host: str) -> str:
        try:
            return checked_host(host)
        except InputError as error:
            raise ValueError(error.message) from error


class Device(DeviceEntry):
    """A board with its name."""

    name: str


class _File(_Model):
    devices: dict[DeviceName, DeviceEntry] = {}


def registry_path() -> Path:
    """`devices.toml` in `$EDGEBIN_CONFIG_DIR`, or in the user's configuration folder."""
    folder = os.environ.get(CONFIG_VARIABLE)
    return (Path(folder) if folder else platformdirs.user_config_path("edgebin")).absolute() / _FILE_NAME


def load_devices(path: Path) -> dict[str, Device]:
    """The boards in a file by name, in its order; `meter` as seen from the current folder.

    Raises:
        InputError: the file cannot be read, is not TOML, or says something that is not understood.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = _File.model_validate(data).devices
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"`{path}` is not a text file in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"`{path}` is not valid TOML: {error}") from error
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise InputError(
            f"`{path}` is no usable list of boards: " + "; ".join(problems),
            hint='a board is `[devices.NAME]` with `host = "…"` and, if wanted, `target`, `power` and `meter`',
        ) from error
    return {
        name: Device(
            name=name, **entry.model_dump(exclude={"meter"}), meter=entry.meter and str(path.parent / entry.meter)
        )
        for name, entry in entries.items()
    }


def registered_devices() -> dict[str, Device]:
    """The boards of the user's registry; none if there is no registry yet.

    Raises:
        InputError: as `load_devices`.
    """
    path = registry_path()
    return load_devices(path) if path.exists() else {}


def find_device(name: str) -> Device:
    """A board of the registry.

    Raises:
        InputError: there is none of this name.
    """
    devices = registered_devices()
    if name not in devices:
        known = ", ".join(f"`{known}`" for known in devices) or "none yet"
        raise InputError(f"no device is called {name!r} (known: {known})", hint="`edgebin devices add NAME --host …`")
    return devices[name]


def add_device(name: str, host: str, target: str | None = None) -> Device:
    """Registers a board; it is not asked anything.

    Raises:
        InputError: the name is taken or no name, or the host is none.
    """
    devices = registered_devices()
    if name in devices:
        raise InputError(
            f"a device is called {name!r} already: {devices[name].host}", hint=f"`edgebin devices remove {name}` first"
        )
    if name == LOCAL or name.startswith(QEMU_PREFIX):
        raise InputError(f"{name!r} means something else already", hint="take another name")
    checked_host(host)
    try:
        device = _File.model_validate({"devices": {name: {"host": host, "target": target}}}).devices[name]
    except ValidationError as error:
        raise InputError(f"{name!r} cannot be the name of a device", hint=_NAME_RULE) from error
    _write({**devices, name: device})
    return find_device(name)


def remove_device(name: str) -> Device:
    """Forgets a board; nothing on it is touched.

    Raises:
        InputError: there is none of this name.
    """
    device = find_device(name)
    _write({other: entry for other, entry in registered_devices().items() if other != name})
    return device


def _write(devices: Mapping[str, DeviceEntry]) -> None:
    lines: list[str] = []
    for name, entry in devices.items():
        lines.append(f"[devices.{json.dumps(name)}]")
        for key, value in entry.model_dump(exclude_none=True, exclude={"name"}).items():
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
        lines.append("")
    path = registry_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".devices-") as scratch:
            partial = Path(scratch) / _FILE_NAME
            partial.write_text("\n".join(lines), encoding="utf-8")
            os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write `{path}`: {error.strerror}") from error
