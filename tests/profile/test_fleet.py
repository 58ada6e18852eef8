"""Many boards at once: each is one of its own, and what is wrong with one is nothing to the others."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgebin.board.transports.devices import load_devices
from edgebin.board.transports.local import LocalTransport
from edgebin.bundle import Bundle
from edgebin.errors import InputError
from edgebin.profile import Options, RunRecord
from edgebin.profile import fleet as fleet_module
from edgebin.profile.fleet import BoardResult, Fleet, profile_fleet
from tests.board.sshd import Sshd

Bundles = Callable[[str], Bundle]
QUICK: dict[str, Any] = {"min_runs": 5, "min_seconds": 0.0, "warmup_seconds": 0.0, "pin": False, "baselines": ()}


def boards(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_three_boards_one_of_which_is_away(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    """This host stands in for two boards; over SSH they would share a folder, whose lock is for one job."""
    file = boards(
        tmp_path / "boards.toml",
        '[devices.kitchen]\nhost = "board"\ntarget = "x86-64"\n'
        '[devices.cellar]\nhost = "nowhere"\n'
        '[devices.attic]\nhost = "local"\n',
    )
    told: list[tuple[str, str]] = []
    bundles = [tiny_bundle("x86-64").path, tiny_bundle("rpi4b").path]
    fleet, records = profile_fleet(
        bundles,
        load_devices(file),
        Options(energy="off", **QUICK),
        save=tmp_path / "fleet",
        say=lambda name, text: told.append((name, text)),
    )
    assert [(result.name, result.status == "failed") for result in fleet.boards] == [
        *(("kitchen", False), ("cellar", True), ("attic", False))
    ]
    assert fleet.exit_code == 5
    assert set(records) == {"kitchen", "attic"}
    for name, record in records.items():
        assert RunRecord.read(tmp_path / "fleet" / name) == record
        assert record.device.host == name
        assert record.bundles[0].sha256 == tiny_bundle("x86-64").sha256
    cellar = fleet.boards[1]
    assert cellar.run is None
    assert cellar.error is not None
    saved = json.loads((tmp_path / "fleet/fleet.json").read_text())
    assert [entry["run"] for entry in saved["boards"]] == ["kitchen", None, "attic"]
    assert {name for name, _ in told} == {"kitchen", "cellar", "attic"}


def test_a_board_without_a_bundle_says_what_to_compile(tiny_bundle: Bundles, tmp_path: Path) -> None:
    file = boards(tmp_path / "boards.toml", '[devices.attic]\nhost = "local"\ntarget = "pi5"\n')
    fleet, records = profile_fleet(
        [tiny_bundle("x86-64").path], load_devices(file), Options(**QUICK), save=tmp_path / "fleet"
    )
    (result,) = fleet.boards
    assert (result.status, result.exit_code, fleet.exit_code, records) == ("failed", 6, 6, {})
    assert result.hint == "compile one for it: `edgebin compile … -t rpi5`"


def test_what_the_list_says_of_power_holds_where_the_command_leaves_it_open(tmp_path: Path) -> None:
    file = boards(
        tmp_path / "boards.toml",
        '[devices.a]\nhost = "local"\npower = "rapl"\n[devices.b]\nhost = "local"\nmeter = "b.csv"\n'
        '[devices.c]\nhost = "local"\n',
    )
    devices = load_devices(file)
    asked = [fleet_module._options_for(device, Options()).energy for device in devices.values()]
    assert asked == ["rapl", f"csv:{tmp_path / 'b.csv'}", "auto"]
    assert fleet_module._options_for(devices["a"], Options(energy="off")).energy == "off"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((0, 0), 0), ((0, 7), 7), ((7, 5, 0), 5), ((5, 6, 7), 6), ((), 0)],
)
def test_the_exit_code_is_that_of_the_worst(codes: tuple[int, ...], expected: int) -> None:
    statuses = {0: "ok", 7: "invalid"}
    results = [BoardResult(str(c), "local", statuses.get(c, "failed"), c, None) for c in codes]  # type: ignore[arg-type]
    assert Fleet(tuple(results)).exit_code == expected


def test_unusable_fleets(tiny_bundle: Bundles, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no boards"):
        profile_fleet([tiny_bundle("x86-64").path], {}, Options(), save=tmp_path / "fleet")
    devices = load_devices(boards(tmp_path / "boards.toml", '[devices.a]\nhost = "local"\n'))
    with pytest.raises(InputError, match="exists already"):
        profile_fleet([tiny_bundle("x86-64").path], devices, Options(), save=tmp_path)


def test_ctrl_c_ends_all_boards(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    file = boards(tmp_path / "boards.toml", '[devices.kitchen]\nhost = "board"\n[devices.attic]\nhost = "local"\n')
    timing: set[str] = set()

    def interrupt(name: str, text: str) -> None:
        if text.startswith("timing"):
            timing.add(name)
            if len(timing) == 2:
                os.kill(os.getpid(), signal.SIGINT)

    options = Options(energy="off", **{**QUICK, "min_seconds": 60.0})
    # Whoever started the tests in the background has switched Ctrl-C off for them.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            profile_fleet(
                [tiny_bundle("x86-64").path], load_devices(file), options, save=tmp_path / "fleet", say=interrupt
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert list((board.board_folder / "jobs").iterdir()) == []
    assert list(Path(LocalTransport().folder, "jobs").iterdir()) == []
    assert not (tmp_path / "fleet").exists()
