"""BHViT's multi-scale multi-head attention (MSMHA): windows attend to themselves and to tokens of the whole image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgebin.models.bhvit_config import CONV_STAGES, BHViTConfig
from edgebin.nn.activation import RPReLU
from edgebin.nn.attention import TableAttention, attend
from edgebin.nn.decomposed_attention import ProbabilityQuantizer, decomposed_attention
from edgebin.nn.graded_attention import GradedAttention, graded_map
from edgebin.nn.linear import BinaryLinear, SignPack
from edgebin.nn.norm import Affine, fold_norm, make_norm, zeros64
from edgebin.nn.sign import activation_sign
from edgebin.nn.tokens import Grid, repeat_windows
from edgebin.nn.unit import InferenceUnit, unit
from edgebin.nn.windows import append_tokens, join_windows, pool_misaligned, split_windows

_INITIAL_CLIP = 0.005
_EVEN_MIX = 0.5


class MergeTokens(nn.Module):
    """One token for each window, pooled from the image, then a layer norm that cannot be folded away.

    Called, it gives the windows with all of their image's merge tokens appended: [B, H·W, C] → [B·n, window² + n, C].
    """

    def __init__(self, dim: int, *, grid: Grid, window: int) -> None:
        super().__init__()
        self.grid = grid
        self.window = window
        self.a1 = nn.Parameter(torch.full((1, 1, dim), _EVEN_MIX))
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        merged = self.merge(x)
        y: Tensor = self.norm(append_tokens(split_windows(x, self.grid, self.window), merged, merged.shape[1]))
        return y

    def merge(self, x: Tensor) -> Tensor:
        """The merge tokens [B, n, C], before the norm."""
        mean, maximum = pool_misaligned(x, self.grid, self.window)
        return self.a1 * maximum + (1 - self.a1) * mean


class WindowAttention(nn.Module):
    """Tokens [B, H·W, C] → [B, H·W, C].

    With t a window's tokens and the merge tokens, and q, k, v a binary unit of t each, c = RPReLU(norm(attention(
    sgn(q + moveq2), sgn(k + movek2), sgn(v + movev2))) + q + k + v). The result mixes, by `parm`, what the window's
    tokens became with what the merge tokens became, these averaged over the image's windows and enlarged.

    Source: Gao et al., BHViT (CVPR 2025); parameters are named as in its checkpoints.
    """

    def __init__(self, config: BHViTConfig, stage: int) -> None:
        super().__init__()
        dim, norm = config.dims[stage], config.norm
        self.heads = config.heads[stage - CONV_STAGES]
        self.grid = config.grid(stage)
        self.window = config.window
        self.moveq, self.moveq2 = _bias(dim), _bias(dim)
        self.movek, self.movek2 = _bias(dim), _bias(dim)
        self.movev, self.movev2 = _bias(dim), _bias(dim)
        self.parm = nn.Parameter(torch.full((1, dim, 1, 1), _EVEN_MIX))
        self.token_FA = MergeTokens(dim, grid=self.grid, window=self.window)
        self.query, self.normq, self.rpreluq = BinaryLinear(dim, dim), make_norm(norm, dim), RPReLU(dim)
        self.key, self.normk, self.rpreluk = BinaryLinear(dim, dim), make_norm(norm, dim), RPReLU(dim)
        self.value, self.normv, self.rpreluv = BinaryLinear(dim, dim), make_norm(norm, dim), RPReLU(dim)
        if config.gsb:
            self.att_prob_clip = nn.Parameter(torch.tensor(_INITIAL_CLIP))
            self.att_prob_clip2 = nn.Parameter(torch.tensor(1.0))
            self.att_prob_clip3 = nn.Parameter(torch.tensor(1.0))
        else:
            self.att_prob_quantizer = ProbabilityQuantizer(self.heads)
        self.norm_context = make_norm(norm, dim)
        self.rprelu_context = RPReLU(dim)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.token_FA(x)
        q = unit(tokens, tokens, move=self.moveq, linear=self.query, norm=self.normq, rprelu=self.rpreluq)
        k = unit(tokens, tokens, move=self.movek, linear=self.key, norm=self.normk, rprelu=self.rpreluk)
        v = unit(tokens, tokens, move=self.movev, linear=self.value, norm=self.normv, rprelu=self.rpreluv)
        context = attend(
            activation_sign(q + self.moveq2),
            activation_sign(k + self.movek2),
            activation_sign(v + self.movev2),
            self.heads,
            self._attention_map,
        )
        c = self.rprelu_context(self.norm_context(context) + q + k + v)
        own = join_windows(c[:, : self.window**2], self.grid, self.window)
        merged = _over_windows(c[:, self.window**2 :]).mean(1)
        parm = self.parm.flatten()
        return parm * own + (1 - parm) * repeat_windows(merged, self.grid, self.window)

    def _attention_map(self, probabilities: Tensor) -> Tensor:
        if hasattr(self, "att_prob_quantizer"):
            quantized: Tensor = self.att_prob_quantizer(probabilities)
            return quantized
        return graded_map(probabilities, self.att_prob_clip, self.att_prob_clip2, self.att_prob_clip3)

    def inference_form(self) -> InferenceWindowAttention:
        return InferenceWindowAttention(self)


class InferenceWindowAttention(nn.Module):
    """`WindowAttention` at inference.

    Everything but attention itself works on one token at a time, so each image's merge tokens are computed once and not
    once for each window; only their bits are repeated. The scale of the map and the context's norm are one affine.
    """

    mix: Tensor
    merged_mix: Tensor

    def __init__(self, layer: WindowAttention) -> None:
        super().__init__()
        self.grid = layer.grid
        self.window = layer.window
        self.token_FA = layer.token_FA
        self.query = InferenceUnit(move=layer.moveq, linear=layer.query, norm=layer.normq, rprelu=layer.rpreluq)
        self.key = InferenceUnit(move=layer.movek, linear=layer.key, norm=layer.normk, rprelu=layer.rpreluk)
        self.value = InferenceUnit(move=layer.movev, linear=layer.value, norm=layer.normv, rprelu=layer.rpreluv)
        self.query_bits = SignPack(layer.moveq2)
        self.key_bits = SignPack(layer.movek2)
        self.value_bits = SignPack(layer.movev2)
        self.attention, gain = _attention(layer)
        dim = layer.query.out_features
        scale, shift, self.norm_context = fold_norm(layer.norm_context, gain, zeros64(dim))
        self.context = Affine(scale, shift)
        self.rprelu_context = layer.rprelu_context.inference_form()
        self.register_buffer("mix", layer.parm.detach().flatten().float())
        self.register_buffer("merged_mix", (1 - layer.parm.detach().double()).flatten().float())

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.token_FA.norm(torch.cat([x, self.token_FA.merge(x)], dim=1))
        q, k, v = self.query(tokens, tokens), self.key(tokens, tokens), self.value(tokens, tokens)
        context = self.attention(
            self._windowed(self.query_bits(q)), self._windowed(self.key_bits(k)), self._windowed(self.value_bits(v))
        )
        residual = q + k + v
        size, own_tokens = self.window**2, self.grid[0] * self.grid[1]
        own = self._finish(join_windows(context[:, :size], self.grid, self.window), residual[:, :own_tokens])
        copies = self._finish(_over_windows(context[:, size:]), residual[:, own_tokens:].unsqueeze(1))
        merged = self.merged_mix * copies.mean(1)
        return self.mix * own + repeat_windows(merged, self.grid, self.window)

    def _windowed(self, bits: Tensor) -> Tensor:
        """Bits of tokens and merge tokens [B, H·W + n, Cb] → those of each window [B·n, window² + n, Cb]."""
        own_tokens = self.grid[0] * self.grid[1]
        windows = split_windows(bits[:, :own_tokens], self.grid, self.window)
        return append_tokens(windows, bits[:, own_tokens:], own_tokens // self.window**2)

    def _finish(self, context: Tensor, residual: Tensor) -> Tensor:
        y: Tensor = self.rprelu_context(self.norm_context(self.context(context.to(torch.float32))) + residual)
        return y


def _attention(layer: WindowAttention) -> tuple[TableAttention | GradedAttention, Tensor]:
    """The attention on bits, and what each channel of its context is yet to be multiplied by, [C] float64."""
    dim = layer.query.out_features
    head_dim = dim // layer.heads
    if hasattr(layer, "att_prob_quantizer"):
        gain = layer.att_prob_quantizer.alpha.detach().double().repeat_interleave(head_dim)
        return decomposed_attention(layer.att_prob_quantizer, head_dim), gain
    clips = (layer.att_prob_clip.item(), layer.att_prob_clip2.item(), layer.att_prob_clip3.item())
    graded = GradedAttention(heads=layer.heads, head_dim=head_dim, clips=clips)
    return graded, torch.full((dim,), graded.gain, dtype=torch.float64)


def _over_windows(copies: Tensor) -> Tensor:
    """The n merge tokens of each of the n windows, told apart: [B·n, n, C] → [B, n, n, C]."""
    n = copies.shape[1]
    return copies.reshape(-1, n, n, copies.shape[2])


def _bias(dim: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(dim))
