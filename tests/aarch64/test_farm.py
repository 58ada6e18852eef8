"""Tuning on a farm of TVM's published aarch64 packages, each server under QEMU on a board's processor.

Times there mean nothing, and are refused as such: what is looked at, with that refusal lifted, is the way to a choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgebin.bundle import open_bundle
from edgebin.errors import TargetMismatch, ToolchainError
from edgebin.profile import probe
from edgebin.profile.probe import tuner
from edgebin.targets import load_target
from edgebin.toolchain.userland import Userland
from tests.aarch64.tvm_packages import tvm_site
from tests.board.farm import Farm, needs_farm
from tests.road import edgebin, succeed

pytestmark = [pytest.mark.slow, needs_farm]


@pytest.fixture(scope="module")
def emulated(arm64: Userland, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Two Raspberry Pi 4, and one that is said to be a Raspberry Pi 5 and is none."""
    try:
        site = tvm_site()
    except ToolchainError as error:
        pytest.skip(f"no aarch64 packages of TVM: {error}")
    with Farm(tmp_path_factory.mktemp("farm")) as farm:
        farm.serve_emulated("rpi4b", site, "rpi4b", "rpi4b", "rpi5")
        yield farm


def test_times_of_emulated_boards_are_refused(emulated: Farm) -> None:
    with pytest.raises(TargetMismatch, match="tracker key rpi4b is an emulator, whose times say nothing"):
        tuner(emulated.tracker("rpi4b"), load_target("rpi4b"))


def test_each_variant_is_timed_and_the_quickest_is_in_the_bundle(
    emulated: Farm, road: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_refuse_emulator", lambda *_: None)
    monkeypatch.setattr(probe, "_TIME", "1ms")
    bundle = tmp_path / "net.ebz"
    words = ("-t", "rpi4b", "--tune-tracker", f"127.0.0.1:{emulated.port}", "-o", bundle)
    shown = succeed("compile", road / "net.export", *words).stdout
    assert "golden images on QEMU (cortex-a72)" in shown
    manifest = open_bundle(bundle).manifest
    assert manifest.tuning is not None
    assert manifest.tuning.machine == "tracker key rpi4b (2 devices, Arm Cortex-A72)"
    for choice in manifest.tuning.choices:
        assert choice.best_ns[choice.variant] == min(choice.best_ns.values()), choice
    tried = {variant for choice in manifest.tuning.choices for variant in choice.best_ns}
    assert tried == {"neon", "neon_inorder", "neon_tbl", "scalar"}
    asked = {(choice.op, choice.dims, choice.epilogue) for choice in manifest.tuning.choices}
    assert len(asked) == len(manifest.tuning.choices)
    served = [log.read_text().count("load_module") for log in emulated.folder.glob("rpi4b-*.log")]
    assert sum(served) >= len(asked)
    assert min(served) > 1, "one device did it all"


def test_a_board_under_a_wrong_key_is_found_out(emulated: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_refuse_emulator", lambda *_: None)
    with pytest.raises(TargetMismatch, match=r"tracker key rpi5 is no rpi5: it lacks .*asimddp"):
        tuner(emulated.tracker("rpi5"), load_target("rpi5"))


def test_compile_for_another_architecture_ends_with_the_documented_code(
    emulated: Farm, road: Path, tmp_path: Path
) -> None:
    words = ("-t", "x86-64", "--tune-tracker", f"127.0.0.1:{emulated.port}", "--key", "rpi4b")
    result = edgebin("compile", road / "net.export", *words, "-o", tmp_path / "no.ebz")
    assert result.exit_code == TargetMismatch.exit_code
    assert "cannot load what was built for the target" in " ".join(result.stderr.split())
    assert not list(tmp_path.iterdir())
