"""From counted blocks to figures: what a loop does, what a part of a kernel executes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.kernels.arm import figures
from benchmarks.kernels.shapes import Call, Part
from benchmarks.kernels.symbols import FunctionTable
from edgebin.profile.estimate.cores import core_model
from edgebin.profile.estimate.counting import Block
from edgebin.targets import load_target

EOR, CNT, UADALP, NOP = 0x6E221C20, 0x4E205800, 0x6E206803, 0xD503201F
SUBS_X1 = 0xF1000421
# Out of line: 2 of 8 CNT in `pack`, 6 in the loop of `agree` (two iterations).
LOOP = (EOR, CNT, UADALP, EOR, CNT, UADALP, EOR, CNT, UADALP, SUBS_X1, 0x54000001 | ((-10 & 0x7FFFF) << 5))
BLOCKS = {Block(0x1000, (CNT, NOP)): 2, Block(0x2000, LOOP): 2}


def core(*symbols: tuple[int, int, str]) -> Any:
    functions = FunctionTable.from_symbols([(0x1000, 8, "pack"), *symbols])
    return SimpleNamespace(model=core_model(load_target("rpi5").core), functions=functions)


WHOLE = core((0x2000, 44, "agree"))


def test_per_instruction_and_per_cycle() -> None:
    row = figures(Call("b1_gemm", (1, 64, 16), "f32"), BLOCKS, 1024, WHOLE)
    assert row["instructions"] == 2 * 2 + 2 * 11
    assert row["bmac_per_instruction"] == pytest.approx(1024 / 26)
    assert row["bmac_per_cycle_model"] == pytest.approx(1024 / (2 * 0.5 + 2 * 4.5), rel=0.01)
    assert row["share_of_limit"] == pytest.approx(row["bmac_per_cycle_model"] / 85.33, rel=1e-3)
    assert row["instruction_classes"]["cnt"] == 8
    assert row["functions"] == {"agree": 0.846, "pack": 0.154}


def test_inner_loop_has_its_share_of_the_work() -> None:
    loop = figures(Call("b1_gemm", (1, 64, 16), "f32"), BLOCKS, 1024, WHOLE)["inner_loop"]
    assert loop["function"] == "agree"
    assert loop["instructions"] == 11
    assert loop["bmac"] == pytest.approx(1024 * 3 / 8)  # 3 of 8 executed CNT in one of two iterations
    assert loop["bmac_per_cycle_model"] == pytest.approx(1024 * 3 / 8 / 4.5)


def test_a_part_counts_its_functions_only() -> None:
    call = Call("b1_attention", (2, 64, 4, 4, 1), "int", part=Part((4, 64, 4), ("agree",)))
    row = figures(call, BLOCKS, 999, WHOLE)
    assert row["instructions"] == 22
    assert row["bmac_per_instruction"] == pytest.approx(4 * 64 * 4 * 2 / 22)


def test_a_part_that_was_inlined_has_no_figures() -> None:
    call = Call("b1_attention", (2, 64, 4, 4, 1), "int", part=Part((4, 64, 4), ("agree", "pack")))
    row = figures(call, BLOCKS, 999, core((0x2000, 44, "eb_b1_attention__neon")))
    assert "bmac_per_instruction" not in row
    assert row["functions"] == {"eb_b1_attention__neon": 0.846, "pack": 0.154}


def test_elementwise_kernels_have_counts_and_cycles_but_no_products() -> None:
    row = figures(Call("rows", (1, 64), "bits"), BLOCKS, 0, WHOLE)
    assert row["instructions"] == 26
    assert row["cycles_model"] > 0
    assert (row["bmac_per_instruction"], row["limit_bmac_per_cycle"], row["inner_loop"]) == (None, None, None)
