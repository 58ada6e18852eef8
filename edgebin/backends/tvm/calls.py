"""From a fused op's buffers to the kernel call that computes it: one function per kernel."""

from __future__ import annotations

from collections.abc import Sequence

from edgebin.backends.tvm.glue import Buffer, KernelCall, epilogue_fields, row_blocks, split_rows
from edgebin.kernels.variants import find_variant


def gemm_call(
    kernel: str, label: str, *, path: str, cores: int, k: int, n: int, pool: int, inputs: Sequence[Buffer],
    outputs: Sequence[Buffer],
) -> KernelCall:  # fmt: skip
    """`b1_gemm` or `f32_gemm`: inputs are the rows `a`, the packed panels `w`, then the epilogue's operands."""
    a, _weight, *operands = inputs
    blocks, per_block = row_blocks(a.rows, cores)
    body = (
        split_rows(a.rows, per_block)
        + f"  const eb_{kernel}_args args = {{\n"
        + f"      .m = m, .n = {n}, .k = {k}, .a = a + begin * {a.columns}, .w = w,\n"
        + f"      .epilogue = {{\n{epilogue_fields(operands, outputs, pool)}}}}};\n"
        + f"  eb_{kernel}__{path}(&args);\n"
    )
    return KernelCall(kernel, label, tuple(inputs), tuple(outputs), blocks, body, macs=a.rows * n * k)


def matmul_call(label: str, *, path: str, pool: int, inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> KernelCall:
    """`f32_matmul`: inputs are `a` […, m, k], `b` […, k, n], then the epilogue's operands; one block per leading index.

    The glue packs b into panels and calls `f32_gemm`.
    """
    a, b, *operands = inputs
    m, k, n = a.shape[-2], a.columns, b.columns
    nr, blocks = find_variant("f32_gemm", path).nr, a.rows // m
    body = (
        f"  const size_t begin = (size_t)block * {m};\n"
        + f"  float* panels = aligned_alloc(64, {(-(-n // nr) * nr * k * 4 + 63) // 64 * 64});\n"
        + "  if (!panels) return -1;\n"
        + f"  eb_f32_pack(b + (size_t)block * {k * n}, {k}, {n}, {nr}, panels);\n"
        + "  const eb_f32_gemm_args args = {\n"
        + f"      .m = {m}, .n = {n}, .k = {k}, .a = a + begin * {k}, .w = panels,\n"
        + f"      .epilogue = {{\n{epilogue_fields(operands, outputs, pool)}}}}};\n"
        + f"  eb_f32_gemm__{path}(&args);\n"
        + "  free(panels);\n"
    )
    return KernelCall("f32_matmul", label, tuple(inputs), tuple(outputs), blocks, body, macs=a.rows * n * k)


def rows_call(
    label: str, *, path: str, cores: int, pool: int, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
) -> KernelCall:
    """`rows`: inputs are `x` (float32 or int32), then the epilogue's operands."""
    x, *operands = inputs
    blocks, per_block = row_blocks(x.rows, cores)
    source = ".x_f32" if x.dtype == "float32" else ".x_i32"
    body = (
        split_rows(x.rows, per_block)
        + "  const eb_rows_args args = {\n"
        + f"      .m = m, .n = {x.columns}, {source} = x + begin * {x.columns},\n"
        + f"      .epilogue = {{\n{epilogue_fields(operands, outputs, pool)}}}}};\n"
        + f"  eb_rows__{path}(&args);\n"
    )
    return KernelCall("rows", label, tuple(inputs), tuple(outputs), blocks, body, macs=0)


def attention_call(
    label: str, *, path: str, heads: int, head_dim: int, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
) -> KernelCall:
    """`b1_attention`: q, k, v, exp_table, limit → context; one block per image and head."""
    q, k, v, _, limit = inputs
    (context,) = outputs
    batch, nq, nkv, maps = q.shape[0], q.shape[1], k.shape[1], limit.shape[0]
    body = (
        f"  const size_t image = (size_t)block / {heads}, head = (size_t)block % {heads};\n"
        + "  eb_b1_attention_args args = {\n"
        + f"      .heads = {heads}, .head_dim = {head_dim}, .nq = {nq}, .nkv = {nkv}, .maps = {maps},\n"
        + "      .head_begin = head, .head_end = head + 1,\n"
        + f"      .q = q + image * {nq * q.columns}, .k = k + image * {nkv * k.columns},\n"
        + f"      .v = v + image * {nkv * v.columns}, .exp_table = exp_table, .limit = limit,\n"
        + f"      .context = context + image * {nq * context.columns}}};\n"
        + f"  const size_t bytes = (eb_b1_attention_workspace__{path}(&args) + 63) / 64 * 64;\n"
        + "  args.workspace = bytes ? aligned_alloc(64, bytes) : NULL;\n"
        + "  if (bytes && !args.workspace) return -1;\n"
        + f"  eb_b1_attention__{path}(&args);\n"
        + "  free(args.workspace);\n"
    )
    macs = batch * heads * nq * nkv * head_dim * (1 + maps)
    return KernelCall("b1_attention", label, tuple(inputs), tuple(outputs), batch * heads, body, macs)


def stencil_call(
    label: str, *, path: str, cores: int, circular: bool, inputs: Sequence[Buffer], outputs: Sequence[Buffer]
) -> KernelCall:
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
        + f"      .circular = {int(circular)}, .x = x + image * {image}, .taps = taps, .bias = bias,\n"
        + f"      {skip}.y = y + image * {image}}};\n"
        + f"  eb_f32_stencil__{path}(&args);\n"
    )
    return KernelCall("f32_stencil", label, tuple(inputs), tuple(outputs), batch * parts, body, batch * 9 * image)
