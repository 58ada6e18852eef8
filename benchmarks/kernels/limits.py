"""What a core can do at most: the shortest sequence of vector instructions for the work, at the core's rates.

Loads, loop counters, flushes and epilogues are left out, so nothing reaches the limit. Source: reference sequences of
binary kernels; the rates are those of the target file.
"""

from __future__ import annotations

from collections.abc import Mapping

from edgebin.profile.estimate.cores import CoreModel
from edgebin.profile.estimate.cycles import resource_cycles
from edgebin.profile.estimate.instructions import Kind, classify

_EOR = ("eor", "v0.16b, v1.16b, v2.16b")
_CNT = ("cnt", "v0.16b, v0.16b")
_ADD = ("add", "v3.16b, v3.16b, v0.16b")
_TBL = ("tbl", "v0.16b, {v1.16b}, v2.16b")
_TBL2 = ("tbl", "v0.16b, {v1.16b, v2.16b}, v3.16b")
_USRA = ("usra", "v3.16b, v0.16b, #4")
_FMLA = ("fmla", "v0.4s, v1.4s, v2.s[0]")
_FADD = ("fadd", "v0.4s, v0.4s, v1.4s")
_UDOT = ("sdot", "v0.4s, v1.16b, v2.16b")

# By operands: what does the work, the shortest sequence, the multiply-accumulates that it does. A look-up serves two
# rows of 16 channels, 4 or 5 bits each; three are added before a nibble overflows, and split by ADD and USRA.
_SEQUENCES: dict[str, tuple[tuple[Kind, tuple[tuple[str, str], ...], int], ...]] = {
    "b1": (
        (Kind.LONG_TABLE, (_TBL2, _TBL2, _TBL2, _ADD, _ADD, _ADD, _USRA), 480),
        (Kind.TABLE, (_TBL, _TBL, _TBL, _ADD, _ADD, _ADD, _USRA), 384),
        (Kind.CNT, (_EOR, _CNT, _ADD), 128),
    ),
    # No limit of look-ups of sums of bytes is known.
    "w1i8": ((Kind.DOT, (_UDOT,), 16), (Kind.TABLE, (), 0), (Kind.LONG_TABLE, (), 0)),
    "w1": ((Kind.FMA, (_FMLA,), 4), (Kind.FLOAT_ADD, (_FADD,), 4)),
    "f32": ((Kind.FMA, (_FMLA,), 4),),
}


def work_kind(op: str, executed: Mapping[Kind, int]) -> Kind | None:
    """What does an operation's multiply-accumulates: of the kinds that can, the one it executes most."""
    kinds = [kind for kind, _, _ in _SEQUENCES.get(op.partition("_")[0], ()) if executed.get(kind)]
    return max(kinds, key=lambda kind: executed[kind], default=None)


def limit_of(op: str, kind: Kind, core: CoreModel) -> float | None:
    """Multiply-accumulates per cycle that an operation which works by this kind of instruction cannot pass."""
    sequence, macs = next(
        (sequence, macs) for known, sequence, macs in _SEQUENCES[op.partition("_")[0]] if known is kind
    )
    if not sequence:
        return None
    block = [classify(mnemonic, operands) for mnemonic, operands in sequence]
    return macs / max(resource_cycles(block, core).values())
