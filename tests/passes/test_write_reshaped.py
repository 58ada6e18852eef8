"""Kernels write in the shape that their readers want."""

from __future__ import annotations

import numpy as np

from edgebin.passes.fused import record_shapes
from edgebin.passes.kernel_calls import lower_to_kernel_calls
from edgebin.passes.write_reshaped import write_reshaped
from tests.passes.graphs import parse, rewritten

TWO = {"two": np.full(6, 2, np.float32)}


def kept(text: str, constants: dict[str, np.ndarray]) -> list[str]:
    return rewritten(parse(text, TWO | constants), lower_to_kernel_calls, write_reshaped, record_shapes)


def shape(*sizes: int) -> dict[str, np.ndarray]:
    return {"shape": np.array(sizes, np.int64)}


def op_types(lines: list[str]) -> list[str]:
    return [line.partition("(")[0] for line in lines]


def test_a_reshape_of_rows_is_written_by_the_kernel() -> None:
    lines = kept(
        """g (float[2, 4, 6] x) => (float[1, 2, 4, 6] z) {
          y = Mul(x, two)
          image = Reshape(y, shape)
          z = Neg(image)
        }""",
        shape(1, 2, 4, 6),
    )
    assert op_types(lines) == ["FusedRows", "Neg"]


def test_other_kernels_read_the_new_shape() -> None:
    lines = kept(
        """g (float[2, 4, 6] x) => (float[1, 2, 4, 6] z, float[2, 4, 6] w) {
          y = Mul(x, two)
          image = Reshape(y, shape)
          z = Neg(image)
          w = Add(x, y)
        }""",
        shape(1, 2, 4, 6),
    )
    assert op_types(lines) == ["FusedRows", "Neg", "FusedRows"]


def test_reshapes_stay_where_rows_change_or_the_old_shape_is_read() -> None:
    changed = """g (float[2, 4, 6] x) => (float[2, 8, 3] z) {
      y = Mul(x, two)
      halves = Reshape(y, shape)
      z = Neg(halves)
    }"""
    assert op_types(kept(changed, shape(2, 8, 3))) == ["FusedRows", "Reshape", "Neg"]
    read = """g (float[2, 4, 6] x) => (float[1, 2, 4, 6] z, float[2, 4, 6] w) {
      y = Mul(x, two)
      image = Reshape(y, shape)
      z = Neg(image)
      w = Neg(y)
    }"""
    assert op_types(kept(read, shape(1, 2, 4, 6))) == ["FusedRows", "Reshape", "Neg", "Neg"]


def test_outputs_of_the_graph_keep_their_names() -> None:
    lines = kept(
        """g (float[2, 4, 6] x) => (float[1, 2, 4, 6] image) {
          y = Mul(x, two)
          image = Reshape(y, shape)
        }""",
        shape(1, 2, 4, 6),
    )
    assert op_types(lines) == ["FusedRows", "Reshape"]


def test_other_reshapes_read_the_new_shape_too() -> None:
    text = """g (float[2, 4, 6] x) => (float[1, 2, 4, 6] z, float[8, 6] w) {
      y = Mul(x, two)
      image = Reshape(y, shape)
      z = Neg(image)
      flat = Reshape(y, target)
      w = Neg(flat)
    }"""
    copied = {"target": np.array([8, 6], np.int64)}
    assert op_types(kept(text, shape(1, 2, 4, 6) | copied)) == ["FusedRows", "Neg", "Reshape", "Neg"]


def test_a_reshape_that_copies_a_size_keeps_the_old_shape() -> None:
    text = """g (float[2, 4, 6] x) => (float[1, 2, 4, 6] z, float[2, 24] w) {
      y = Mul(x, two)
      image = Reshape(y, shape)
      z = Neg(image)
      flat = Reshape(y, target)
      w = Neg(flat)
    }"""
    copied = {"target": np.array([0, 24], np.int64)}
    assert op_types(kept(text, shape(1, 2, 4, 6) | copied)).count("Reshape") == 2
