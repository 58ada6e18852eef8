"""What a kernel call is about, apart from its data: operation, sizes, and what is done with the values.

Spelt as the probe spells it (`kernels/probe/`), so that a call of a model and a call that is timed are the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# What a call may have besides its kernel's usual operands: two planes of bits, integers instead of floats.
_FORMS = ("_ternary", "_i32")


@dataclass(frozen=True)
class CallShape:
    """`op` with its sizes `dims` in the order of `kOperations` in kernels/probe/call.c.

    `out` is `int` where the kernel has no epilogue, else the epilogue as kernels/probe/epilogues.h spells it, such as
    `scale,bias,residual0/4:out,bits0:4`. `op` is the kernel's name, or that with the form of
    its operands, such as `b1_gemm_ternary` for two planes of bits.
    """

    op: str
    out: str
    dims: tuple[int, ...]

    @property
    def kernel(self) -> str:
        """The kernel's name in kernels/variants.inc."""
        form = next((form for form in _FORMS if self.op.endswith(form)), "")
        return self.op.removesuffix(form)

    @property
    def bits_only(self) -> bool:
        """Whether bits are all that is stored."""
        stored = self.out.partition(":")[2].partition(":")[0]
        return bool(stored) and all(word.startswith("bits") for word in stored.split(","))

    def arguments(self, variant: str, repeats: str) -> list[str]:
        """The probe's `kernel` command for this call."""
        return ["kernel", self.op, variant, self.out, repeats, *map(str, self.dims)]

    def __str__(self) -> str:
        return f"{self.op} {'x'.join(map(str, self.dims))} {self.out}"


def spell_epilogue(operands: Iterable[tuple[str, int]], results: Sequence[str], pool: int, columns: int) -> str:
    """The `out` of a call: `operands` are names with their columns, `columns` those of the values."""
    words = [
        f"{name}/{columns // own}" if name.startswith("residual") and own != columns else name for name, own in operands
    ]
    return ":".join([",".join(words), ",".join(results), *([str(pool)] if pool > 1 else [])])
