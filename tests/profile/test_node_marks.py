"""Nodes of another runtime are told apart exactly, and a library that runs them otherwise than before is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgebin.errors import ToolchainError
from edgebin.profile.baselines.programs import instruction_counter
from edgebin.profile.estimate.counting import INFERENCE, Counts, plugin_argument, read_counts
from edgebin.resources import resource_dir
from edgebin.targets import load_target
from edgebin.toolchain.compiler import find_compiler
from edgebin.toolchain.qemu import find_qemu, qemu_command

GUEST = """
#include "dispatch/dispatch.h"
void eb_marks_observer(void*, const char*, const eb_tensor*, size_t, int);
void eb_marks_begin(void);
size_t eb_marks_end(void), eb_marks_count(void);

static void spin(long times) {  /* two instructions each */
  __asm__ volatile("1: subs %0, %0, #1\\n b.ne 1b" : "+r"(times) : : "cc");
}
static void node(const char* name, long times) {
  eb_marks_observer(0, name, 0, 0, 0);
  spin(times);
  eb_marks_observer(0, name, 0, 0, 1);
}
static const char first[] = "first", second[] = "second";
static void infer(int swapped) {
  spin(50000);
  node(swapped ? second : first, 10000);
  spin(300000);
  node(swapped ? first : second, 20000);
  spin(70000);
}
int main(int argc, char** argv) {
  (void)argv;
  infer(0);
  infer(0);
  eb_marks_begin();
  infer(argc > 1);
  return eb_marks_end() == 2 && eb_marks_count() == 2 ? 0 : 1;
}
"""
# What the marks themselves, the calls of the observer and the loops' set-up take.
FEW = 100


def count(folder: Path, *arguments: str) -> Counts:
    try:
        find_qemu()
    except ToolchainError as error:
        pytest.skip(str(error))
    target, kernels = load_target("rpi4b"), resource_dir("kernels")
    (folder / "guest.c").write_text(GUEST)
    sources = [folder / "guest.c", kernels / "profiler" / "node_marks.c"]
    find_compiler(target).compile(sources, folder / "guest", ["-O2", f"-I{kernels}"])
    plugin = plugin_argument(instruction_counter(), folder / "counts.bin")
    subprocess.run(qemu_command(target, [folder / "guest", *arguments], plugin=plugin), check=True, capture_output=True)
    return read_counts(folder / "counts.bin")


def test_each_node_has_what_it_runs(tmp_path: Path) -> None:
    counts = count(tmp_path)
    for region, expected in {1: 20000, 2: 40000, 3: 100000, 4: 140000, INFERENCE: 600000}.items():
        assert expected <= counts.instructions(region) <= expected + FEW
    assert counts.inferences == 1


def test_another_order_of_nodes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        count(tmp_path, "swapped")
    assert b"another order" in caught.value.stderr
