"""Tuning on the boards of a tracker: servers here for real, and TVM's aarch64 packages under QEMU, whose times mean
nothing: there it is the way to the choice that is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgebin.bundle import open_bundle
from edgebin.errors import TargetMismatch
from edgebin.kernels.shape import CallShape
from edgebin.profile.probe import tuner
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from tests.board.farm import Farm, needs_farm
from tests.road import edgebin, succeed

pytestmark = [needs_farm, pytest.mark.skipif(host_arch() != "x86_64", reason="serves x86-64 and compiles for it")]
CALLS = [CallShape("rows", "bits", (5, columns)) for columns in (40, 72, 104, 136)]


def test_calls_are_spread_over_the_devices_and_each_is_timed_on_one(farm: Farm) -> None:
    before = {log: log.read_text().count("start serving") for log in farm.folder.glob("x86-64-*.log")}
    found = tuner(farm.tracker("x86-64"), load_target("x86-64"))
    found.measure_all(CALLS, ("avx2", "scalar"))
    assert found.at_once == 2
    assert "tracker key x86-64 (2 devices, " in found.machine
    assert list(found.results) == CALLS
    for chosen, best_ns in found.results.values():
        assert set(best_ns) == {"avx2", "scalar"}
        assert chosen == min(best_ns, key=lambda path: best_ns[path])
    # One for the machine, one for each call.
    sessions = [log.read_text().count("start serving") - had for log, had in before.items()]
    assert sum(sessions) == 1 + len(CALLS)
    assert min(sessions) > 0


@pytest.mark.slow
def test_compile_tunes_on_a_tracker(farm: Farm, road: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "net.ebz"
    address = f"127.0.0.1:{farm.port}"
    words = ("-t", "x86-64", "--tune-tracker", address, "--key", "x86-64", "-o", bundle)
    shown = succeed("compile", road / "net.export", *words).stdout
    assert "by measurement on tracker key x86-64 (2 devices, " in shown
    manifest = open_bundle(bundle).manifest
    assert manifest.tuning is not None
    assert all(choice.best_ns[choice.variant] == min(choice.best_ns.values()) for choice in manifest.tuning.choices)
    chosen = {choice.variant for choice in manifest.tuning.choices}
    assert {operation.variant for operation in manifest.operations if operation.variant} == chosen


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--tune-tracker", "FARM", "--key", "nobody"), 5, "has no device of the key `nobody`"),
        (("--tune-tracker", "127.0.0.1:1"), 5, "no TVM RPC tracker at 127.0.0.1:1"),
        (("--tune-tracker", "farm"), 2, "`farm` is no address of a tracker"),
        (("--tune-tracker", "FARM", "--tune", "local"), 2, "exclude each other"),
        (("--key", "x86-64"), 2, "`--key` is of the boards of a tracker"),
        (("--tune-tracker", "FARM", "--backend", "tflite", "--lce-only"), 2, "has nothing to choose"),
    ],
)
def test_compile_refuses_to_tune_on_a_tracker(
    farm: Farm, road: Path, tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    given = [word.replace("FARM", f"127.0.0.1:{farm.port}") for word in words]
    result = edgebin("compile", road / "net.export", "-t", "x86-64", *given, "-o", tmp_path / "no.ebz")
    assert result.exit_code == code, result.stderr
    assert message in " ".join(result.stderr.split())
    assert "hint: " in result.stderr
    assert not list(tmp_path.iterdir())


def test_servers_of_another_architecture_are_a_mismatch(farm: Farm) -> None:
    with pytest.raises(TargetMismatch, match="cannot load what was built for the target"):
        tuner(farm.tracker("x86-64"), load_target("rpi4b"))


def test_a_board_without_the_targets_instructions_is_refused(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target("x86-64")
    stronger = target.model_copy(update={"features": (*target.features, "amx_of_tomorrow")})
    with pytest.raises(TargetMismatch, match="tracker key x86-64 is no x86-64: it lacks amx_of_tomorrow"):
        tuner(farm.tracker("x86-64"), stronger)
