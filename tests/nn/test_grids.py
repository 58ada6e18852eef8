"""BHViT's layers on token grids: dilated convolutions, windows, misaligned pooling, circular shifts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from edgebin.nn.activation import LayerScale
from edgebin.nn.dilated_conv import BinaryConv2d
from edgebin.nn.packing import pack_bits
from edgebin.nn.shifts import ShiftStencil, shift_branches
from edgebin.nn.sign import weight_scale, weight_sign
from edgebin.nn.windows import append_tokens, join_windows, pool_misaligned, split_windows
from tests.nn.test_inference_forms import randomise

BRANCHES = ("h3", "w3", "ch3", "h5", "w5", "ch5")


def tokens(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def branch_scales(names: tuple[str, ...], channels: int) -> dict[str, LayerScale]:
    scales = {}
    for seed, name in enumerate(names):
        scale = randomise(LayerScale(channels, 0.0), seed=seed)
        assert isinstance(scale, LayerScale)
        scales[name] = scale
    return scales


@pytest.mark.parametrize("dilation", [1, 3, 5])
@pytest.mark.parametrize(("channels", "grid"), [(16, (7, 7)), (64, (4, 6)), (128, (1, 2))])
def test_zero_padding_after_the_sign(dilation: int, channels: int, grid: tuple[int, int]) -> None:
    """A tap outside of the image adds nothing: against loops over the taps inside, in both forms."""
    layer = randomise(BinaryConv2d(channels, channels, kernel=3, dilation=dilation, groups=4)).double()
    assert isinstance(layer, BinaryConv2d)
    height, width = grid
    signs = tokens(2, height * width, channels).sign().double()
    image = signs.reshape(2, height, width, channels).numpy()
    weight = weight_sign(layer.weight, centred=True).numpy()
    acc = np.zeros((2, height, width, channels))
    size = channels // 4
    for y, x, i, j in np.ndindex(height, width, 3, 3):
        row, column = y + (i - 1) * dilation, x + (j - 1) * dilation
        if 0 <= row < height and 0 <= column < width:
            for group in range(4):
                own = slice(group * size, (group + 1) * size)
                acc[:, y, x, own] += image[:, row, column, own] @ weight[own, :, i, j].T
    expected = acc * weight_scale(layer.weight).numpy() + layer.bias.detach().numpy()
    expected = expected.reshape(2, -1, channels)
    with torch.no_grad():
        np.testing.assert_allclose(layer(signs, grid).numpy(), expected, rtol=0, atol=1e-9)
        packed = layer.inference_form()(pack_bits(signs < 0), grid)
    np.testing.assert_allclose(packed.numpy(), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("side", "window"), [(14, 7), (7, 7), (16, 8), (4, 2), (3, 1), (9, 3)])
def test_merge_pooling_is_misaligned_with_the_windows(side: int, window: int) -> None:
    """Cells begin (window - 1) // 2 rows early; outside counts as zero in the mean and not at all in the maximum."""
    x = tokens(2, side * side, 3) - 5  # below zero everywhere: a maximum over padding would be 0
    image, shift = x.reshape(2, side, side, 3).numpy(), (window - 1) // 2
    mean, maximum = (pooled.numpy() for pooled in pool_misaligned(x, (side, side), window))
    n = side // window
    assert mean.shape == maximum.shape == (2, n * n, 3)
    for row, column in np.ndindex(n, n):
        rows = slice(max(row * window - shift, 0), (row + 1) * window - shift)
        columns = slice(max(column * window - shift, 0), (column + 1) * window - shift)
        cell = image[:, rows, columns].reshape(2, -1, 3)
        np.testing.assert_allclose(mean[:, row * n + column], cell.sum(1) / window**2, rtol=1e-5)
        assert np.array_equal(maximum[:, row * n + column], cell.max(1))


@pytest.mark.parametrize(("side", "window"), [(14, 7), (7, 7), (4, 2), (2, 1)])
def test_windows_and_back(side: int, window: int) -> None:
    x = tokens(3, side * side, 5)
    windows = split_windows(x, (side, side), window)
    image = x.reshape(3, side, side, 5)
    n = side // window
    for b, row, column in np.ndindex(3, n, n):
        cell = image[b, row * window : (row + 1) * window, column * window : (column + 1) * window]
        assert torch.equal(windows[(b * n + row) * n + column], cell.reshape(-1, 5))
    assert torch.equal(join_windows(windows, (side, side), window), x)


def test_each_window_gets_the_tokens_of_its_own_image() -> None:
    windows, extra = tokens(6, 4, 2), tokens(2, 3, 2) + 10
    joined = append_tokens(windows, extra, 3)
    assert torch.equal(joined[:, :4], windows)
    assert all(torch.equal(joined[i, 4:], extra[i // 3]) for i in range(6))


@pytest.mark.parametrize("names", [BRANCHES, BRANCHES[:3], BRANCHES[3:]], ids=["both", "3", "5"])
@pytest.mark.parametrize("grid", [(7, 5), (4, 4), (2, 2), (1, 1)])
def test_circular_shifts_are_a_stencil_also_where_they_wrap_round(
    grid: tuple[int, int], names: tuple[str, ...]
) -> None:
    scales = branch_scales(names, 8)
    x = tokens(2, grid[0] * grid[1], 8) + 3
    with torch.no_grad():
        torch.testing.assert_close(ShiftStencil(grid, scales)(x), shift_branches(x, grid, scales))


def test_direction_and_reach_of_the_channel_shifts() -> None:
    """The quarters come from above, below, left and right, at one pixel for "3" and two for "5"."""
    image = torch.arange(25.0).reshape(1, 25, 1).expand(1, 25, 4)
    for name, reach in (("ch3", 1), ("ch5", 2)):
        scales = {name: LayerScale(4, 1.0)}
        centre = shift_branches(image, (5, 5), scales)[0, 12]
        assert centre.tolist() == [12 - 5 * reach, 12 + 5 * reach, 12 - reach, 12 + reach]
        corner = shift_branches(image, (5, 5), scales)[0, 0]
        assert corner.tolist() == [25 - 5 * reach, 5 * reach, 5 - reach, reach]


def test_averages_wrap_round() -> None:
    image = torch.tensor([[[9.0], [0.0], [0.0], [3.0], [6.0]]]).expand(1, 5, 4)
    averaged = shift_branches(image, (1, 5), {"w3": LayerScale(4, 1.0)})
    assert averaged[0, :, 0].tolist() == pytest.approx([5, 3, 1, 3, 6])
