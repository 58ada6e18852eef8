"""The torch library `edgebin`: one custom op per concept op of the architecture, with an eager body.

Frozen models (`edgebin.nn.freeze`) are written with these, and `edgebin.graph.export` turns each call into the ONNX op
of the same name. The eager bodies are what every other runtime is compared with: integers are exact, and where the
kernels say `fma` the body computes in float64 and rounds to the type of the result, which gives the bits of a fused
multiply-add but for about one case in 2**29 (two roundings, to 53 and then to 24 bits).

Floats are float32; float64 works too, for comparing models without rounding noise.
Source: kernels/include/edgebin.h, eb_epilogue, eb_b1_gemm_args, eb_b1_attention_args, eb_f32_stencil_args.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgebin.kernels.packing import bit_row_bytes
from edgebin.nn.packing import pack_bits, unpack_signs

# (dh, dw) of each row of a plus-stencil's taps.
STENCIL_OFFSETS = ((0, 0), (-1, 0), (1, 0), (-2, 0), (2, 0), (0, -1), (0, 1), (0, -2), (0, 2))


@torch.library.custom_op("edgebin::sign_pack", mutates_args=())
def sign_pack(x: Tensor, threshold: Tensor) -> Tensor:
    """Binarises activations: x [..., C], threshold [C] → uint8 [..., bit_row_bytes(C)], bit = x < threshold."""
    return pack_bits(x < threshold)


@sign_pack.register_fake
def _(x: Tensor, threshold: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:-1], bit_row_bytes(x.shape[-1])), dtype=torch.uint8)


@torch.library.custom_op("edgebin::binary_linear", mutates_args=())
def binary_linear(bits: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> Tensor:
    """Binary dense layer: (k - 2 * popcount(bits ^ weight)) * scale + bias.

    bits uint8 [..., Kb], weight uint8 [N, Kb] with Kb = bit_row_bytes(k), scale and bias [N] → [..., N].
    """
    padding_bits = 8 * weight.shape[-1] - k  # each is +1 in both operands
    product = (unpack_signs(bits) @ unpack_signs(weight).T).double()
    return product.sub_(padding_bits).mul_(scale.double()).add_(bias.double()).to(scale.dtype)


@binary_linear.register_fake
def _(bits: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, k: int) -> Tensor:
    return scale.new_empty((*bits.shape[:-1], weight.shape[0]))


@torch.library.custom_op("edgebin::binary_attention", mutates_args=())
def binary_attention(
    q: Tensor, k: Tensor, v: Tensor, exp_table: Tensor, limit: Tensor, heads: int, head_dim: int
) -> Tensor:
    """Attention on bits with {0, 1} attention maps, in integers throughout.

    q uint8 [B, Nq, Cb], k and v uint8 [B, Nkv, Cb] with Cb = bit_row_bytes(heads * head_dim), exp_table int64
    [head_dim + 1], limit int64 [maps, heads, head_dim + 1] → context int32 [B, Nq, heads * head_dim].
    """

    def split(bits: Tensor) -> Tensor:
        signs = unpack_signs(bits)[..., : heads * head_dim]
        return signs.reshape(*signs.shape[:2], heads, head_dim).transpose(1, 2)

    scores = split(q) @ split(k).transpose(-1, -2)  # [B, heads, Nq, Nkv]
    agree = scores.add_(head_dim).div_(2).int()
    row_sum = exp_table.index_select(0, agree.flatten()).view_as(agree).sum(-1, keepdim=True)
    position = agree + torch.arange(heads, dtype=torch.int32, device=q.device).reshape(heads, 1, 1) * (head_dim + 1)
    limits = limit.flatten(1).index_select(1, position.flatten()).view(-1, *agree.shape)
    maps = (row_sum < limits).sum(0, dtype=torch.float32)
    return (maps @ split(v)).transpose(1, 2).flatten(2).int()


@binary_attention.register_fake
def _(q: Tensor, k: Tensor, v: Tensor, exp_table: Tensor, limit: Tensor, heads: int, head_dim: int) -> Tensor:
    return q.new_empty((q.shape[0], q.shape[1], heads * head_dim), dtype=torch.int32)


@torch.library.custom_op("edgebin::rprelu", mutates_args=())
def rprelu(x: Tensor, shift: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """ReAct's activation: u = x - shift; (u < 0 ? u * slope : u) + offset. x [..., C], vectors [C]."""
    rows = (x - shift).flatten(0, -2)  # PReLU's channels are axis 1
    return torch.nn.functional.prelu(rows, slope).add_(offset).view(x.shape)


@rprelu.register_fake
def _(x: Tensor, shift: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    return torch.empty_like(x)


@torch.library.custom_op("edgebin::plus_stencil", mutates_args=())
def plus_stencil(x: Tensor, taps: Tensor, bias: Tensor, circular: bool) -> Tensor:
    """Depthwise plus-shaped stencil of reach 2: bias plus the nine neighbours of `STENCIL_OFFSETS`, each times its tap.

    x [B, H, W, C], taps [9, C], bias [C] → [B, H, W, C]. Outside the image x is 0, or wraps round when `circular`.
    """
    height, width = x.shape[1:3]
    wide = x.double()
    y = bias.expand(x.shape)
    for tap, (dh, dw) in zip(taps, STENCIL_OFFSETS, strict=True):
        rows = _neighbour(wide, dh, height, 1, circular)
        y = torch.addcmul(y.double(), _neighbour(rows, dw, width, 2, circular), tap.double()).to(x.dtype)
    return y.contiguous()


def _neighbour(x: Tensor, step: int, size: int, axis: int, circular: bool) -> Tensor:
    """x[i + step] along `axis`, wrapped round, or 0 outside."""
    if step == 0:
        return x
    shifted = torch.roll(x, -step, axis)
    if not circular:
        outside = range(max(size - step, 0), size) if step > 0 else range(min(-step, size))
        shifted.index_fill_(axis, torch.tensor(outside, dtype=torch.long, device=x.device), 0)
    return shifted


@plus_stencil.register_fake
def _(x: Tensor, taps: Tensor, bias: Tensor, circular: bool) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)
