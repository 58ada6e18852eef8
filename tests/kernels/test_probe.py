"""Builds the probe for this host; tries every variant that the host can run, on every operation."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgebin.kernels.probe import probe_paths, probe_program
from edgebin.kernels.select import host_paths, with_tunings
from edgebin.kernels.variants import variants
from edgebin.resources import resource_dir
from edgebin.targets import load_target
from edgebin.targets.host import host_features
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.qemu import qemu_command

SIZES = {
    "b1_gemm": ("5", "70", "40"),
    "b1_gemm_ternary": ("5", "70", "40"),
    "f32_gemm": ("5", "7", "40"),
    "w1_gemm": ("5", "7", "40"),
    "w1i8_gemm": ("5", "70", "40"),
    "rows": ("5", "40"),
    "quantize": ("5", "40"),
    "layernorm": ("5", "40"),
    "rows_i32": ("5", "40"),
    "b1_conv": ("5", "4", "32", "64", "3", "2", "2"),
    "f32_stencil": ("5", "4", "40"),
    "b1_attention": ("2", "64", "5", "70", "3"),
    "b1_relative_attention": ("2", "64", "5", "70"),
    "b1_biased_attention": ("2", "64", "5", "70"),
}
NAMES = (resource_dir("kernels") / "probe" / "epilogues.inc").read_text()
OUTS = re.findall(r'^EB_EPILOGUE\("([^"]+)"', NAMES, re.MULTILINE)


@pytest.fixture(scope="module")
def probe() -> Path:
    target = load_target("x86-64" if platform.machine() == "x86_64" else "rpi4b")
    return probe_program(target, find_compiler(target))


def call(probe: Path, *arguments: str, lines: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(probe), *arguments], input=lines, capture_output=True, text=True, timeout=60)


def test_it_links_every_variant_of_the_architecture(probe: Path) -> None:
    listed = {(v["op"], v["variant"]) for v in json.loads(call(probe, "list").stdout)["variants"]}
    paths = probe_paths(platform.machine())
    assert listed == {(variant.op, variant.path) for variant in variants() if variant.path in paths}


@pytest.mark.parametrize("op", SIZES)
def test_every_variant_that_this_host_runs_is_exact(probe: Path, op: str) -> None:
    out = "int" if "attention" in op or op == "quantize" else "skip" if op == "f32_stencil" else "binaryvit"
    kernel = {"b1_gemm_ternary": "b1_gemm", "rows_i32": "rows"}.get(op, op)
    assert any(variant.op == kernel for variant in variants())
    for variant in variants():
        if variant.op == kernel and variant.path in with_tunings(host_paths()):
            report = json.loads(call(probe, "kernel", op, variant.path, out, "2", *SIZES[op]).stdout)
            assert report["exact"] is True
            assert len(report["ns"]) == 2


@pytest.mark.parametrize("out", [*OUTS, "scale,residual0,residual1/4:out:2"])
def test_epilogues(probe: Path, out: str) -> None:
    report = json.loads(call(probe, "kernel", "b1_gemm", host_paths()[0], out, "1", "5", "70", "40").stdout)
    assert report["exact"] is True
    assert (report["out"], report["dims"], report["bmac"]) == (out, [5, 70, 40], 5 * 70 * 40)


def test_paced_calls_wait_for_a_line_each(probe: Path) -> None:
    done = call(probe, "paced", "rows", "scalar", "f32", "3", "5", "40", lines="\n\n")
    assert [len(json.loads(line)["ns"]) for line in done.stdout.splitlines()] == [3, 3, 3]


def test_a_time_instead_of_a_count(probe: Path) -> None:
    report = json.loads(call(probe, "kernel", "rows", "scalar", "f32", "5ms", "5", "40").stdout)
    assert report["repeats"] == len(report["ns"]) >= 1
    assert sum(report["ns"][:-1]) < 5e6


def test_a_batch_answers_every_line_whatever_becomes_of_it(probe: Path) -> None:
    lines = "kernel rows scalar f32 1 5 40\nkernel rows sve f32 1 5 40\nmachine\n"
    done = call(probe, "batch", lines=lines)
    first, refused, machine = map(json.loads, done.stdout.splitlines())
    assert first["exact"] is True
    assert refused == {"failed": 2}
    assert machine["arch"] == platform.machine()
    assert set(host_features()) <= set(machine["features"].split())
    assert machine["emulated"] is False


def test_rates_and_bandwidth(probe: Path) -> None:
    rates = json.loads(call(probe, "rates").stdout)
    assert 5e8 < rates["freq_hz"] < 1e10
    for instruction in rates["instructions"]:
        assert 0.05 < instruction["per_cycle"] < 16, instruction
        assert instruction.get("latency", 1) > 0.5, instruction
    sizes = json.loads(call(probe, "bandwidth").stdout)["bandwidth"]
    assert [size["bytes"] for size in sizes] == sorted(size["bytes"] for size in sizes)
    assert all(size["copy_bytes_per_s"] > 1e7 for size in sizes)


@pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="no qemu-aarch64 on this machine")
@pytest.mark.parametrize("command", ["rates", "bandwidth"])
def test_emulated_figures_are_not_given(command: str) -> None:
    target = load_target("rpi5")
    program = probe_program(target, find_compiler(target))
    for argv in (qemu_command(target, [program, command]), ["qemu-aarch64", "-cpu", "max", program, command]):
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == {"emulated": True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "error: usage: probe list"),
        (("rates", "x"), "error: usage: probe rates"),
        (("batch", "x"), "error: usage: probe batch"),
        (("kernel", "rows", "scalar", "f32", "0ms", "4", "4"), "error: no size or count: `0ms`"),
        (("kernel", "b1_gemm"), "error: usage: probe kernel OP VARIANT OUT REPEATS DIM..."),
        (("kernel", "b2_gemm", "scalar", "f32", "1", "1"), "error: no such operation: `b2_gemm`"),
        (("kernel", "rows", "sve", "f32", "1", "1", "1"), "error: this program has no `rows` of `sve`"),
        (("kernel", "rows", "scalar", "f64", "1", "1", "1"), "error: no operand of an epilogue: `f64`"),
        (("kernel", "rows", "scalar", ":bits0", "1", "1", "1"), "error: no result of this epilogue: `bits0`"),
        (("kernel", "rows", "scalar", "scale", "1", "1", "1"), "error: an epilogue that stores nothing"),
        (("kernel", "rows", "scalar", "fc1", "1", "1", "6"), "error: 6 columns cannot be pooled like this"),
        (("kernel", "rows", "scalar", "f32", "1", "4"), "error: `rows` has 2 sizes, not 1"),
        (("kernel", "rows", "scalar", "f32", "1", "4", "x"), "error: no size or count: `x`"),
        (("kernel", "rows", "scalar", "f32", "1", "4", "0"), "error: a size of 0: `n`"),
    ],
)
def test_bad_arguments_get_one_clear_error(probe: Path, arguments: tuple[str, ...], message: str) -> None:
    done = call(probe, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(message)
