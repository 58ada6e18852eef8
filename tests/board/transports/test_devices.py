"""Names of boards: what the registry takes, and what it says of what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgebin.board.transports.devices import (
    add_device,
    find_device,
    load_devices,
    registered_devices,
    registry_path,
    remove_device,
)
from edgebin.board.transports.local import LocalTransport
from edgebin.board.transports.qemu import QemuTransport
from edgebin.board.transports.reach import reach
from edgebin.board.transports.ssh import SshTransport
from edgebin.errors import InputError


@pytest.fixture(autouse=True)
def _own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEBIN_CONFIG_DIR", str(tmp_path / "config"))


def test_devices_are_kept_in_order() -> None:
    assert registered_devices() == {}
    add_device("b", "pi@b")
    add_device("a.2-x_1", "ssh://pi@[::1]:2222", "rpi5")
    assert [(d.name, d.host, d.target) for d in registered_devices().values()] == [
        ("b", "pi@b", None),
        ("a.2-x_1", "ssh://pi@[::1]:2222", "rpi5"),
    ]
    assert remove_device("b").host == "pi@b"
    assert list(registered_devices()) == ["a.2-x_1"]
    assert [path.name for path in registry_path().parent.iterdir()] == ["devices.toml"]


@pytest.mark.parametrize(
    "name", ["", "a b", "-a", ".a", "a/b", "a\nb", "a\n", "$(x)", "é", "a]", '"', "x" * 65, "local", "qemu:rpi5"]
)
def test_what_cannot_be_a_name(name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be the name|means something else"):
        add_device(name, "pi@b")
    assert not registry_path().exists()


@pytest.mark.parametrize("host", ["", "-oProxyCommand=x", "a b", "a;b", "$(x)"])
def test_what_cannot_be_a_host(host: str) -> None:
    with pytest.raises(InputError, match="is no name of a machine"):
        add_device("a", host)
    assert not registry_path().exists()


def test_a_name_that_is_taken() -> None:
    add_device("a", "pi@b")
    with pytest.raises(InputError, match="'a' already: pi@b") as error:
        add_device("a", "pi@c")
    assert "devices remove a" in (error.value.hint or "")
    assert find_device("a").host == "pi@b"


def test_a_name_that_is_unknown() -> None:
    add_device("a", "pi@b")
    for call in (find_device, remove_device):
        with pytest.raises(InputError, match="no device is called 'b' \\(known: `a`\\)"):
            call("b")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("devices", "not valid TOML"),
        ("[devices.a]\n", "devices.a.host: Field required"),
        ('[devices.a]\nhost = "-x"\n', "is no name of a machine"),
        ('[devices.a]\nhost = "b"\npassword = "x"\n', "devices.a.password: Extra inputs"),
        ('[devices."a b"]\nhost = "b"\n', "devices.a b"),
        ('[device.a]\nhost = "b"\n', "device: Extra inputs"),
        ('[devices.a]\nhost = 7\n', "devices.a.host"),
        ('[devices.a]\nhost = "b"\nmeter = "a\\nb"\n', "devices.a.meter"),
        ('[devices.a]\nhost = "b"\npower = "x; reboot"\n', "devices.a.power"),
    ],
)  # fmt: skip
def test_a_list_that_is_not_understood(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "boards.toml").write_text(text)
    with pytest.raises(InputError) as error:
        load_devices(tmp_path / "boards.toml")
    assert problem in error.value.message


def test_a_list_for_a_fleet(tmp_path: Path) -> None:
    (tmp_path / "boards.toml").write_text(
        '[devices.kitchen]\nhost = "pi@10.0.0.7"\ntarget = "rpi4b"\npower = "hwmon:ina219:power1"\n'
        'meter = "logs/kitchen.csv"\n[devices.emulated]\nhost = "qemu:rpi5"\n'
    )
    kitchen, emulated = load_devices(tmp_path / "boards.toml").values()
    assert (kitchen.name, kitchen.target, kitchen.power) == ("kitchen", "rpi4b", "hwmon:ina219:power1")
    assert kitchen.meter == str(tmp_path / "logs" / "kitchen.csv")
    assert (emulated.host, emulated.meter) == ("qemu:rpi5", None)
    for missing in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(InputError, match="cannot read"):
            load_devices(missing)


def test_what_a_name_reaches() -> None:
    add_device("kitchen", "pi@10.0.0.7")
    add_device("here", "local")
    add_device("emulated", "qemu:rpi5")
    way = reach("kitchen")
    assert isinstance(way, SshTransport)
    assert (way.name, way.host) == ("kitchen", "pi@10.0.0.7")
    assert type(reach("here")) is type(reach("local")) is LocalTransport
    assert isinstance(reach("emulated"), QemuTransport)
    other = reach("pi@b")
    assert isinstance(other, SshTransport)
    assert (other.name, other.host) == ("pi@b", "pi@b")
