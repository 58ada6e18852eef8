"""`PlusStencil`: a depthwise stencil in the shape of a plus, which average-pool and shift branches fold into."""

from __future__ import annotations

from edgebin.graph.ops.concept import Attributes, Shape, define, require
from edgebin.nn import ops


def _shape(inputs: list[Shape], _: Attributes) -> Shape:
    x, taps, bias = inputs
    require("the number of taps", taps[0], len(ops.STENCIL_OFFSETS))
    require("the channels of taps", taps[1], x[-1])
    require("the length of bias", bias[0], x[-1])
    return x


def _body() -> str:
    """For each tap: rows or columns gathered at wrapped indices, times a tap that is 0 where they must not wrap."""
    lines = [
        "x_wide = Cast <to = 11> (x)",
        "taps_wide = Cast <to = 11> (taps)",
        "bias_wide = Cast <to = 11> (bias)",
        "circular = Constant <value_int: int = @circular> ()",
        "wraps = Cast <to = 9> (circular)",
        "zero = Constant <value_int = 0> ()",
        "one = Constant <value_int = 1> ()",
    ]
    for axis, (name, other_axes) in {1: ("row", "1, 2"), 2: ("column", "1")}.items():
        lines += [
            f"{name}_size = Shape <start = {axis}, end = {axis + 1}> (x)",
            f"{name}_count = Squeeze ({name}_size)",
            f"{name} = Range (zero, {name}_count, one)",
            f"{name}_broadcast = Constant <value_ints = [{other_axes}]> ()",
        ]
    total = "bias_wide"
    for index, (dh, dw) in enumerate(ops.STENCIL_OFFSETS):
        lines += [
            f"number_{index} = Constant <value_int = {index}> ()",
            f"tap_{index} = Gather <axis = 0> (taps_wide, number_{index})",
        ]
        neighbour, tap = "x_wide", f"tap_{index}"
        if dh or dw:
            axis, name, step = (1, "row", dh) if dh else (2, "column", dw)
            lines += [
                f"step_{index} = Constant <value_int = {step}> ()",
                f"target_{index} = Add ({name}, step_{index})",
                f"wrapped_{index} = Mod (target_{index}, {name}_count)",
                f"inside_{index} = Equal (target_{index}, wrapped_{index})",
                f"counts_{index} = Or (inside_{index}, wraps)",
                f"mask_{index} = Cast <to = 11> (counts_{index})",
                f"mask_column_{index} = Unsqueeze (mask_{index}, {name}_broadcast)",
                f"masked_tap_{index} = Mul (mask_column_{index}, tap_{index})",
                f"neighbour_{index} = Gather <axis = {axis}> (x_wide, wrapped_{index})",
            ]
            neighbour, tap = f"neighbour_{index}", f"masked_tap_{index}"
        lines += [
            f"product_{index} = Mul ({neighbour}, {tap})",
            f"sum_{index} = Add ({total}, product_{index})",
            f"total_{index} = Cast <to = 1> (sum_{index})",
            f"total_wide_{index} = Cast <to = 11> (total_{index})",
        ]
        total = f"total_wide_{index}"
    lines.append(f"y = Identity (total_{len(ops.STENCIL_OFFSETS) - 1})")
    return "\n".join(lines)


PLUS_STENCIL = define(
    "PlusStencil",
    "y float [B, H, W, C] = bias[c] + sum over t of x[h + dh_t, w + dw_t, c] * taps[t, c], with taps float [9, C] in "
    "the order (dh, dw) = (0,0) (-1,0) (1,0) (-2,0) (2,0) (0,-1) (0,1) (0,-2) (0,2), one rounding per tap. Outside "
    "the image x is 0, or wraps round if circular is 1.",
    inputs={"x": "float", "taps": "float", "bias": "float"},
    output=("y", "float"),
    attributes={"circular": "1: the image wraps round; 0: it is surrounded by zeros"},
    shape_rule=_shape,
    torch_op=ops.plus_stencil._opoverload,
    body=_body(),
)
