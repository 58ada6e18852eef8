"""From a fused op's buffers to the kernel call that computes it: one function per kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgebin.backends.tvm.glue import Buffer, GlueCall, epilogue_fields, split_rows
from edgebin.kernels.blocks import row_blocks
from edgebin.kernels.variants import Variant


def gemm_call(
    kernel: str, label: str, *, variant: Variant, cores: int, k: int, n: int, pool: int, inputs: Sequence[Buffer],
    outputs: Sequence[Buffer],
) -> GlueCall:  # fmt: skip
    """`b1_gemm`, `w1_gemm` or `f32_gemm`: the rows `a`, the packed panels `w`, then the epilogue's operands.

    `b1_gemm` may have a second plane of bits, `a2`, after the panels.
    """
    a, _weight, *operands = inputs
    second = ""
    if operands and operands[0].name == "a2":
        second = f".a2 = a2 + begin * {operands.pop(0).columns}, "
    blocks, per_block = row_blocks(a.rows, cores)
    body = (
        split_rows(a.rows, per_block)
        + f"  const eb_{kernel}_args args = {{\n"
        + f"      .m = m, .n = {n}, .k = {k}, .a = a + begin * {a.columns}, {second}.w = w,\n"
        + f"      .epilogue = {{\n{epilogue_fields(operands, outputs, pool)}}}}};\n"
        + f"  {variant.symbol}(&args);\n"
    )
    return GlueCall(kernel, variant, label, tuple(inputs), tuple(outputs), blocks, body)


def matmul_call(
    label: str, *, variant: Variant, pool: int, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
) -> GlueCall:
    """`f32_matmul`: inputs are `a` […, m, k], `b` […, k, n], then the epilogue's operands; one block per leading index.

    The glue packs b into panels and calls `f32_gemm`.
    """
    a, b, *operands = inputs
    m, k, n = a.shape[-2], a.columns, b.columns
    nr, blocks = variant.nr, a.rows // m
    body = (
        f"  const size_t begin = (size_t)block * {m};\n"
        + f"  float* panels = aligned_alloc(64, {(-(-n // nr) * nr * k * 4 + 63) // 64 * 64});\n"
        + "  if (!panels) return -1;\n"
        + f"  eb_f32_pack(b + (size_t)block * {k * n}, {k}, {n}, {nr}, panels);\n"
        + "  const eb_f32_gemm_args args = {\n"
        + f"      .m = {m}, .n = {n}, .k = {k}, .a = a + begin * {k}, .w = panels,\n"
        + f"      .epilogue = {{\n{epilogue_fields(operands, outputs, pool)}}}}};\n"
        + f"  {variant.symbol}(&args);\n"
        + "  free(panels);\n"
    )
    return GlueCall("f32_matmul", variant, label, tuple(inputs), tuple(outputs), blocks, body)


def rows_call(
    label: str, *, variant: Variant, cores: int, pool: int, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
) -> GlueCall:
    """`rows`: inputs are `x` (float32 or int32), then the epilogue's operands."""
    x, *operands = inputs
    blocks, per_block = row_blocks(x.rows, cores)
    source = ".x_f32" if x.dtype == "float32" else ".x_i32"
    body = (
        split_rows(x.rows, per_block)
        + "  const eb_rows_args args = {\n"
        + f"      .m = m, .n = {x.columns}, {source} = x + begin * {x.columns},\n"
        + f"      .epilogue = {{\n{epilogue_fields(operands, outputs, pool)}}}}};\n"
        + f"  {variant.symbol}(&args);\n"
    )
    return GlueCall("rows", variant, label, tuple(inputs), tuple(outputs), blocks, body)


def layernorm_call(
    label: str, *, variant: Variant, cores: int, epsilon_bits: int, pool: int, inputs: Sequence[Buffer],
    outputs: Sequence[Buffer],
) -> GlueCall:  # fmt: skip
    """`layernorm`: inputs are `x`, then the epilogue's operands; `epsilon_bits` is epsilon as a float32's bits."""
    x, *operands = inputs
    blocks, per_block = row_blocks(x.rows, cores)
    epsilon = float(np.int32(epsilon_bits).view(np.float32)).hex()
    body = (
        split_rows(x.rows, per_block)
        + "  const eb_layernorm_args args = {\n"
        + f"      .m = m, .n = {x.columns}, .x = x + begin * {x.columns}, .epsilon = {epsilon}f,\n"
        + f"      .epilogue = {{\n{epilogue_fields(operands, outputs, pool)}}}}};\n"
        + f"  {variant.symbol}(&args);\n"
    )
    return GlueCall("layernorm", variant, label, tuple(inputs), tuple(outputs), blocks, body)


def conv_call(
    label: str, *, variant: Variant, cores: int, kernel_size: int, dilation: int, groups: int, channels: int, n: int,
    pool: int, inputs: Sequence[Buffer], outputs: Sequence[Buffer],
) -> GlueCall:  # fmt: skip
    """`b1_conv`: inputs are the bits `a` [images, h, w, bytes], packed `weights`, then the epilogue's operands."""
    a, _weights, *operands = inputs
    batch, height, width, row_bytes = a.shape
    parts = min(cores, height)
    body = (
        f"  const size_t image = (size_t)block / {parts}, part = (size_t)block % {parts};\n"
        + f"  const size_t begin = image * {height * width};\n"
        + "  eb_b1_conv_args args = {\n"
        + f"      .h = {height}, .w = {width}, .c = {channels}, .n = {n},\n"
        + f"      .kernel = {kernel_size}, .dilation = {dilation}, .groups = {groups},\n"
        + f"      .row_begin = part * {height} / {parts}, .row_end = (part + 1) * {height} / {parts},\n"
        + f"      .a = a + begin * {row_bytes}, .weights = weights,\n"
        + f"      .epilogue = {{\n{epilogue_fields(operands, outputs, pool)}}}}};\n"
        + _with_workspace(variant)
    )
    return GlueCall("b1_conv", variant, label, tuple(inputs), tuple(outputs), batch * parts, body)


def attention_call(
    kernel: str, label: str, *, variant: Variant, heads: int, head_dim: int, inputs: Sequence[Buffer],
    outputs: Sequence[Buffer], drop: int = 0,
) -> GlueCall:  # fmt: skip
    """`b1_attention` and its relatives: q, k, v, the tables → context; one block per image and head."""
    q, k, v, *tables = inputs
    (context,) = outputs
    batch, nq, nkv = q.shape[0], q.shape[1], k.shape[1]
    maps = 1
    if kernel == "b1_attention":
        maps = tables[1].shape[0]
        choice = f".maps = {maps}, .exp_table = exp_table, .limit = limit"
    elif kernel == "b1_relative_attention":
        choice = f".drop = {drop}"
    else:
        groups, per_group = tables[0].shape[0], heads * nq * nkv
        choice = f".bias = bias + image % {groups} * {per_group}, .scale = *scale, .margin = *margin"
    body = (
        f"  const size_t image = (size_t)block / {heads}, head = (size_t)block % {heads};\n"
        + f"  eb_{kernel}_args args = {{\n"
        + f"      .heads = {heads}, .head_dim = {head_dim}, .nq = {nq}, .nkv = {nkv},\n"
        + "      .head_begin = head, .head_end = head + 1,\n"
        + f"      .q = q + image * {nq * q.columns}, .k = k + image * {nkv * k.columns},\n"
        + f"      .v = v + image * {nkv * v.columns}, {choice},\n"
        + f"      .context = context + image * {nq * context.columns}}};\n"
        + _with_workspace(variant)
    )
    return GlueCall(kernel, variant, label, tuple(inputs), tuple(outputs), batch * heads, body)


def _with_workspace(variant: Variant) -> str:
    """C statements that call a kernel with the workspace it asks for."""
    return (
        f"  const size_t bytes = (eb_{variant.op}_workspace__{variant.path}(&args) + 63) / 64 * 64;\n"
        + "  args.workspace = bytes ? aligned_alloc(64, bytes) : NULL;\n"
        + "  if (bytes && !args.workspace) return -1;\n"
        + f"  {variant.symbol}(&args);\n"
        + "  free(args.workspace);\n"
    )


def stencil_call(
    label: str, *, variant: Variant, cores: int, circular: int, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
) -> GlueCall:
    """`f32_stencil`: x, taps, bias[, skip] → y; image rows are split between cores."""
    x = inputs[0]
    batch, height, width, channels = x.shape
    parts = min(cores, height)
    image = height * width * channels
    skip = f".skip = skip + image * {image}, " if len(inputs) > 3 else ""
    body = (
        f"  const size_t image = (size_t)block / {parts}, part = (size_t)block % {parts};\n"
        + "  const eb_f32_stencil_args args = {\n"
        + f"      .h = {height}, .w = {width}, .c = {channels},\n"
        + f"      .row_begin = part * {height} / {parts}, .row_end = (part + 1) * {height} / {parts},\n"
        + f"      .circular = {circular}, .x = x + image * {image}, .taps = taps, .bias = bias,\n"
        + f"      {skip}.y = y + image * {image}}};\n"
        + f"  {variant.symbol}(&args);\n"
    )
    return GlueCall("f32_stencil", variant, label, tuple(inputs), tuple(outputs), batch * parts, body)
