"""The whole flow with a board's programs, emulated: what it does is right, what it takes means nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgebin.board.transports.qemu import QemuTransport
from edgebin.bundle import Bundle
from edgebin.errors import InputError
from edgebin.profile import Options, RunRecord, profile_bundles, profile_on
from edgebin.targets import load_target

Bundles = Callable[[str], Bundle]


def test_an_arm_bundle_goes_all_the_way(tiny_bundle: Bundles, tmp_path: Path) -> None:
    options = Options(
        baselines=(), energy="off", min_runs=3, min_seconds=0.0, warmup_seconds=0.0, pin=False, threads=(1, 2)
    )
    way = QemuTransport(load_target("rpi4b"))
    record = profile_on(way, [tiny_bundle("rpi4b")], options, host="qemu", save=tmp_path / "run")
    assert [(variant.name, variant.threads) for variant in record.variants] == [("binary", 1), ("binary", 2)]
    assert {layer.name for layer in record.layers} >= {"double"}
    assert not record.validity.ok
    assert "emulated" in record.validity.flags
    assert record.environment is not None
    assert record.environment.before["machine"] == "aarch64"
    assert RunRecord.read(tmp_path / "run") == record


def test_emulated_times_are_no_latency(tiny_bundle: Bundles, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="say nothing of a board"):
        profile_bundles([tiny_bundle("rpi4b").path], host="qemu:rpi4b", save=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
