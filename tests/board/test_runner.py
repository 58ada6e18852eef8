"""The runner itself: its files, its exit codes, its JSON. Natively, and under QEMU with the boards' processors."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebin.board import QemuMachine, machine_for
from edgebin.bundle import Bundle
from edgebin.targets import load_target
from edgebin.targets.host import host_arch
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.elf import elf_needs
from tests.toolchain.tiny_module import BATCH, tiny_inputs, tiny_outputs

Bundles = Callable[[str], Bundle]
HOST = "x86-64" if host_arch() == "x86_64" else "rpi4b"
GOLDEN = ("--golden", "golden/inputs.npz", "golden/outputs.npz")


def call(bundle: Bundle, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    folder = bundle.extracted()
    return subprocess.run(
        machine_for(bundle).command(folder, arguments),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def answer(bundle: Bundle, *arguments: str, **options: Any) -> dict[str, Any]:
    done = call(bundle, *arguments, **options)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture
def bundle(tiny_bundle: Bundles) -> Bundle:
    return tiny_bundle(HOST)


@pytest.mark.parametrize("target_id", ["x86-64", "rpi3b-plus", "rpi5"])
def test_starts_on_old_systems_and_large_pages(tiny_bundle: Bundles, target_id: str) -> None:
    needs = elf_needs(tiny_bundle(target_id).extracted() / "runner")
    assert needs.glibc <= (2, 27)
    assert needs.load_alignment >= 65536


@pytest.mark.parametrize("target_id", ["x86-64", "rpi3b-plus", "rpi4b", "rpi5", "jetson-nano", "jetson-xavier-nx"])
def test_golden_outputs(tiny_bundle: Bundles, target_id: str) -> None:
    golden = answer(tiny_bundle(target_id), *GOLDEN)["golden"]
    assert golden["passed"]
    assert golden["rows"] == 10
    logits, doubled = golden["outputs"]
    assert logits["max_abs_diff"] < 1e-5
    assert doubled["max_abs_diff"] == 0
    assert (logits["same_argmax"], logits["vectors"]) == (10, 10)


@pytest.mark.parametrize("rows", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_any_number_of_rows(bundle: Bundle, tmp_path: Path, rows: int) -> None:
    inputs = tiny_inputs(rows, seed=rows)
    np.savez(tmp_path / "in.npz", **inputs)
    assert answer(bundle, "--input", str(tmp_path / "in.npz"), "--output", str(tmp_path / "out.npz"))["rows"] == rows
    outputs = np.load(tmp_path / "out.npz")
    assert sorted(outputs.files) == ["doubled", "logits"]
    for name, expected in tiny_outputs(inputs).items():
        assert outputs[name].dtype == expected.dtype
        np.testing.assert_allclose(outputs[name], expected, atol=1e-5)


@pytest.mark.parametrize("where", [0, 9])
def test_golden_mismatch(bundle: Bundle, tmp_path: Path, where: int) -> None:
    inputs = tiny_inputs(10)
    outputs = tiny_outputs(inputs)
    outputs["logits"][where, 2] += 0.25
    np.savez(tmp_path / "in.npz", **inputs)
    np.savez(tmp_path / "out.npz", **outputs)
    golden = ("--golden", str(tmp_path / "in.npz"), str(tmp_path / "out.npz"))
    done = call(bundle, *golden)
    assert done.returncode == 3
    assert "`logits` differs" in done.stderr
    report = json.loads(done.stdout)["golden"]
    assert not report["passed"]
    assert report["outputs"][0]["max_abs_diff"] == pytest.approx(0.25, abs=1e-5)
    assert report["outputs"][1]["passed"]
    assert call(bundle, *golden, "--atol", "0.3").returncode == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_golden_value_that_is_not_finite(bundle: Bundle, tmp_path: Path, value: float) -> None:
    """NaN compares false with everything: a careless comparison would pass it."""
    inputs = tiny_inputs(4)
    outputs = tiny_outputs(inputs)
    outputs["logits"][1, 1] = value
    np.savez(tmp_path / "in.npz", **inputs)
    np.savez(tmp_path / "out.npz", **outputs)
    done = call(bundle, "--golden", str(tmp_path / "in.npz"), str(tmp_path / "out.npz"), "--rtol", "1e9")
    assert done.returncode == 3
    assert json.loads(done.stdout)["golden"]["outputs"][0]["max_abs_diff"] is None


def write_bad_input(folder: Path, kind: str) -> Path:
    path = folder / "in.npz"
    inputs = tiny_inputs(4)
    match kind:
        case "missing array":
            del inputs["counts"]
        case "wrong type":
            inputs["pixel_values"] = inputs["pixel_values"].astype(np.float64)
        case "unknown type":
            inputs["pixel_values"] = inputs["pixel_values"].astype(np.float16)
        case "wrong shape":
            inputs["pixel_values"] = np.zeros((4, 9), np.float32)
        case "too few axes":
            inputs["pixel_values"] = np.zeros(32, np.float32)
        case "no rows":
            inputs = tiny_inputs(0)
        case "rows differ":
            inputs["counts"] = inputs["counts"][:3]
        case "Fortran order":
            inputs["pixel_values"] = np.asfortranarray(inputs["pixel_values"])
    if kind == "compressed":
        np.savez_compressed(path, **inputs)
    elif kind == "single array":
        path = folder / "in.npy"
        np.save(path, inputs["pixel_values"])
    else:
        np.savez(path, **inputs)
    content = bytearray(path.read_bytes())
    match kind:
        case "truncated":
            path.write_bytes(content[:-30])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("hello\n" * 20)
        case "flipped bit":
            content[200] ^= 1
            path.write_bytes(content)
        case "missing":
            path.unlink()
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing array", "no array `counts`"),
        ("wrong type", "`pixel_values` is float64, the model has float32"),
        ("unknown type", "which the runner does not know"),
        ("wrong shape", "wrong shape"),
        ("too few axes", "wrong shape"),
        ("no rows", "wrong shape"),
        ("rows differ", "differ in their number of rows"),
        ("Fortran order", "Fortran order"),
        ("compressed", "numpy.savez, not savez_compressed"),
        ("single array", "no array `counts`"),
        ("truncated", "truncated"),
        ("empty", "truncated"),
        ("text", "neither .npy nor .npz"),
        ("flipped bit", "wrong checksum"),
        ("missing", "cannot read"),
    ],
)
def test_unusable_input(bundle: Bundle, tmp_path: Path, kind: str, message: str) -> None:
    path = write_bad_input(tmp_path, kind)
    done = call(bundle, "--input", str(path), "--output", str(tmp_path / "out.npz"))
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "out.npz").exists()


def test_damaged_archives_never_crash_it(bundle: Bundle, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", **tiny_inputs(1))
    content = (tmp_path / "in.npz").read_bytes()
    generator = np.random.default_rng(1)
    for _ in range(150):
        damaged = bytearray(content)
        for position in generator.integers(len(damaged) // 2, len(damaged), 3):
            damaged[position] = generator.integers(256)
        (tmp_path / "in.npz").write_bytes(damaged[: generator.integers(len(damaged) // 2, len(damaged) + 1)])
        assert call(bundle, "--input", str(tmp_path / "in.npz")).returncode in (0, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--output", "x.npz"),
        ("--golden", "golden/inputs.npz"),
        (*GOLDEN, "--threads", "0"),
        (*GOLDEN, "--threads", "two"),
        (*GOLDEN, "--pin", ""),
        (*GOLDEN, "--pin", "1023"),
        (*GOLDEN, "--bench", "--serve"),
        (*GOLDEN, "--colour"),
        (*GOLDEN, "extra"),
        (*GOLDEN, "--io", "module.so"),
    ],
)
def test_unusable_command_line(bundle: Bundle, arguments: tuple[str, ...]) -> None:
    done = call(bundle, *arguments)
    assert done.returncode == 2
    assert done.stderr
    assert done.stdout == ""


def test_broken_module_is_reported(bundle: Bundle) -> None:
    done = call(bundle, *GOLDEN, "--model", "golden/inputs.npz")
    assert done.returncode == 1
    assert "ModuleLoadFromFile" in done.stderr


def test_bench_keeps_both_minima(bundle: Bundle) -> None:
    many = answer(bundle, *GOLDEN, "--bench", "--min-runs", "7", "--min-seconds", "0", "--warmup-seconds", "0")
    assert len(many["samples_ns"]) == 7
    assert many["warmup_runs"] == 0
    long = answer(bundle, *GOLDEN, "--bench", "--min-runs", "1", "--min-seconds", "0.2", "--warmup-seconds", "0.1")
    assert 0.5 * 0.2e9 < sum(long["samples_ns"]) < 0.2e9 + max(long["samples_ns"])
    assert long["warmup_runs"] > 0
    assert long["first_ns"] > 0
    assert long["load_ns"] > 0
    assert long["peak_rss_bytes"] > 1e6


@pytest.mark.skipif(host_arch() != "x86_64", reason="the emulator has threads of its own")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_are_those_of_the_pool(bundle: Bundle, threads: int) -> None:
    """One kernel runs in parallel. With one thread nothing may be started besides the caller."""
    report = answer(bundle, *GOLDEN, "--threads", str(threads), env={**os.environ, "TVM_NUM_THREADS": "3"})
    assert report["process_threads"] == report["threads"] == threads


@pytest.mark.skipif(host_arch() != "x86_64", reason="reads the threads of the process itself")
def test_pinning_holds_for_all_threads(bundle: Bundle) -> None:
    folder = bundle.extracted()
    core = max(os.sched_getaffinity(0))
    command = machine_for(bundle).command(folder, [*GOLDEN, "--serve", "--threads", "3", "--pin", str(core)])
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["pinned_cores"] == [core]
        threads = [int(name) for name in os.listdir(f"/proc/{process.pid}/task")]
        assert len(threads) == 3
        assert all(os.sched_getaffinity(thread) == {core} for thread in threads)
        process.stdin.close()
        assert process.wait() == 0


def test_per_function_counts(bundle: Bundle) -> None:
    report = answer(bundle, *GOLDEN, "--per-op", "--min-runs", "6")
    functions = {function["name"]: function for function in report["functions"]}
    assert report["functions_runs"] == 6
    assert functions["double"]["calls"] == 6
    assert any("matmul" in name for name in functions)
    assert all(function["self_ns"] >= 0 for function in functions.values())


def test_serve_answers_each_request(bundle: Bundle) -> None:
    done = call(bundle, *GOLDEN, "--serve", input="run 3\nrun 1\n")
    ready, first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0
    assert ready["golden"]["passed"]
    assert [len(reply["samples_ns"]) for reply in (first, second)] == [3, 1]
    for reply in (first, second):
        assert sum(reply["samples_ns"]) <= reply["end_ns"] - reply["begin_ns"]
    assert first["end_ns"] <= second["begin_ns"]


def test_serve_refuses_other_requests(bundle: Bundle) -> None:
    assert call(bundle, *GOLDEN, "--serve", input="stop\n").returncode == 2


MARK_LISTENER = """
#include <inttypes.h>
#include <stdio.h>
typedef uint64_t plugin_id;
int qemu_plugin_version = 1;
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, uint64_t, uint64_t,
                                          uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
static void listen(plugin_id id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                   uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  if (number == 0x4542) fprintf(stderr, "mark %" PRIu64 "\\n", a1);
}
int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv) {
  qemu_plugin_register_vcpu_syscall_cb(id, listen);
  return 0;
}
"""


@pytest.mark.skipif(host_arch() != "x86_64", reason="the plugin is compiled for this host")
def test_marks_enclose_functions_and_inferences(tiny_bundle: Bundles, tmp_path: Path) -> None:
    """Seen as the instruction counter sees them: by a plugin of the emulator."""
    bundle = tiny_bundle("rpi4b")
    (tmp_path / "listen.c").write_text(MARK_LISTENER)
    flags = ["-shared", "-fPIC", "-Wl,--allow-shlib-undefined"]
    find_compiler(load_target("x86-64")).compile([tmp_path / "listen.c"], tmp_path / "listen.so", flags)
    machine = QemuMachine(bundle.manifest.target, plugin=str(tmp_path / "listen.so"))
    folder = bundle.extracted()
    done = machine.run(bundle, ["--mark", "--golden", *(str(folder / name) for name in GOLDEN[1:])])
    names = [function["name"] for function in json.loads(done.stdout)["functions"]]
    marks = [int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("mark ")]
    assert marks.count(0x10000) == marks.count(0x10001) == 3
    assert marks.count(names.index("double") + 1) == 3
    first = marks[: marks.index(0x10001) + 1]
    assert first[0] == 0x10000
    assert all(mark == 0 for mark in first[2:-1:2]), "each function ends before the next begins"


def test_without_the_option_nothing_is_marked(tiny_bundle: Bundles) -> None:
    bundle = tiny_bundle("rpi4b")
    command = machine_for(bundle).command(bundle.extracted(), GOLDEN)
    traced = [command[0], "-strace", *command[1:]]
    done = subprocess.run(traced, cwd=bundle.extracted(), capture_output=True, text=True, check=False)
    assert "exit_group" in done.stderr
    assert str(0x4542) not in done.stderr
