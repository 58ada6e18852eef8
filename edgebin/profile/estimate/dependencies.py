"""Which registers an AArch64 instruction reads and writes, and how long a loop must wait for its own results."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgebin.profile.estimate.instructions import LOADS, STORES, Instruction, Kind

_REGISTER = re.compile(r"\b([vqdshbxw])(\d+)\b|\b(sp|wsp)\b")
_ACCUMULATES = re.compile(
    r"fml[as]l?2?$|ml[as]$|[us]ml[as]l2?$|[us]adalp$|[us]*dot$|[us]*mmla$|bsl$|bit$|bif$|sri$|sli$|[us]r?sra$"
    r"|tbx$|movk$|ins$|[us]aba?l?2?$|sqrdml[as]h$|(xtn|[us]qxtu?n|r?shrn|u?q?r?shru?n|fcvtn|addhn)2$"
)
_FORWARDING = frozenset({Kind.FMA, Kind.UADALP, Kind.DOT, Kind.MULTIPLY})
_WRITES_FLAGS_ONLY = re.compile(r"(cmp|cmn|tst|fcmpe?|ccmp|ccmn|fccmpe?)$")
_WRITES_FLAGS = re.compile(r"(adds|subs|ands|bics|adcs|sbcs|negs)$")
_READS_FLAGS = re.compile(r"(b\..+|cs\w+|cinc|cinv|cneg|fcsel|ccm\w|fccmpe?|adcs?|sbcs?|ngcs?)$")
_LOOP_ITERATIONS = 12
# After an access with write-back the new address is there long before the data. Source: LLVM AArch64SchedA57.td and
# AArch64SchedNeoverseN1.td (WriteAdr).
_ADDRESS_LATENCY = 1.0


@dataclass(frozen=True)
class Access:
    """Registers by name (`v3`, `x0`, `sp`, `flags`).

    `accumulator`: the destination that is read as well, if any. `base`: the address register that is written back.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    accumulator: str | None
    base: str | None = None


def access_of(instruction: Instruction) -> Access:
    """The registers an instruction reads and writes."""
    if instruction.kind in LOADS | STORES:
        return _memory_access(instruction)
    names = _names(instruction.operands)
    reads, writes = list(names[1:]), list(names[:1])
    accumulator = None
    if instruction.kind is Kind.BRANCH or _WRITES_FLAGS_ONLY.match(instruction.mnemonic):
        reads, writes = list(names), []
    if _WRITES_FLAGS_ONLY.match(instruction.mnemonic) or _WRITES_FLAGS.match(instruction.mnemonic):
        writes.append("flags")
    if _READS_FLAGS.match(instruction.mnemonic):
        reads.append("flags")
    inserts = instruction.mnemonic == "mov" and bool(re.match(r"v\d+\.[bhsd]\[", instruction.operands))
    if writes and (inserts or _ACCUMULATES.match(instruction.mnemonic)):
        accumulator = writes[0]
        if instruction.kind not in _FORWARDING:
            reads.append(accumulator)
    return Access(tuple(reads), tuple(writes), accumulator)


def self_looping(words: Sequence[int]) -> bool:
    """Whether a block ends in a branch to its own first instruction: the body of an inner loop."""
    last = words[-1]
    back = -4 * (len(words) - 1)
    if last & 0xFF000010 == 0x54000000 or last & 0x7E000000 == 0x34000000:  # b.cond; cbz, cbnz
        return _signed(last >> 5, 19) * 4 == back
    if last & 0x7E000000 == 0x36000000:  # tbz, tbnz
        return _signed(last >> 5, 14) * 4 == back
    return last & 0xFC000000 == 0x14000000 and _signed(last, 26) * 4 == back  # b


def loop_carried_cycles(
    block: Sequence[Instruction], latency: Callable[[Instruction], float], forwarded: Callable[[Instruction], float]
) -> float:
    """Cycles per iteration that a loop cannot go below for want of its own results, on a machine without limits.

    `forwarded` is the latency from one accumulation to the next into the same register.
    """
    accesses = [access_of(instruction) for instruction in block]
    ready: dict[str, float] = {}
    ends: list[float] = []
    for _ in range(_LOOP_ITERATIONS):
        end = 0.0
        for instruction, access in zip(block, accesses, strict=True):
            start = max((ready.get(name, 0.0) for name in access.reads), default=0.0)
            done = start + latency(instruction)
            if access.accumulator is not None and instruction.kind in _FORWARDING:
                # The accumulator is needed late: the chain advances by the forwarded latency only.
                done = max(done, ready.get(access.accumulator, 0.0) + forwarded(instruction))
            for name in access.writes:
                ready[name] = start + _ADDRESS_LATENCY if name == access.base else done
            end = max(end, done)
        ends.append(end)
    return _steady_state(ends)


def in_order_cycles(
    block: Sequence[Instruction],
    latency: Callable[[Instruction], float],
    forwarded: Callable[[Instruction], float],
    busy: Callable[[Instruction], float],
    width: int,
) -> float:
    """Cycles per iteration on a core that starts `width` instructions per cycle, none before its predecessor.

    `busy` is how long an instruction keeps the vector unit, which vector work and vector memory accesses share; nothing
    else of them overlaps. Source: GCC's cortex-a53.md.
    """
    accesses = [access_of(instruction) for instruction in block]
    ready: dict[str, float] = {}
    now, unit_free = 0.0, 0.0
    ends: list[float] = []
    for _ in range(_LOOP_ITERATIONS):
        for instruction, access in zip(block, accesses, strict=True):
            start = max([now, *(ready.get(name, 0.0) for name in access.reads)])
            chained = access.accumulator is not None and instruction.kind in _FORWARDING
            if access.accumulator is not None and chained:
                late = latency(instruction) - forwarded(instruction)
                start = max(start, ready.get(access.accumulator, 0.0) - late)
            cycles = busy(instruction)
            if cycles:
                start = max(start, unit_free)
                unit_free = start + cycles
            for name in access.writes:
                ready[name] = start + (_ADDRESS_LATENCY if name == access.base else latency(instruction))
            now = start + 1 / width
        ends.append(max(now, unit_free))
    return _steady_state(ends)


def _steady_state(ends: Sequence[float]) -> float:
    half = _LOOP_ITERATIONS // 2
    return (ends[-1] - ends[half - 1]) / (_LOOP_ITERATIONS - half)


def _memory_access(instruction: Instruction) -> Access:
    data, bracket, address = instruction.operands.rpartition("[")
    if not bracket:  # relative to the program counter
        data, address = address, ""
    registers, bases = _names(data), _names(address)
    after = address.partition("]")[2]
    writes_back = after.startswith("!") or after.lstrip().startswith(",")
    reads = list(bases)
    writes = list(bases[:1]) if writes_back else []
    if instruction.kind in STORES:
        reads += registers
    else:
        writes += registers
        if re.search(r"\}\s*\[\d", data):  # one lane: the others stay
            reads += registers
    return Access(tuple(reads), tuple(writes), None, bases[0] if writes_back else None)


def _names(text: str) -> list[str]:
    names = []
    for match in _REGISTER.finditer(text):
        if match[3]:
            names.append("sp")
        else:
            names.append(("v" if match[1] in "vqdshb" else "x") + match[2])
    ranged = re.search(r"v(\d+)\.\w+-v(\d+)", text)
    if ranged:
        first, last = int(ranged[1]), int(ranged[2])
        names += [f"v{(first + step) % 32}" for step in range(1, (last - first) % 32)]
    return names


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
