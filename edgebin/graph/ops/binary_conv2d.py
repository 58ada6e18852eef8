"""`BinaryConv2d`: a convolution of ±1 weights on ±1 activations, surrounded by zeros."""

from __future__ import annotations

from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.kernels.packing import bit_row_bytes
from edgebin.nn import ops


def _shape(inputs: list[Shape], attributes: Attributes) -> Shape:
    bits, weight, scale, bias = inputs
    kernel, groups, channels = attributes["kernel"], attributes["groups"], attributes["channels"]
    require("the remainder of kernel by 2", kernel % 2, 1)
    require("the remainder of channels by groups", channels % groups, 0)
    require("a row of bits", bits[-1], bit_row_bytes(channels))
    require("a row of weight", weight[1], bit_row_bytes(kernel**2 * channels // groups))
    if isinstance(weight[0], int):
        require("the remainder of output channels by groups", weight[0] % groups, 0)
    require("the length of scale", scale[0], weight[0])
    require("the length of bias", bias[0], weight[0])
    return (*bits[:-1], weight[0])


BINARY_CONV2D = define(
    "BinaryConv2d",
    "y float [B, H, W, N] = acc * scale + bias, acc the convolution of the signs of bits uint8 [B, H, W, Cb], "
    "Cb = 8 * ceil(channels / 64), with a square kernel of odd size, stride 1, padded by dilation * (kernel - 1) / 2 "
    "on all sides with zeros: taps outside the image add nothing. weight uint8 [N, 8 * ceil(K / 64)], "
    "K = kernel**2 * channels / groups, has its bits in the order (row of the kernel, column, channel of the group); "
    "output channel n belongs to group n * groups / N. scale and bias float [N]. The integer is exact; scale and bias "
    "are applied in float64 and rounded to float32.",
    inputs={"bits": "uint8", "weight": "uint8", "scale": "float", "bias": "float"},
    output=("y", "float"),
    attributes={
        "kernel": "rows and columns of the kernel",
        "dilation": "distance of neighbouring taps",
        "groups": "number of groups of channels",
        "channels": "true number of bits of a pixel",
    },
    shape_rule=_shape,
    torch_op=ops.binary_conv2d._opoverload,
    # Conv takes its pads and dilations as lists, which integer attributes of a function cannot be made into. So the
    # pixels under the kernel are gathered by number, one matrix of them for each group. They come out as
    # [group, image, row, column, row of the kernel, column of the kernel, channel].
    body="""
  kernel = Constant <value_int: int = @kernel> ()
  dilation = Constant <value_int: int = @dilation> ()
  groups_int = Constant <value_int: int = @groups> ()
  channels_int = Constant <value_int: int = @channels> ()
  zero = Constant <value_int = 0> ()
  one = Constant <value_int = 1> ()
  two = Constant <value_int = 2> ()
  none = Constant <value_ints = [0]> ()
  rest = Constant <value_ints = [-1]> ()
  groups = Reshape (groups_int, rest)
  channels = Reshape (channels_int, rest)

  all_signs = edgebin.UnpackSigns (bits)
  signs = Slice (all_signs, none, channels, rest)
  copied = Constant <value_ints = [0, 0, 0]> ()
  split_shape = Concat <axis = 0> (copied, groups, rest)
  split = Reshape (signs, split_shape)
  by_group = Transpose <perm = [3, 0, 1, 2, 4]> (split)
  last_tap = Sub (kernel, one)
  twice_reach = Mul (last_tap, dilation)
  reach_int = Div (twice_reach, two)
  reach = Reshape (reach_int, rest)
  pads = Concat <axis = 0> (none, none, reach, reach, none, none, none, reach, reach, none)
  padded = Pad (by_group, pads)
  kept = Constant <value_ints = [0, 0]> ()
  padded_width = Shape <start = 3, end = 4> (padded)
  group_channels = Shape <start = 4> (padded)
  flat_shape = Concat <axis = 0> (kept, rest, group_channels)
  pixels = Reshape (padded, flat_shape)

  taps = Range (zero, kernel, one)
  steps = Mul (taps, dilation)
  height_size = Shape <start = 1, end = 2> (bits)
  height = Squeeze (height_size)
  rows = Range (zero, height, one)
  row_axes = Constant <value_ints = [1, 2, 3]> ()
  row = Unsqueeze (rows, row_axes)
  row_step_axes = Constant <value_ints = [0, 1, 3]> ()
  row_step = Unsqueeze (steps, row_step_axes)
  tap_row = Add (row, row_step)
  width_size = Shape <start = 2, end = 3> (bits)
  width = Squeeze (width_size)
  columns = Range (zero, width, one)
  column_axes = Constant <value_ints = [0, 2, 3]> ()
  column = Unsqueeze (columns, column_axes)
  column_step_axes = Constant <value_ints = [0, 1, 2]> ()
  column_step = Unsqueeze (steps, column_step_axes)
  tap_column = Add (column, column_step)
  row_begin = Mul (tap_row, padded_width)
  position = Add (row_begin, tap_column)
  windows = Gather <axis = 2> (pixels, position)

  kernel_size = Mul (kernel, kernel)
  k = Mul (kernel_size, group_channels)
  matrix_shape = Concat <axis = 0> (groups, rest, k)
  matrix = Reshape (windows, matrix_shape)
  all_weights = edgebin.UnpackSigns (weight)
  weights = Slice (all_weights, none, k, rest)
  weight_matrix = Reshape (weights, matrix_shape)
  weight_columns = Transpose <perm = [0, 2, 1]> (weight_matrix)
  product = MatMul (matrix, weight_columns)
  by_pixel = Transpose <perm = [1, 0, 2]> (product)
  image_size = Shape <end = 3> (bits)
  output_shape = Concat <axis = 0> (image_size, rest)
  accumulator_float = Reshape (by_pixel, output_shape)
  accumulator = Cast <to = 11> (accumulator_float)
  y = edgebin.ScaleAndBias (accumulator, scale, bias)
""",
)
