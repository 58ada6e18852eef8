"""Disassembles executed AArch64 words and says what kind of work each is, for counting and for the cycle model."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from edgebin.errors import ToolchainError


class Kind(StrEnum):
    """What an instruction occupies a core with. Vector kinds cover scalar floating point too: the same pipes do it."""

    LOGIC = "logic"
    SELECT = "select"
    CNT = "cnt"
    ADD = "add"
    PAIRWISE = "pairwise"
    WIDEN = "widen"
    UADALP = "uadalp"
    REDUCE = "reduce"
    SHIFT = "shift"
    SHIFT_INSERT = "shift_insert"
    SHIFT_ADD = "shift_add"
    PERMUTE = "permute"
    TABLE = "table"
    LONG_TABLE = "long_table"
    TRANSFER = "transfer"
    MULTIPLY = "multiply"
    DOT = "dot"
    FMA = "fma"
    FLOAT_ADD = "float_add"
    CONVERT = "convert"
    DIVIDE = "divide"
    LOAD_VECTOR = "load_vector"
    LOAD_BROADCAST = "load_broadcast"
    LOAD_SCALAR = "load_scalar"
    STORE_VECTOR = "store_vector"
    STORE_SCALAR = "store_scalar"
    BRANCH = "branch"
    INTEGER = "integer"
    INTEGER_MULTIPLY = "integer_multiply"
    INTEGER_DIVIDE = "integer_divide"
    SYSTEM = "system"


LOADS = frozenset({Kind.LOAD_VECTOR, Kind.LOAD_BROADCAST, Kind.LOAD_SCALAR})
STORES = frozenset({Kind.STORE_VECTOR, Kind.STORE_SCALAR})
SCALAR = frozenset({Kind.BRANCH, Kind.INTEGER, Kind.INTEGER_MULTIPLY, Kind.INTEGER_DIVIDE, Kind.SYSTEM})
VECTOR = frozenset(Kind) - LOADS - STORES - SCALAR


@dataclass(frozen=True)
class Instruction:
    """One disassembled word. `wide`: works on 128-bit registers. `accesses`: memory accesses (2 for a pair)."""

    mnemonic: str
    operands: str
    kind: Kind
    wide: bool
    accesses: int


# The first pattern that matches the mnemonic (without its condition or arrangement suffix) decides.
_VECTOR_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"cnt$", Kind.CNT),
    (r"(eor|eor3|bcax|and|orr|orn|bic|mvn|not|mov)$", Kind.LOGIC),
    (r"(bsl|bit|bif)$", Kind.SELECT),
    (r"[us]adalp$", Kind.UADALP),
    (r"[us](add|sub)(l|w)2?$|[us]addlp$|[us]abal?2?$|[us]abdl2?$|(add|sub|radd|rsub)hn2?$", Kind.WIDEN),
    (r"addv$|[us](addl|max|min)v$|f(max|min)(nm)?v$", Kind.REDUCE),
    (r"addp$|[us](max|min)p$|f(add|max|min|maxnm|minnm)p$", Kind.PAIRWISE),
    (r"(sri|sli)$", Kind.SHIFT_INSERT),
    (r"[us]r?sra$", Kind.SHIFT_ADD),
    (r"shl$|[us]q?r?shl$|[us]r?shr$|sq?shlu?$|[us]shll2?$|shll2?$|[us]xtl2?$|.*xtu?n2?$|.*shru?n2?$", Kind.SHIFT),
    (r"tb[lx]$", Kind.TABLE),
    (r"(zip|uzp|trn)[12]$|ext$|rev\d*$|dup$|movi$|mvni$|ins$|rbit$", Kind.PERMUTE),
    (r"umov$|smov$|fmov$", Kind.TRANSFER),
    (r"([us]u?|us)dot$|[us]{1,2}mmla$", Kind.DOT),
    (r"fn?m(ul|ulx|la|ls|add|sub|lal2?|lsl2?)$|fcmla$", Kind.FMA),
    (r"f(div|sqrt)$", Kind.DIVIDE),
    (r"f(recp|rsqrt)(e|s|x)$", Kind.FMA),
    (r"[us]cvtf$|fcvt\w*$|frint\w*$", Kind.CONVERT),
    (r"f(add|sub|abd|abs|neg|max|min|maxnm|minnm|cm\w\w|c?cmpe?|csel|ac\w\w)$", Kind.FLOAT_ADD),
    (r"mul$|ml[as]$|[us]ml[as]l2?$|[us]mull2?$|p?mull?2?$|sqr?dml?\w+$", Kind.MULTIPLY),
    (r"add$|sub$|neg$|abs$|cm\w\w$|cmtst$|[us](max|min|abd|hadd|hsub|rhadd|qadd|qsub)$|cl[sz]$|sq(abs|neg)$", Kind.ADD),
)
_COMPILED = tuple((re.compile(pattern), kind) for pattern, kind in _VECTOR_KINDS)
_BRANCH = re.compile(r"(b|bl|br|blr|ret|cbn?z|tbn?z|b\..*)$")
_SYSTEM = re.compile(r"(nop|hint|bti|yield|isb|dmb|dsb|mrs|msr|svc|dc|ic|brk|hlt|udf|clrex|xpac.*|pac.*|aut.*|\.inst)$")
_VECTOR_REGISTER = re.compile(r"\bv\d+\.|^\{?\s*[bhsdq]\d+\b|\{\s*v\d+")
_WIDE = re.compile(r"\bv\d+\.(16b|8h|4s|2d)\b|\bq\d+\b")
_FLOAT_OPERAND = re.compile(r"\b[bhsdqv]\d+\b|\bv\d+\.")


def disassemble(words: Iterable[int]) -> dict[int, Instruction]:
    """Disassembles every distinct word in one call of the disassembler.

    Raises:
        ToolchainError: the disassembler is missing or failed.
    """
    distinct = sorted(set(words))
    tool = shutil.which("aarch64-linux-gnu-objdump")
    if tool is None:
        raise ToolchainError(
            "no disassembler for AArch64: `aarch64-linux-gnu-objdump` is missing",
            hint="install the package `binutils-aarch64-linux-gnu`",
        )
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "words.bin")
        raw.write_bytes(struct.pack(f"<{len(distinct)}I", *distinct))
        command = [tool, "-D", "-z", "-b", "binary", "-m", "aarch64", str(raw)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ToolchainError(f"`{tool}` failed: {result.stderr.strip()[-300:]}")
    lines = re.findall(r"^\s*[0-9a-f]+:\t([0-9a-f]{8}) \t(\S+)[ \t]*([^\n]*)$", result.stdout, flags=re.MULTILINE)
    decoded = {int(word, 16): classify(mnemonic, operands) for word, mnemonic, operands in lines}
    missing = set(distinct) - set(decoded)
    if missing:
        raise ToolchainError(f"`{tool}` left {len(missing)} instructions undecoded, {min(missing):#010x} among them")
    return decoded


def classify(mnemonic: str, operands: str) -> Instruction:
    """The instruction with its kind, from GNU syntax (`cnt`, `v0.16b, v1.16b`)."""
    operands = operands.split("//")[0].split("<")[0].strip()
    kind = _kind(mnemonic, operands)
    accesses = 0
    if kind in LOADS or kind in STORES:
        accesses = _accesses(mnemonic, operands)
    return Instruction(mnemonic, operands, kind, bool(_WIDE.search(operands)), accesses)


def kind_counts(block_counts: Mapping[tuple[int, ...], int], decoded: Mapping[int, Instruction]) -> Counter[Kind]:
    """Executed instructions by kind."""
    counts: Counter[Kind] = Counter()
    for words, executions in block_counts.items():
        for word in words:
            counts[decoded[word].kind] += executions
    return counts


def _kind(mnemonic: str, operands: str) -> Kind:
    if _BRANCH.match(mnemonic):
        return Kind.BRANCH
    if _SYSTEM.match(mnemonic) or mnemonic.startswith("prf"):
        return Kind.SYSTEM
    data = operands.split("[")[0]
    if mnemonic.startswith("ld"):
        if re.match(r"ld\dr$", mnemonic):
            return Kind.LOAD_BROADCAST
        return Kind.LOAD_VECTOR if _VECTOR_REGISTER.search(data) else Kind.LOAD_SCALAR
    if mnemonic.startswith(("st", "cas", "swp")):
        return Kind.STORE_VECTOR if _VECTOR_REGISTER.search(data) else Kind.STORE_SCALAR
    if _FLOAT_OPERAND.search(operands):
        return _vector_kind(mnemonic, operands)
    if re.match(r"(mul|madd|msub|mneg|[us]m(addl|subl|ull|negl|ulh))$", mnemonic):
        return Kind.INTEGER_MULTIPLY
    if mnemonic in ("sdiv", "udiv"):
        return Kind.INTEGER_DIVIDE
    return Kind.INTEGER


def _vector_kind(mnemonic: str, operands: str) -> Kind:
    registers = [operand.strip() for operand in operands.split(",")]
    crosses = any(re.match(r"[wx](\d+|zr)$", register) for register in registers)
    if mnemonic in ("mov", "dup", "fmov", "ins", "umov", "smov") and crosses:
        return Kind.TRANSFER
    if mnemonic == "mov" and "[" in operands:
        return Kind.PERMUTE
    if mnemonic == "fmov":
        return Kind.LOGIC
    for pattern, kind in _COMPILED:
        if pattern.match(mnemonic):
            # A table of several registers: `{v1.16b, v2.16b}` or `{v1.16b-v4.16b}`.
            return Kind.LONG_TABLE if kind is Kind.TABLE and re.search(r"\{[^}]*[,-]", operands) else kind
    return Kind.ADD


def _accesses(mnemonic: str, operands: str) -> int:
    if mnemonic in ("ldp", "stp", "ldnp", "stnp", "ldpsw"):
        return 2
    if mnemonic.startswith(("ld1", "st1")) and "-" in operands:
        first, last = re.findall(r"v(\d+)", operands)[:2]
        return (int(last) - int(first)) % 32 + 1
    if re.match(r"(ld|st)[1-4]$", mnemonic):
        return max(1, len(re.findall(r"v\d+", operands)))
    return 1
