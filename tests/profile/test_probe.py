"""What is made of a machine's answers, here, emulated and made up; figures come from real machines only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, ClassVar

import pytest

from edgebin.board.transports.local import LocalTransport
from edgebin.board.transports.qemu import QemuTransport
from edgebin.board.transports.transport import Finished
from edgebin.errors import BoardError, InputError, TargetMismatch, VerificationError
from edgebin.kernels.shape import CallShape
from edgebin.kernels.variants import variants
from edgebin.profile import probe
from edgebin.profile.probe import probe_machine, tuned_target, tuner
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from edgebin.targets.save import write_target

SMALL = (
    CallShape("b1_gemm", "f32+residual", (5, 70, 40)),
    CallShape("rows", "bits", (5, 40)),
    CallShape("b1_attention", "int", (2, 64, 5, 70, 1)),
)
needs_x86 = pytest.mark.skipif(host_arch() != "x86_64", reason="probes this host as an x86-64 machine")
needs_qemu = pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="no qemu-aarch64 on this machine")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SHAPES", SMALL)
    monkeypatch.setattr(probe, "_TIME", "1ms")


class Unsaid(QemuTransport):
    """An emulated machine whose way does not know it."""

    emulated = False


@dataclass
class MadeUp:
    """A Raspberry Pi 4 that answers as it is told; `kernel` answers each kernel command."""

    kernel: dict[str, object]
    part: str = "0xd08"
    emulated_there: bool = False
    name: str = "pi"
    emulated: bool = False
    folder: ClassVar[PurePosixPath] = PurePosixPath("/cache")

    def run(self, command: Sequence[str], *, stdin: bytes | IO[bytes] = b"") -> Finished:
        if not isinstance(stdin, bytes) or command[-1] != "batch":  # files come
            return Finished(0, b"", "")
        assert command[0].startswith("/cache/probe-")
        lines = stdin.decode().splitlines()
        rates = {
            "emulated": False,
            "freq_hz": 1.5e9,
            "instructions": [{"name": "eor", "per_cycle": 1.499, "latency": 3}],
        }
        memory = [{"bytes": 1, "read_bytes_per_s": 3.0, "write_bytes_per_s": 2.0, "copy_bytes_per_s": 1.0}]
        machine = {
            "arch": "aarch64", "emulated": self.emulated_there, "host": "raspberry", "cores": 4,
            "features": "fp asimd crc32", "model": "", "implementer": "0x41", "part": self.part,
        }  # fmt: skip
        answers = {"machine": machine, "rates": rates, "bandwidth": {"emulated": False, "bandwidth": memory}}
        said = "".join(json.dumps(answers.get(line.split()[0], self.kernel)) + "\n" for line in lines)
        return Finished(0, said.encode(), "")


@needs_x86
def test_this_host(tmp_path: Path) -> None:
    target = load_target("x86-64")
    report = probe_machine(LocalTransport(), target)
    assert not report.emulated
    assert 5e8 < (report.freq_hz or 0) < 1e10
    tried = {(result.call.op, result.variant) for result in report.kernels}
    assert tried == {
        (call.op, variant.path)
        for call in SMALL
        for variant in variants()
        if variant.op == call.op and variant.path in ("avx512", "avx2", "scalar")
    }
    assert all(result.exact for result in report.kernels if result.variant in ("scalar", target.kernel_paths[-1]))
    assert False not in {result.exact for result in report.kernels}
    tuned = tuned_target(report, target)
    write_target(tuned, tmp_path / "tuned.toml")
    read = load_target(str(tmp_path / "tuned.toml"))
    assert read == tuned
    assert read.id == "x86-64-tuned"
    assert read.core.rates_evidence.kind == "measured"
    assert report.date in read.core.rates_evidence.source


@needs_x86
def test_the_tuner_takes_what_this_host_does_fastest() -> None:
    found = tuner(LocalTransport(), load_target("x86-64"))
    chosen = found.choose_for(("avx2", "scalar"))(SMALL[0])
    name, best_ns = found.results[SMALL[0]]
    assert chosen.path == name == min(best_ns, key=lambda path: best_ns[path])
    assert set(best_ns) == {"avx2", "scalar"}


@needs_qemu
def test_an_emulated_board_shows_that_kernels_are_exact_and_no_figure() -> None:
    target = load_target("rpi5")
    report = probe_machine(QemuTransport(target), target)
    assert report.emulated
    assert (report.freq_hz, report.instructions, report.bandwidth) == (None, (), ())
    assert {result.variant for result in report.kernels} >= {"neondot", "neon", "scalar"}
    assert all(result.exact for result in report.kernels)
    assert {(result.best_ns, result.macs_per_cycle) for result in report.kernels} == {(None, None)}
    with pytest.raises(InputError, match="no figures to save"):
        tuned_target(report, target)


@needs_qemu
def test_an_instruction_that_the_board_lacks_is_no_failure_of_the_others() -> None:
    target = load_target("rpi4b")
    report = probe_machine(QemuTransport(target), target)
    exact = {(result.variant, result.exact) for result in report.kernels if result.call.op == "b1_gemm"}
    assert {("neondot", None), ("neon", True), ("scalar", True)} <= exact


@needs_qemu
def test_the_program_knows_that_it_is_emulated() -> None:
    """Also where nobody says so: a machine reached over SSH may be an emulated one."""
    target = load_target("rpi5")
    here = Unsaid(target)
    assert probe_machine(here, target).emulated
    with pytest.raises(TargetMismatch, match="is an emulator"):
        tuner(here, target)


def test_tuning_under_an_emulator_is_refused() -> None:
    target = load_target("rpi4b")
    with pytest.raises(TargetMismatch, match="is an emulator, whose times say nothing") as error:
        tuner(QemuTransport(target), target)
    assert "--tune HOST" in (error.value.hint or "")
    with pytest.raises(TargetMismatch, match="is an emulator"):
        tuner(MadeUp({}, emulated_there=True), target)


@needs_x86
def test_this_host_is_no_arm_board() -> None:
    for call in (tuner, probe_machine):
        with pytest.raises(TargetMismatch, match="this host is x86_64, rpi4b is aarch64"):
            call(LocalTransport(), load_target("rpi4b"))


def test_what_a_board_measured_becomes_its_target() -> None:
    target = load_target("rpi4b")
    place = MadeUp({"ns": [300, 200], "bmac": 600, "exact": True})
    report = probe_machine(place, target)
    assert report.kernels[0].best_ns == 200
    assert report.kernels[0].macs_per_cycle == pytest.approx(600 / (200e-9 * 1.5e9))
    tuned = tuned_target(report, target)
    assert tuned.core.rates is not None
    assert tuned.core.rates.model_dump(exclude_none=True) == {"eor": 1.5}
    assert tuned.core.issue == target.core.issue
    assert tuned.memory.copy_bandwidth_bytes_per_s == 1.0
    assert tuned.freq_hz == 1_500_000_000
    assert "on raspberry (Arm Cortex-A72)" in tuned.memory.copy_bandwidth_source


def test_another_board_than_was_named() -> None:
    place = MadeUp({"ns": [1], "bmac": 1, "exact": True}, part="0xd03")
    for call in (probe_machine, tuner):
        with pytest.raises(TargetMismatch, match="pi has a processor of implementer 0x41, part 0xd03; rpi4b has Arm"):
            call(place, load_target("rpi4b"))
    with pytest.raises(TargetMismatch, match=r"pi is no rpi5: it lacks .*asimddp"):
        tuner(place, load_target("rpi5"))


def test_a_kernel_that_is_not_exact_is_never_chosen() -> None:
    found = tuner(MadeUp({"ns": [1], "bmac": 1, "exact": False}), load_target("rpi4b"))
    with pytest.raises(VerificationError, match="the kernel `neon` is not exact on pi"):
        found.choose_for(("neon", "scalar"))(SMALL[0])


def test_answers_that_make_no_sense() -> None:
    class Mute(MadeUp):
        def run(self, command: Sequence[str], *, stdin: bytes | IO[bytes] = b"") -> Finished:
            return Finished(0, b"hello\n", "")

    with pytest.raises(BoardError, match="makes no sense"):
        probe_machine(Mute({}), load_target("rpi4b"))
    with pytest.raises(BoardError, match="died \\(-11\\)"):
        probe_machine(MadeUp({"failed": -11}), load_target("rpi4b"))
