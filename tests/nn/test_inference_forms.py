"""Each layer's inference form computes what its training form does in evaluation mode."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from edgebin.models.downsampling import BinaryDownsampling, FullPrecisionDownsampling
from edgebin.nn.activation import LayerScale, RPReLU
from edgebin.nn.branches import AverageStencil, average_branches
from edgebin.nn.freeze import freeze
from edgebin.nn.norm import BatchNormTokens, NormKind
from edgebin.nn.patches import PatchEmbeddings, fold_patches
from edgebin.nn.tokens import match_channels, pool_windows, repeat_windows, windows_to_channels
from edgebin.nn.unit import BinaryUnit


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Random parameters and statistics, slopes and gains of both signs among them."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=generator))
                if name.endswith("running_var"):
                    value.abs_().add_(0.1)
    return module.eval()


def tokens(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def assert_same(module: nn.Module, x: Tensor) -> None:
    """Against float64, so that only float32 rounding is between the two; a sign that flips is far outside of it."""
    with torch.no_grad():
        expected, got = module.double()(x.double()), freeze(module)(x)
    torch.testing.assert_close(got.double(), expected, rtol=0, atol=1e-6 * float(expected.abs().max()))


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize(("width", "out"), [(24, 24), (16, 64), (64, 16), (65, 130)])
@pytest.mark.parametrize("scale", [None, 0.1])
def test_unit(width: int, out: int, norm: NormKind, scale: float | None) -> None:
    assert_same(randomise(BinaryUnit(width, out, norm=norm, layer_scale=scale)), tokens(2, 5, width))


@pytest.mark.parametrize(
    "module", [BatchNormTokens(12), RPReLU(12), LayerScale(12, 0.1)], ids=lambda m: type(m).__name__
)
def test_vectors(module: nn.Module) -> None:
    assert_same(randomise(module), tokens(2, 3, 12))


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("kind", [BinaryDownsampling, FullPrecisionDownsampling])
@pytest.mark.parametrize("width", [16, 64, 72])
def test_downsampling(kind: type[BinaryDownsampling | FullPrecisionDownsampling], width: int, norm: NormKind) -> None:
    """16 and 72 channels leave padding between the pixels of a window."""
    assert_same(randomise(kind(width, 2 * width, grid=(4, 6), norm=norm)), tokens(2, 24, width))


def test_convolution_weights_are_not_centred_in_the_packed_form_either() -> None:
    layer = randomise(BinaryDownsampling(8, 16, grid=(2, 2), norm="batch"))
    assert isinstance(layer, BinaryDownsampling)
    with torch.no_grad():
        layer.proj.weight.abs_()
    assert (layer.proj.packed_weight() == 0).all()


@pytest.mark.parametrize("grid", [(5, 7), (2, 2), (1, 1)])
@pytest.mark.parametrize("windows", [(3, 5), (3,), (5,)])
def test_branches_are_a_stencil_up_to_the_border(grid: tuple[int, int], windows: tuple[int, ...]) -> None:
    """The padding counts in the mean and is zero, whatever the norm before: a shifted input must not leak into it."""
    scales: dict[tuple[int, int], LayerScale] = {}
    for seed, window in enumerate(windows):
        for shape in ((1, window), (window, 1)):
            scale = randomise(LayerScale(4, 0.0), seed=10 * seed + shape[0])
            assert isinstance(scale, LayerScale)
            scales[shape] = scale
    x = tokens(2, grid[0] * grid[1], 4) + 3
    with torch.no_grad():
        torch.testing.assert_close(AverageStencil(grid, scales)(x), average_branches(x, grid, scales))


@pytest.mark.parametrize("norm", [nn.Identity(), BatchNormTokens(8)])
def test_patches_as_a_matrix_product(norm: nn.Module) -> None:
    embeddings = randomise(PatchEmbeddings(3, 8, 4)).double()
    norm = randomise(norm).double()
    assert isinstance(embeddings, PatchEmbeddings)
    images = tokens(2, 3, 8, 12)
    folded, remaining = fold_patches(embeddings, norm, (2, 3))
    assert isinstance(remaining, nn.Identity)
    with torch.no_grad():
        torch.testing.assert_close(folded(images), norm(embeddings(images.double())).float(), rtol=1e-5, atol=1e-5)


def test_residuals_widen_side_by_side_and_narrow_by_neighbours() -> None:
    x = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    assert match_channels(x, 8).tolist() == [[[1, 2, 3, 4, 1, 2, 3, 4]]]
    assert match_channels(x, 2).tolist() == [[[1.5, 3.5]]]
    assert match_channels(x, 4) is x


def test_windows() -> None:
    x = torch.arange(8.0).reshape(1, 8, 1)  # two rows of four
    assert pool_windows(x, (2, 4), 2).flatten().tolist() == [2.5, 4.5]
    assert repeat_windows(torch.tensor([[[1.0], [2.0]]]), (2, 4), 2).flatten().tolist() == [1, 1, 2, 2, 1, 1, 2, 2]
    assert windows_to_channels(x, (2, 4), 2).tolist() == [[[0, 1, 4, 5], [2, 3, 6, 7]]]
