"""A wrongly classified instruction is charged to the wrong pipe."""

from __future__ import annotations

import pytest

from edgebin.profile.estimate.instructions import Kind, classify, disassemble


@pytest.mark.parametrize(
    ("mnemonic", "operands", "kind", "accesses"),
    [
        ("eor", "v0.16b, v1.16b, v2.16b", Kind.LOGIC, 0),
        ("eor", "x0, x1, x2", Kind.INTEGER, 0),
        ("mov", "v0.16b, v1.16b", Kind.LOGIC, 0),
        ("mov", "w0, v1.s[0]", Kind.TRANSFER, 0),
        ("mov", "v0.s[1], v1.s[0]", Kind.PERMUTE, 0),
        ("dup", "v0.4s, w1", Kind.TRANSFER, 0),
        ("dup", "v0.4s, v1.s[0]", Kind.PERMUTE, 0),
        ("fmov", "s0, s1", Kind.LOGIC, 0),
        ("cnt", "v0.16b, v0.16b", Kind.CNT, 0),
        ("add", "v0.16b, v1.16b, v2.16b", Kind.ADD, 0),
        ("addp", "v0.16b, v1.16b, v2.16b", Kind.PAIRWISE, 0),
        ("uadalp", "v0.8h, v1.16b", Kind.UADALP, 0),
        ("uaddlp", "v0.8h, v1.16b", Kind.WIDEN, 0),
        ("uaddw2", "v0.4s, v1.4s, v2.8h", Kind.WIDEN, 0),
        ("uaddlv", "s0, v0.8h", Kind.REDUCE, 0),
        ("ushr", "v0.16b, v1.16b, #4", Kind.SHIFT, 0),
        ("uxtl2", "v0.8h, v1.16b", Kind.SHIFT, 0),
        ("sqxtun2", "v0.16b, v0.8h", Kind.SHIFT, 0),
        ("sri", "v0.16b, v1.16b, #1", Kind.SHIFT_INSERT, 0),
        ("tbl", "v0.16b, {v1.16b}, v2.16b", Kind.TABLE, 0),
        ("smlal2", "v0.4s, v1.8h, v2.8h", Kind.MULTIPLY, 0),
        ("udot", "v0.4s, v1.16b, v2.4b[0]", Kind.DOT, 0),
        ("fmla", "v0.4s, v1.4s, v2.s[1]", Kind.FMA, 0),
        ("fmadd", "s0, s1, s2, s3", Kind.FMA, 0),
        ("fmul", "v0.4s, v1.4s, v2.4s", Kind.FMA, 0),
        ("fadd", "v0.4s, v1.4s, v2.4s", Kind.FLOAT_ADD, 0),
        ("fcmge", "v0.4s, v1.4s, #0.0", Kind.FLOAT_ADD, 0),
        ("fcmp", "s0, #0.0", Kind.FLOAT_ADD, 0),
        ("fmaxnm", "v0.4s, v1.4s, v2.4s", Kind.FLOAT_ADD, 0),
        ("ucvtf", "v0.4s, v1.4s", Kind.CONVERT, 0),
        ("fdiv", "v0.4s, v1.4s, v2.4s", Kind.DIVIDE, 0),
        ("ldr", "q0, [x1], #16", Kind.LOAD_VECTOR, 1),
        ("ldp", "q0, q1, [x2]", Kind.LOAD_VECTOR, 2),
        ("ld1", "{v0.16b-v3.16b}, [x1], #64", Kind.LOAD_VECTOR, 4),
        ("ld1r", "{v0.8b}, [x1]", Kind.LOAD_BROADCAST, 1),
        ("ldr", "w1, [x0, x2, lsl #2]", Kind.LOAD_SCALAR, 1),
        ("str", "s0, [x1]", Kind.STORE_VECTOR, 1),
        ("stp", "x29, x30, [sp, #-16]!", Kind.STORE_SCALAR, 2),
        ("b.ne", "0x10", Kind.BRANCH, 0),
        ("tbnz", "w0, #3, 0x10", Kind.BRANCH, 0),
        ("madd", "x0, x1, x2, x3", Kind.INTEGER_MULTIPLY, 0),
        ("udiv", "x0, x1, x2", Kind.INTEGER_DIVIDE, 0),
        ("svc", "#0x0", Kind.SYSTEM, 0),
        ("prfm", "pldl1keep, [x0]", Kind.SYSTEM, 0),
    ],
)
def test_kind(mnemonic: str, operands: str, kind: Kind, accesses: int) -> None:
    instruction = classify(mnemonic, operands)
    assert (instruction.kind, instruction.accesses) == (kind, accesses)


def test_every_word_is_decoded() -> None:
    words = [0x6E221C20, 0x4E205800, 0x6E206803, 0xF1000421, 0x54FFFF81, 0x00000000]
    decoded = disassemble([*words, *words])
    assert [decoded[word].mnemonic for word in words] == ["eor", "cnt", "uadalp", "subs", "b.ne", "udf"]
    assert decoded[words[0]].wide
    assert not decoded[words[3]].wide
