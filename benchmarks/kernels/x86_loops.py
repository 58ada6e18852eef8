"""x86: what the inner loop of a kernel consists of, from its disassembly.

No emulator counts x86 instructions for us, least of all AVX-512. The hot loop of a kernel is short, however, and nearly
all that runs: the innermost loop densest in instructions that do the kernel's work stands for it. Static, not executed.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from edgebin.kernels.build import compile_objects
from edgebin.kernels.variants import find_variant
from edgebin.targets import Target
from edgebin.toolchain.compiler import Compiler
from edgebin.toolchain.process import call

# The first pattern that matches decides; a memory operand counts besides, as `with a load`.
_CLASSES: tuple[tuple[str, str], ...] = (
    (r"vpopcnt", "popcount"),
    (r"vpshufb|vperm", "table"),
    (r"v?pdpbus", "dot"),
    (r"vf?n?madd|vfn?msub|vfnmadd", "fma"),
    (r"vp?(x?or|and|andn|ternlog)", "logic"),
    (r"vpsadbw", "byte sums"),
    (r"vp(add|sub)", "add"),
    (r"vps[rl]", "shift"),
    (r"vp?broadcast|v?movddup", "broadcast"),
    (r"vmov|vpmov", "move"),
    (r"v", "other vector"),
    (r"", "scalar"),
)
_WORK = {"b1": ("popcount", "table"), "w1i8": ("dot", "table"), "w1": ("fma", "other vector"), "f32": ("fma",)}
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", re.MULTILINE)
_JUMP = re.compile(r"([0-9a-f]+)\s+<")


def inner_loops(target: Target, compiler: Compiler, path: str, ops: list[str]) -> dict[str, dict[str, Any]]:
    """For each operation the inner loop of `path`: its instructions by class.

    Raises:
        ToolchainError: no compiler, or no disassembler.
    """
    loops = {}
    with tempfile.TemporaryDirectory() as folder:
        objects = {file.name: file for file in compile_objects([path], compiler, Path(folder))}
        for op in ops:
            source = Path(find_variant(op, path).source)
            disassembly = call(
                ["objdump", "-d", "--no-show-raw-insn", objects[f"{source.parent.name}-{path}.o"]],
                what="disassembling a kernel",
            )
            found = hottest_loop(disassembly, _WORK[op.partition("_")[0]])
            if found:
                loops[op] = {"instructions": sum(found.values()) - found["with a load"], "classes": dict(found)}
    return loops


def hottest_loop(disassembly: str, work: tuple[str, ...]) -> Counter[str] | None:
    """The classes of the innermost loop densest in work; None if no loop has any."""
    best: Counter[str] = Counter()
    for function in disassembly.split("\n\n"):
        code = [(int(address, 16), name, operands) for address, name, operands in _INSTRUCTION.findall(function)]
        loops = []
        for address, name, operands in code:
            jump = _JUMP.match(operands) if name.startswith("j") else None
            if jump and code[0][0] <= int(jump[1], 16) <= address:
                loops.append((int(jump[1], 16), address))
        for first, last in loops:
            if any(first <= begin <= end <= last and (begin, end) != (first, last) for begin, end in loops):
                continue
            classes = _classes([line for line in code if first <= line[0] <= last])
            if _score(classes, work) > _score(best, work):
                best = classes
    return best if best else None


def _classes(code: list[tuple[int, str, str]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for _, name, operands in code:
        kind = next(kind for pattern, kind in _CLASSES if re.match(pattern, name))
        counts[kind] += 1
        # In AT&T order the destination is last: (…) before a comma is read.
        counts["with a load"] += kind != "scalar" and bool(re.search(r"\)[^,]*,", operands))
    return +counts


def _score(classes: Counter[str], work: tuple[str, ...]) -> float:
    """Instructions that do the work, times their share."""
    amount = sum(classes[kind] for kind in work)
    return amount**2 / (classes.total() - classes["with a load"]) if amount else 0.0
