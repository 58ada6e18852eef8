"""Hand-computed costs of blocks: the estimate is only as good as its accounting of slots and pipes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from edgebin.errors import MeasurementInvalid
from edgebin.profile.estimate.cores import CoreModel, core_model
from edgebin.profile.estimate.cycles import BlockCost, block_cost, estimate, resource_cycles, seconds, streamed
from edgebin.profile.estimate.dependencies import access_of, self_looping
from edgebin.profile.estimate.instructions import classify, disassemble
from edgebin.targets import load_target

EOR, CNT, UADALP = 0x6E221C20, 0x4E205800, 0x6E206803
SUBS_X1 = 0xF1000421
TRIPLE = (("eor", "v0.16b, v1.16b, v2.16b"), ("cnt", "v0.16b, v0.16b"), ("uadalp", "v3.8h, v0.16b"))
LOAD_Q = ("ldr", "q4, [x0, #16]")


def core(target: str) -> CoreModel:
    return core_model(load_target(target).core)


def busy(text: Sequence[tuple[str, str]], target: str) -> dict[str, float]:
    return resource_cycles([classify(mnemonic, operands) for mnemonic, operands in text], core(target))


def looped(words: Sequence[int]) -> tuple[int, ...]:
    """The block followed by `b.ne` to its own start."""
    offset = -len(words)
    return (*words, 0x54000001 | ((offset & 0x7FFFF) << 5))


def cost(words: Sequence[int], target: str) -> BlockCost:
    return block_cost(tuple(words), disassemble(words), core(target))


def test_binary_triple_on_a72_is_bound_by_slots_and_pipes_alike() -> None:
    # Three 128-bit results take 2 of 3 slots each: 2 cycles, 64 binary MAC per cycle (128 bits in 2 cycles).
    # CNT keeps both pipes for a cycle, EOR and UADALP one of two, UADALP always the second.
    resources = busy(TRIPLE, "rpi4b")
    assert resources["slots"] == pytest.approx(2.0)
    assert resources["vector"] == pytest.approx(0.5 + 1.0 + 0.5)
    assert resources["second_pipe"] == pytest.approx(1.0)


def test_binary_triple_on_a76_takes_both_pipes() -> None:
    # 1.5 cycles per 128 binary MAC: 85.3 per cycle.
    resources = busy(TRIPLE, "rpi5")
    assert resources["vector"] == pytest.approx(1.5)
    assert resources["slots"] == pytest.approx(3 / 4)


def test_binary_triple_on_a53_pays_two_cycles_for_uadalp() -> None:
    assert busy(TRIPLE, "rpi3b-plus")["vector"] == pytest.approx(1 + 1 + 2)


@pytest.mark.parametrize(("target", "macs_per_cycle"), [("rpi4b", 4.0), ("rpi5", 8.0), ("rpi3b-plus", 4.0)])
def test_fp32_peak(target: str, macs_per_cycle: float) -> None:
    # Source: cpufp on a Raspberry Pi 4, a Raspberry Pi 5 and an RK3399.
    block = [("fmla", f"v{i}.4s, v30.4s, v31.s[0]") for i in range(16)]
    assert 16 * 4 / busy(block, target)["vector"] == pytest.approx(macs_per_cycle)


def test_int8_peak_of_a76() -> None:
    # Source: cpufp on a Raspberry Pi 5, 32 MAC per cycle.
    block = [("sdot", f"v{i}.4s, v30.16b, v31.4b[0]") for i in range(16)]
    assert 16 * 16 / busy(block, "rpi5")["vector"] == pytest.approx(32.0)


@pytest.mark.parametrize(("target", "cycles"), [("rpi4b", 1.0), ("rpi5", 0.5), ("rpi3b-plus", 2.0)])
def test_128_bit_load(target: str, cycles: float) -> None:
    assert busy([LOAD_Q], target)["load"] == pytest.approx(cycles)


@pytest.mark.parametrize(("target", "cycles"), [("rpi4b", 1.0), ("rpi5", 0.5), ("rpi3b-plus", 1.0)])
def test_broadcasting_load_has_a_rate_of_its_own(target: str, cycles: float) -> None:
    assert busy([("ld1r", "{v4.8h}, [x0], #2")], target)["load"] == pytest.approx(cycles)


@pytest.mark.parametrize("load", [("ldp", "q0, q1, [x0], #32"), ("ld1", "{v0.16b, v1.16b}, [x0], #32")])
def test_loads_of_several_registers_cost_as_many_accesses(load: tuple[str, str]) -> None:
    four = ("ld1", "{v0.16b-v3.16b}, [x0], #64")
    for target, cycles in (("rpi4b", 2.0), ("rpi5", 1.0), ("rpi3b-plus", 4.0)):
        assert busy([load], target)["load"] == pytest.approx(cycles)
        assert busy([four], target)["load"] == pytest.approx(2 * cycles)


@pytest.mark.parametrize(("target", "one", "two"), [("rpi4b", 1 / 0.67, 1 / 0.33), ("rpi5", 0.5, 0.5)])
def test_table_of_two_registers_has_a_rate_of_its_own(target: str, one: float, two: float) -> None:
    assert busy([("tbl", "v0.16b, {v1.16b}, v3.16b")], target)["vector"] == pytest.approx(one)
    assert busy([("tbl", "v0.16b, {v1.16b, v2.16b}, v3.16b")], target)["vector"] == pytest.approx(two)


@pytest.mark.parametrize(("target", "insert", "accumulate"), [("rpi4b", 2.0, 1.0), ("rpi5", 1.0, 1.0)])
def test_shift_and_insert_is_dearer_than_shift_and_accumulate(target: str, insert: float, accumulate: float) -> None:
    assert busy([("sli", "v0.16b, v1.16b, #4")], target)["second_pipe"] == pytest.approx(insert)
    assert busy([("usra", "v0.8h, v1.8h, #4")], target)["second_pipe"] == pytest.approx(accumulate)


def test_loads_that_step_their_pointer_do_not_wait_for_each_other() -> None:
    load = 0x3CC10401  # ldr q1, [x0], #16
    words = looped((load,) * 4)
    assert cost(words, "rpi5") == BlockCost(4.0, "latency")  # one address a cycle, not one load's latency each
    assert cost(words, "rpi3b-plus").cycles == pytest.approx(8.0)


def test_a_dependent_chain_costs_its_latency() -> None:
    # fmla into the same register: 3 cycles each on the A72 although the pipe takes one per cycle.
    fmla = 0x4E22CC20  # fmla v0.4s, v1.4s, v2.4s
    assert cost(looped((fmla, SUBS_X1)), "rpi4b") == BlockCost(3.0, "latency")
    assert cost((fmla, SUBS_X1), "rpi4b").limit != "latency"


def test_in_order_core_waits_where_out_of_order_does_not() -> None:
    words = looped((EOR, CNT, UADALP, SUBS_X1))
    in_order = cost(words, "rpi3b-plus")
    assert in_order.limit == "in order"
    assert in_order.cycles > busy(TRIPLE, "rpi3b-plus")["vector"]
    assert cost(words, "rpi5").cycles == pytest.approx(1.5)


def test_only_a_branch_to_its_own_start_makes_a_loop() -> None:
    assert self_looping(looped((EOR, CNT)))
    assert not self_looping((EOR, *looped((EOR, CNT))))
    assert not self_looping((EOR, CNT))


def test_estimate_weighs_blocks_by_their_counts() -> None:
    words = looped((EOR, CNT, UADALP, SUBS_X1))
    result = estimate({words: 1000, (EOR,): 10}, disassemble((*words, EOR)), core("rpi5"))
    assert result.instructions == 1000 * 5 + 10
    assert result.cycles == pytest.approx(1000 * 1.5 + 10 * 0.5)
    assert sum(result.limits.values()) == pytest.approx(result.cycles)


def test_core_without_rates_gets_no_estimate() -> None:
    with pytest.raises(MeasurementInvalid) as caught:
        core_model(load_target("jetson-xavier-nx").core)
    assert caught.value.flags == ("no-rates",)


def test_weights_beyond_the_last_cache_are_streamed() -> None:
    target = load_target("rpi4b")
    assert target.memory.l2_bytes == 1 << 20
    assert streamed(1 << 20, target) == 0
    assert streamed((1 << 20) + 1, target) == (1 << 20) + 1
    memory = target.memory.model_copy(update={"copy_bandwidth_bytes_per_s": 1e9})
    slow = target.model_copy(update={"memory": memory, "freq_hz": 1_000_000_000})
    assert seconds(1e6, 0, slow) == pytest.approx(1e-3)
    assert seconds(1e6, 5_000_000, slow) == pytest.approx(5e-3)


@pytest.mark.parametrize(
    ("mnemonic", "operands", "reads", "writes"),
    [
        ("ldr", "q0, [x1], #16", {"x1"}, {"v0", "x1"}),
        ("ldp", "q0, q1, [x2, #32]", {"x2"}, {"v0", "v1"}),
        ("str", "q0, [x1, x2]", {"v0", "x1", "x2"}, set()),
        ("stp", "x29, x30, [sp, #-16]!", {"x29", "x30", "sp"}, {"sp"}),
        ("subs", "x1, x1, #1", {"x1"}, {"x1", "flags"}),
        ("cmp", "x1, x2", {"x1", "x2"}, {"flags"}),
        ("b.ne", "", {"flags"}, set()),
        ("csel", "x0, x1, x2, eq", {"x1", "x2", "flags"}, {"x0"}),
        ("fmadd", "s0, s1, s2, s3", {"v1", "v2", "v3"}, {"v0"}),
        ("ld1", "{v0.16b-v2.16b}, [x1]", {"x1"}, {"v0", "v1", "v2"}),
        ("ld1", "{v0.16b-v3.16b}, [x1], #64", {"x1"}, {"v0", "v1", "v2", "v3", "x1"}),
        ("ld1", "{v0.16b, v1.16b}, [x1], x2", {"x1", "x2"}, {"v0", "v1", "x1"}),
        ("ld1", "{v4.h}[3], [x3]", {"x3", "v4"}, {"v4"}),
        ("ld1", "{v4.d}[1], [x3], #8", {"x3", "v4"}, {"v4", "x3"}),
        ("ld1r", "{v4.8h}, [x3], #2", {"x3"}, {"v4", "x3"}),
        ("ldp", "q0, q1, [x2, #32]!", {"x2"}, {"v0", "v1", "x2"}),
        ("tbl", "v0.16b, {v1.16b, v2.16b}, v3.16b", {"v1", "v2", "v3"}, {"v0"}),
        ("udot", "v0.4s, v1.16b, v2.4b[1]", {"v1", "v2"}, {"v0"}),
        ("usra", "v0.8h, v1.8h, #4", {"v0", "v1"}, {"v0"}),
        ("bsl", "v0.16b, v1.16b, v2.16b", {"v0", "v1", "v2"}, {"v0"}),
    ],
)
def test_registers_read_and_written(mnemonic: str, operands: str, reads: set[str], writes: set[str]) -> None:
    access = access_of(classify(mnemonic, operands))
    assert (set(access.reads), set(access.writes)) == (reads, writes)


def test_rates_change_the_estimate() -> None:
    slower = replace(core("rpi5"), rates={**core("rpi5").rates, "cnt": 1.0})
    block = [classify(mnemonic, operands) for mnemonic, operands in TRIPLE]
    assert resource_cycles(block, slower)["vector"] > resource_cycles(block, core("rpi5"))["vector"]
