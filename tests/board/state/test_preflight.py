"""Bundles held against machines: what is found, and what is said to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from edgebin.board.state.inspect import Board
from edgebin.board.state.preflight import FINDINGS, Finding, preflight, require
from edgebin.board.state.recognise import fitting_targets, recognise
from edgebin.bundle import Manifest, ModelInfo, TensorSpec, Tolerance
from edgebin.bundle.manifest import FileEntry
from edgebin.errors import InputError, TargetMismatch, ToolchainError
from edgebin.targets import Target, load_target
from edgebin.targets.host import host_arch
from edgebin.toolchain.elf import elf_needs, parse_glibc
from edgebin.toolchain.runtime import OLDEST_GLIBC, runtime_libraries
from tests.board.boards import board, cores

A76 = ["fp", "asimd", "aes", "pmull", "sha1", "sha2", "crc32", "atomics", "fphp", "asimdhp", "asimdrdm", "lrcpc"]


def manifest(target: str = "rpi4b", **changes: Any) -> Manifest:
    """A bundle of 30 MB, of which the model is 20."""
    found = load_target(target)
    sizes = {"module.so": 20_000_000, "lib/libtvm_runtime.so": 9_000_000, "runner": 1_000_000}
    given: dict[str, Any] = {
        "edgebin": "0",
        "backend": "tvm",
        "runtimes": {"TVM": "0.27"},
        "target": found,
        "features": found.features,
        "glibc": "2.27",
        "kernel_path": "neon",
        "model": ModelInfo(id="tiny", source_sha256="0" * 64),
        "batch": 1,
        "inputs": (TensorSpec(name="pixel_values", dtype="float32", shape=(1, 8)),),
        "outputs": (TensorSpec(name="logits", dtype="float32", shape=(1, 5)),),
        "tolerance": Tolerance(atol=1e-5, rtol=1e-5),
        "files": {name: FileEntry(size=size, sha256="0" * 64) for name, size in sizes.items()},
    }
    return Manifest(**(given | changes))


def found(machine: Board, bundle: Manifest | Target | None = None) -> dict[str, Finding]:
    return {finding.id: finding for finding in preflight(machine, bundle)}


def test_nothing_is_the_matter_with_a_board_at_rest() -> None:
    assert preflight(board(), manifest()) == []
    assert preflight(board()) == []
    require(preflight(board(), manifest()), name="the Pi")


@pytest.mark.parametrize(
    ("changes", "bundle", "id_", "message", "hint"),
    [
        ({}, {"target": "x86-64"}, "architecture", "is for x86-64 (x86_64), this machine is aarch64", "-t rpi4b"),
        ({"machine": "armv7l"}, {}, "architecture", "this machine is armv7l", "aarch64 and x86_64 only"),
        ({"userland_bits": 32, "glibc": None}, {}, "userland", "programs there are 32-bit", "64-bit system"),
        ({"glibc": "2.24"}, {}, "glibc", "glibc 2.27 is needed, there is glibc 2.24", "install a newer system"),
        ({"glibc": None}, {}, "glibc", "there is another C library", "install a newer system"),
        ({"glibc": "2.27"}, {"glibc": "2.28", "backend": "ort"}, "glibc", "glibc 2.28 is needed", "--backend tvm"),
        ({"glibc": "2.31"}, {"glibc": "2.34"}, "glibc", "glibc 2.34 is needed", "--compiler zig"),
        ({}, {"target": "rpi5"}, "features", "which has aes, asimddp", "-t rpi4b"),
        (
            {"memory_available_bytes": 48_000_000},
            {},
            "memory",
            "48 MB of memory are free, 49 MB are needed at least",
            "end other",
        ),
        (
            {"disk_free_bytes": 29_000_000},
            {},
            "disk",
            "29 MB of disk space are free, the bundle takes 30 MB",
            "devices",
        ),
        ({"page_bytes": 1 << 17}, {}, "page_size", "pages are 131072 bytes", "compile it again"),
    ],
)
def test_what_makes_a_bundle_impossible(
    changes: dict[str, Any], bundle: dict[str, Any], id_: str, message: str, hint: str
) -> None:
    if bundle.get("target") == "x86-64" and host_arch() != "x86_64":
        pytest.skip("this host is no x86-64")
    findings = preflight(board(**changes), manifest(**bundle))
    finding = findings[0]
    assert (finding.id, finding.severity) == (id_, "error")
    assert message in finding.message
    assert hint in finding.hint
    with pytest.raises(TargetMismatch, match="the Pi cannot run it") as caught:
        require(findings, name="the Pi")
    assert caught.value.exit_code == 6
    assert caught.value.hint == finding.hint


@pytest.mark.parametrize(
    ("changes", "id_", "message", "hint"),
    [
        (
            {"throttled": {"source": "firmware", "bits": 0x50005}},
            "throttled",
            "under-voltage, throttled",
            "power supply",
        ),
        ({"cpus": cores(0xD08, governor="ondemand")}, "governor", "the governor is `ondemand`", "--tune"),
        ({"busy_processors": 2.0}, "busy", "2.0 of 4 processors", "stop"),
        ({"left_tuning": ["a", "b"]}, "left_tuning", "left settings behind: a, b", "restore"),
    ],
)
def test_what_is_only_worth_a_warning(changes: dict[str, Any], id_: str, message: str, hint: str) -> None:
    for findings in (preflight(board(**changes), manifest()), preflight(board(**changes))):
        (finding,) = findings
        assert (finding.id, finding.severity) == (id_, "warning")
        assert message in finding.message
        assert hint in finding.hint
        require(findings, name="the Pi")


def test_just_below_busy_and_long_ago_throttled_are_no_findings() -> None:
    assert preflight(board(busy_processors=1.99, throttled={"source": "firmware", "bits": 0xF0000})) == []


def test_a_target_is_held_against_a_machine_as_a_bundle_is() -> None:
    assert preflight(board(), load_target("rpi4b")) == []
    assert set(found(board(), load_target("rpi5"))) == {"features"}
    assert set(found(board(), load_target("rpi-zero2w"))) == {"other_board"}
    assert set(found(board(glibc="2.17"), load_target("rpi4b"))) == {"glibc"}


def test_a_sensor_that_cannot_be_read_brings_its_own_remedy() -> None:
    source = {
        "source": "ina3221",
        "readable": False,
        "problem": "Permission denied: `sudo chmod a+r …`",
        "boundary": "the module",
        "trust": "B",
        "reading": "power",
        "settings": {},
        "channels": [],
    }
    assert found(board(power_sources=[source]))["sensor"].hint == "Permission denied: `sudo chmod a+r …`"
    assert found(board(power_sources=[source | {"readable": True, "problem": None}])) == {}


def test_tuning_is_not_promised_where_it_cannot_work() -> None:
    nothing = {"governor_writable": False, "sudo": False, "nvpmodel": False, "jetson_clocks": False}
    finding = found(board(cpus=cores(0xD08, governor="ondemand"), tuning=nothing))["governor"]
    assert "without a password" in finding.hint


def test_errors_come_first() -> None:
    findings = preflight(board(glibc="2.17", busy_processors=3.0), manifest())
    assert [finding.severity for finding in findings] == ["error", "warning"]


def test_a_bundle_for_another_board_with_the_same_instructions_is_not_refused() -> None:
    findings = found(board(), manifest("rpi3b-plus"))
    assert set(findings) == {"other_board"}
    assert "-t rpi4b" in findings["other_board"].hint


def test_all_that_is_found_is_in_the_table() -> None:
    """`preflight` looks everything up there; here: that the severities are those of the documentation."""
    errors = {id_ for id_, (severity, _, _) in FINDINGS.items() if severity == "error"}
    assert errors == {"architecture", "userland", "glibc", "features", "page_size", "memory", "disk"}


@pytest.mark.parametrize(
    ("model", "part", "implementer", "expected"),
    [
        ("Raspberry Pi 3 Model B Plus Rev 1.3", 0xD03, 0x41, "rpi3b-plus"),
        ("Raspberry Pi 3 Model B Rev 1.2", 0xD03, 0x41, None),
        ("Raspberry Pi Zero 2 W Rev 1.0", 0xD03, 0x41, "rpi-zero2w"),
        ("Raspberry Pi 4 Model B Rev 1.4", 0xD08, 0x41, "rpi4b"),
        ("Raspberry Pi Compute Module 4 Rev 1.1", 0xD08, 0x41, "rpi4b"),
        ("Raspberry Pi 5 Model B Rev 1.0", 0xD0B, 0x41, "rpi5"),
        ("NVIDIA Jetson Nano Developer Kit", 0xD07, 0x41, "jetson-nano"),
        ("NVIDIA Jetson Xavier NX Developer Kit", 0x004, 0x4E, "jetson-xavier-nx"),
        ("NVIDIA Orin Nano Developer Kit", 0xD42, 0x41, "jetson-orin-nano"),
        ("NVIDIA Jetson AGX Orin Developer Kit", 0xD42, 0x41, None),
        ("Raspberry Pi 4 Model B Rev 1.4", 0xD0B, 0x41, None),  # a name alone proves nothing
        (None, 0xD08, 0x41, None),
    ],
)
def test_boards_are_recognised_by_name_and_core(
    model: str | None, part: int, implementer: int, expected: str | None
) -> None:
    assert recognise(board(model=model, cpus=cores(part, implementer))) == expected


def test_a_tx2_is_recognised_by_its_slower_cores() -> None:
    mixed = [cores(0xD07)[0], *(core | {"cpu": 1} for core in cores(0x003, 0x4E)[:1])]
    assert recognise(board(model="NVIDIA Jetson TX2 Developer Kit", cpus=mixed)) == "jetson-tx2"


def test_unknown_boards_get_the_targets_with_their_cores() -> None:
    unknown = board(model="Radxa ROCK", cpus=cores(0xD08))
    assert fitting_targets(unknown) == ("rpi4b",)
    strange = board(model="Ampere", cpus=cores(0xFFF))
    assert set(fitting_targets(strange)) == {"rpi-zero2w", "rpi3b-plus", "rpi4b"}, "whose instructions it has"
    assert fitting_targets(board(machine="armv7l")) == ()


def test_the_oldest_glibc_is_what_tvms_runtime_needs() -> None:
    try:
        libraries = runtime_libraries(load_target("rpi4b"))
        needs = [elf_needs(path).glibc for path in libraries.paths]
    except (ToolchainError, InputError) as error:
        pytest.skip(str(error))
    assert max(needs) == parse_glibc(OLDEST_GLIBC)
