"""BinaryViT's self-attention: a binary unit each for queries, keys and values, binary attention, full-precision sum."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.nn.activation import RPReLU
from edgebin.nn.attention import InferenceAttention, binary_attention
from edgebin.nn.linear import BinaryLinear, SignPack
from edgebin.nn.norm import Affine, NormKind, fold_norm, make_norm, zeros64
from edgebin.nn.sign import activation_sign
from edgebin.nn.tokens import Grid, pool_windows, repeat_windows
from edgebin.nn.unit import InferenceUnit, unit

_INITIAL_CLIP = 0.005


class BinarySelfAttention(nn.Module):
    """Tokens [B, N, C] → [B, N, C]; keys and values come from tokens pooled over windows of `reduction`².

    With n the input and s what is left of it after pooling and one more unit,
    out = RPReLU(norm(attention(sgn(q + moveq2), sgn(k + movek2), sgn(v + movev2))) + q + up(k) + up(v)).

    Source: Le & Li, BinaryViT (CVPRW 2023); parameters are named as in its checkpoints.
    """

    def __init__(self, dim: int, heads: int, *, reduction: int, grid: Grid, norm: NormKind) -> None:
        super().__init__()
        self.heads = heads
        self.reduction_ratio = reduction
        self.grid = grid
        self.moveq, self.moveq2 = _bias(dim), _bias(dim)
        self.movek, self.movek2 = _bias(dim), _bias(dim)
        self.movev, self.movev2 = _bias(dim), _bias(dim)
        self.query, self.normq, self.rpreluq = BinaryLinear(dim, dim), make_norm(norm, dim), RPReLU(dim)
        self.key, self.normk, self.rpreluk = BinaryLinear(dim, dim), make_norm(norm, dim), RPReLU(dim)
        self.value, self.normv, self.rpreluv = BinaryLinear(dim, dim), make_norm(norm, dim), RPReLU(dim)
        if reduction > 1:
            self.mover = _bias(dim)
            self.reduction, self.norm_r, self.rprelur = BinaryLinear(dim, dim), make_norm(norm, dim), RPReLU(dim)
        self.att_prob_clip = nn.Parameter(torch.tensor(_INITIAL_CLIP))
        self.norm_context = make_norm(norm, dim)
        self.rprelu_context = RPReLU(dim)

    def forward(self, x: Tensor) -> Tensor:
        q = unit(x, x, move=self.moveq, linear=self.query, norm=self.normq, rprelu=self.rpreluq)
        source = x
        if self.reduction_ratio > 1:
            pooled = pool_windows(x, self.grid, self.reduction_ratio)
            source = unit(pooled, pooled, move=self.mover, linear=self.reduction, norm=self.norm_r, rprelu=self.rprelur)
        k = unit(source, source, move=self.movek, linear=self.key, norm=self.normk, rprelu=self.rpreluk)
        v = unit(source, source, move=self.movev, linear=self.value, norm=self.normv, rprelu=self.rpreluv)
        context = binary_attention(
            activation_sign(q + self.moveq2),
            activation_sign(k + self.movek2),
            activation_sign(v + self.movev2),
            clip=self.att_prob_clip,
            heads=self.heads,
        )
        residual = q + _spread(k, self.grid, self.reduction_ratio) + _spread(v, self.grid, self.reduction_ratio)
        y: Tensor = self.rprelu_context(self.norm_context(context) + residual)
        return y

    def inference_form(self) -> InferenceSelfAttention:
        return InferenceSelfAttention(self)


class InferenceSelfAttention(nn.Module):
    """`BinarySelfAttention` at inference: clip and the context's norm are one affine on integer contexts."""

    def __init__(self, layer: BinarySelfAttention) -> None:
        super().__init__()
        self.reduction_ratio = layer.reduction_ratio
        self.grid = layer.grid
        self.query = InferenceUnit(move=layer.moveq, linear=layer.query, norm=layer.normq, rprelu=layer.rpreluq)
        self.key = InferenceUnit(move=layer.movek, linear=layer.key, norm=layer.normk, rprelu=layer.rpreluk)
        self.value = InferenceUnit(move=layer.movev, linear=layer.value, norm=layer.normv, rprelu=layer.rpreluv)
        if layer.reduction_ratio > 1:
            self.reduction = InferenceUnit(
                move=layer.mover, linear=layer.reduction, norm=layer.norm_r, rprelu=layer.rprelur
            )
        self.query_bits = SignPack(layer.moveq2)
        self.key_bits = SignPack(layer.movek2)
        self.value_bits = SignPack(layer.movev2)
        dim = layer.query.out_features
        clip = layer.att_prob_clip.detach().double()
        self.attention = InferenceAttention(head_dim=dim // layer.heads, clips=[clip.item()] * layer.heads)
        scale, shift, self.norm_context = fold_norm(layer.norm_context, clip.expand(dim), zeros64(dim))
        self.context = Affine(scale, shift)
        self.rprelu_context = layer.rprelu_context.inference_form()

    def forward(self, x: Tensor) -> Tensor:
        q = self.query(x, x)
        source = x
        if self.reduction_ratio > 1:
            pooled = pool_windows(x, self.grid, self.reduction_ratio)
            source = self.reduction(pooled, pooled)
        k = self.key(source, source)
        v = self.value(source, source)
        integers = self.attention(self.query_bits(q), self.key_bits(k), self.value_bits(v))
        context = self.norm_context(self.context(integers.to(torch.float32)))
        residual = q + _spread(k, self.grid, self.reduction_ratio) + _spread(v, self.grid, self.reduction_ratio)
        y: Tensor = self.rprelu_context(context + residual)
        return y


def _bias(dim: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(dim))


def _spread(x: Tensor, grid: Grid, reduction: int) -> Tensor:
    return repeat_windows(x, grid, reduction) if reduction > 1 else x
