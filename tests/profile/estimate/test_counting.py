"""A count that is off by one block, or lands in the wrong region, makes every estimate wrong without a sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgebin.errors import MeasurementInvalid, ToolchainError
from edgebin.profile.estimate.counting import INFERENCE, OUTSIDE, Counts, plugin_argument, read_counts
from edgebin.profile.estimate.dependencies import self_looping
from edgebin.profile.estimate.instructions import Kind, disassemble, kind_counts
from tests.profile.conftest import CountProgram, mark

BEGIN, END = 0x10000, 0x10001
# The marks themselves: what precedes the system call counts to the region before, nothing to the one after.
MARK = 4


def loop(label: str, times: int) -> str:
    """1 + times * 5 instructions."""
    return f"""
  mov x1, #{times}
{label}:
  eor v0.16b, v1.16b, v2.16b
  cnt v0.16b, v0.16b
  uadalp v3.8h, v0.16b
  subs x1, x1, #1
  b.ne {label}
"""


def kinds(counts: Counts, region: int) -> dict[Kind, int]:
    blocks = counts.block_counts([region])
    return dict(kind_counts(blocks, disassemble(word for words in blocks for word in words)))


def test_counts_are_exact(count_program: CountProgram) -> None:
    counts = count_program(mark(BEGIN) + loop("a", 1000) + mark(END))
    assert counts.inferences == 1
    assert counts.instructions(INFERENCE) == 1 + 1000 * 5 + MARK
    found = kinds(counts, INFERENCE)
    assert (found[Kind.LOGIC], found[Kind.CNT], found[Kind.UADALP]) == (1000, 1000, 1000)
    assert found[Kind.BRANCH] == 1000


def test_a_loop_across_the_edge_of_a_page_stays_whole(count_program: CountProgram) -> None:
    to_the_edge = "b near\n  .balign 4096\n  .zero 4096 - 12\nnear:\n"
    counts = count_program(mark(BEGIN) + to_the_edge + loop("a", 1000) + mark(END))
    blocks = counts.block_counts([INFERENCE])
    assert sum(len(words) * executions for words, executions in blocks.items()) == counts.instructions(INFERENCE)
    assert [executions for words, executions in blocks.items() if self_looping(words)] == [999]


def test_functions_inside_an_inference_are_told_apart(count_program: CountProgram) -> None:
    body = (
        mark(BEGIN) + loop("a", 10)  # the virtual machine's own work
        + mark(1) + loop("b", 20) + mark(2) + loop("c", 30) + mark(1) + loop("d", 5) + mark(0)  # 2 is nested in 1
        + loop("e", 7) + mark(END) + loop("f", 3)
    )  # fmt: skip
    counts = count_program(body)
    assert counts.instructions(INFERENCE) == (1 + 10 * 5 + MARK) + (1 + 7 * 5 + MARK)
    assert counts.instructions(1) == (1 + 20 * 5 + MARK) + (1 + 5 * 5 + MARK)
    assert counts.instructions(2) == 1 + 30 * 5 + MARK
    assert counts.instructions(OUTSIDE) == MARK + (1 + 3 * 5) + 3
    assert set(counts.inference_regions) == {INFERENCE, 1, 2}


def test_marks_outside_inferences_count_nothing(count_program: CountProgram) -> None:
    counts = count_program(mark(1) + loop("a", 10) + mark(0))
    assert counts.inferences == 0
    assert counts.inference_regions == ()


def test_first_inferences_can_be_left_out(count_program: CountProgram) -> None:
    body = mark(BEGIN) + mark(1) + loop("a", 100) + mark(0) + mark(END)
    body += mark(BEGIN) + mark(1) + loop("b", 10) + mark(0) + mark(END)
    counts = count_program(body, skip=1)
    assert counts.inferences == 1
    assert counts.instructions(1) == 1 + 10 * 5 + MARK


def test_cut_file_is_an_error(count_program: CountProgram, tmp_path: Path) -> None:
    count_program(mark(BEGIN) + loop("a", 10) + mark(END))
    whole = (tmp_path / "counts.bin").read_bytes()
    cut = tmp_path / "cut.bin"
    cut.write_bytes(whole[:-3])
    with pytest.raises(ToolchainError):
        read_counts(cut)
    with pytest.raises(ToolchainError):
        read_counts(tmp_path / "nothing.bin")


def test_several_threads_are_refused(count_program: CountProgram, tmp_path: Path) -> None:
    count_program(mark(BEGIN) + mark(END))
    data = bytearray((tmp_path / "counts.bin").read_bytes())
    data[8:12] = (2).to_bytes(4, "little")
    (tmp_path / "two.bin").write_bytes(data)
    with pytest.raises(MeasurementInvalid) as caught:
        read_counts(tmp_path / "two.bin")
    assert caught.value.flags == ("threads",)


def test_path_with_comma_is_refused() -> None:
    with pytest.raises(ToolchainError):
        plugin_argument(Path("a.so"), Path("b,c"))
