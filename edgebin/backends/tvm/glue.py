"""The C functions between TVM and the kernels: one per kernel call of a model, each filling one argument struct.

TVM calls a glue function with the addresses of its buffers and a block number; the function finds its rows (or heads),
fills the struct of kernels/include/edgebin.h and calls the kernel. Sizes are literals, so a reader of the
generated file sees every shape of the net, and no flags or null pointers travel through TVM.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from edgebin.kernels.variants import Variant

C_TYPES = {"float32": "float", "uint8": "uint8_t", "int32": "int32_t", "int64": "int64_t"}


@dataclass(frozen=True)
class Buffer:
    """One array argument of a kernel call: dense, `shape` in elements of `dtype`."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def columns(self) -> int:
        """Elements of one row."""
        return self.shape[-1]

    @property
    def rows(self) -> int:
        """Product of all dimensions but the last."""
        return prod(self.shape[:-1])


@dataclass(frozen=True)
class GlueCall:
    """One kernel call of a model as the backend sees it.

    `kernel` is the operation in edgebin.h (`b1_gemm`, …), `variant` the kernel that does it, `label` the node's name,
    `inputs` and `outputs` its buffers in calling order, `blocks` the number of independent parts, `body` the C
    statements that run it for one `block`.
    """

    kernel: str
    variant: Variant
    label: str
    inputs: tuple[Buffer, ...]
    outputs: tuple[Buffer, ...]
    blocks: int
    body: str


@dataclass
class Glue:
    """Collects the kernel calls of one model and writes them as one C file."""

    cores: int
    calls: dict[str, GlueCall] = field(default_factory=dict)

    def add(self, call: GlueCall) -> str:
        """Register a call; returns its C symbol, which is also the name of its PrimFunc."""
        stem = f"{call.kernel}__{re.sub(r'[^A-Za-z0-9]+', '_', call.label).strip('_')}"
        symbol, count = stem, 1
        while symbol in self.calls:
            symbol, count = f"{stem}_{count}", count + 1
        self.calls[symbol] = call
        return symbol

    def source(self) -> str:
        """The C file."""
        functions = [self._function(symbol, call) for symbol, call in self.calls.items()]
        return "\n".join(['#include <stdlib.h>\n\n#include "edgebin.h"\n#include "f32-gemm/pack.h"\n', *functions])

    def _function(self, symbol: str, call: GlueCall) -> str:
        parameters = [f"const {C_TYPES[b.dtype]}* {b.name}" for b in call.inputs]
        parameters += [f"{C_TYPES[b.dtype]}* {b.name}" for b in call.outputs]
        return f"int32_t {symbol}({', '.join(parameters)}, int32_t block) {{\n{call.body}  return 0;\n}}\n"


def split_rows(rows: int, per_block: int) -> str:
    """C statements that define `begin` and `m`, the rows of this block."""
    return (
        f"  const size_t begin = (size_t)block * {per_block};\n"
        f"  const size_t m = {rows} - begin < {per_block} ? {rows} - begin : {per_block};\n"
    )


def epilogue_fields(operands: Sequence[Buffer], results: Sequence[Buffer], pool: int) -> str:
    """The initialiser of an `eb_epilogue`, rows starting at `begin`."""
    fields = []
    for buffer in operands:
        if buffer.name.startswith("residual"):
            index = buffer.name.removeprefix("residual")
            fields.append(f".residual[{index}] = {buffer.name} + begin * {buffer.columns}")
            fields.append(f".residual_cols[{index}] = {buffer.columns}")
        elif buffer.name.startswith("threshold"):
            fields.append(f".threshold[{buffer.name.removeprefix('threshold')}] = {buffer.name}")
        elif buffer.name == "skip":
            fields.append(f".skip = skip + begin * {buffer.columns}")
        else:
            fields.append(f".{buffer.name} = {buffer.name}")
    for buffer in results:
        if buffer.name.startswith("bits"):
            fields.append(f".bits[{buffer.name.removeprefix('bits')}] = {buffer.name} + begin * {buffer.columns}")
        else:
            fields.append(f".out = out + begin * {buffer.columns}")
    fields.append(f".pool = {pool}")
    return ",\n".join(f"                   {item}" for item in fields)
