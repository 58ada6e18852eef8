"""kernels/dispatch through ctypes: nodes made of numpy arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_int64, c_size_t, c_void_p
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MAX_RANK, MAX_OUTPUTS, MESSAGE_BYTES = 8, 4, 256
_TYPES = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2, np.dtype(np.int32): 3, np.dtype(np.int64): 4}


class Refused(Exception):
    """What the library said."""


class Tensor(ctypes.Structure):
    _fields_ = (("type", c_int), ("rank", c_size_t), ("dims", c_int64 * MAX_RANK), ("data", c_void_p))


class Attributes(ctypes.Structure):
    _fields_ = (
        *((name, c_char_p) for name in ("op", "operands", "results", "shapes", "variant")),
        *((name, c_int64) for name in ("k", "pool", "kernel", "dilation", "groups", "channels")),
        *((name, c_int64) for name in ("heads", "head_dim", "drop", "circular")),
        ("epsilon", c_float),
    )


PART = ctypes.CFUNCTYPE(None, c_void_p, c_size_t)
PARALLEL_FOR = ctypes.CFUNCTYPE(None, c_void_p, c_size_t, PART, c_void_p)
OBSERVER = ctypes.CFUNCTYPE(None, c_void_p, c_char_p, POINTER(Tensor), c_size_t, c_int)


def tensors(arrays: Sequence[Array], *, data: bool = True) -> Any:
    """A C array of them; the caller keeps the arrays alive."""
    made = (Tensor * len(arrays))()
    for tensor, array in zip(made, arrays, strict=True):
        tensor.type, tensor.rank = _TYPES.get(array.dtype, 0), array.ndim
        tensor.dims[: array.ndim] = array.shape
        tensor.data = array.ctypes.data if data else None
    return made


def _shapes_and_types(made: Sequence[Any]) -> list[tuple[tuple[int, ...], np.dtype[Any]]]:
    types = {number: dtype for dtype, number in _TYPES.items()}
    return [(tuple(tensor.dims[: tensor.rank]), types[tensor.type]) for tensor in made]


class Dispatch:
    """The functions of a library with kernels/dispatch in it."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        library.eb_node_create.restype = c_void_p
        library.eb_op_name.restype = library.eb_node_kernel.restype = library.eb_node_variant.restype = c_char_p
        library.eb_node_output_count.restype = c_size_t

    def node(self, op: str, inputs: Sequence[Array], *, name: str = "node", parts: int = 1, **attributes: Any) -> Node:
        """Makes a node; constant inputs are given as they are, all others without data.

        Raises:
            Refused: with the message.
        """
        values = {key: value.encode() if isinstance(value, str) else value for key, value in attributes.items()}
        constant = self.library.eb_constant_input(op.encode())
        given = tensors([np.ascontiguousarray(array) for array in inputs], data=False)
        if 0 <= constant < len(inputs):
            given[constant].data = inputs[constant].ctypes.data
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        handle = self.library.eb_node_create(
            byref(Attributes(op=op.encode(), **values)), name.encode(), given, c_size_t(len(inputs)), c_size_t(parts),
            message,
        )  # fmt: skip
        if not handle:
            raise Refused(message.value.decode())
        return Node(self.library, c_void_p(handle))

    def infer(self, op: str, inputs: Sequence[Array], **attributes: Any) -> list[tuple[tuple[int, ...], np.dtype[Any]]]:
        """Shape and type of each result, without a node and without data.

        Raises:
            Refused: with the message.
        """
        values = {key: value.encode() if isinstance(value, str) else value for key, value in attributes.items()}
        outputs, count = (Tensor * MAX_OUTPUTS)(), c_size_t()
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        given = tensors(inputs, data=False)
        if self.library.eb_infer_outputs(
            byref(Attributes(op=op.encode(), **values)), given, c_size_t(len(inputs)), outputs, byref(count), message
        ):
            raise Refused(message.value.decode())
        return _shapes_and_types(outputs[: count.value])

    def run(self, op: str, inputs: Sequence[Array], *, parts: int = 1, **attributes: Any) -> list[Array]:
        """Makes a node, runs it once."""
        return self.node(op, inputs, parts=parts, **attributes).run(inputs)


class Node:
    def __init__(self, library: ctypes.CDLL, handle: c_void_p) -> None:
        self.library, self.handle = library, handle

    def __del__(self) -> None:
        self.library.eb_node_destroy(self.handle)

    @property
    def kernel(self) -> str:
        return str(self.library.eb_node_kernel(self.handle).decode())

    @property
    def variant(self) -> str:
        return str(self.library.eb_node_variant(self.handle).decode())

    def output_shapes(self, inputs: Sequence[Array]) -> list[tuple[tuple[int, ...], np.dtype[Any]]]:
        """Shape and type of each result.

        Raises:
            Refused: with the message.
        """
        outputs = (Tensor * MAX_OUTPUTS)()
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        given = tensors(inputs, data=False)
        if self.library.eb_node_output_shapes(self.handle, given, c_size_t(len(inputs)), outputs, message):
            raise Refused(message.value.decode())
        return _shapes_and_types(outputs[: self.library.eb_node_output_count(self.handle)])

    def run(self, inputs: Sequence[Array], parallel_for: Any = None, outputs: list[Array] | None = None) -> list[Array]:
        """The results; each lies between guards that must stay as they are.

        Raises:
            Refused: with the message.
        """
        kept = [np.ascontiguousarray(array) for array in inputs]
        guards = []
        if outputs is None:
            outputs = []
            for shape, dtype in self.output_shapes(kept):
                size = int(np.prod(shape)) * dtype.itemsize
                guard = np.full(size + 128, 0xA5, np.uint8)
                guards.append((guard, size))
                outputs.append(guard[64 : 64 + size].view(dtype).reshape(shape))
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        refused = self.library.eb_node_run(
            self.handle, tensors(kept), c_size_t(len(kept)), tensors(outputs), parallel_for, None, message
        )
        if refused:
            raise Refused(message.value.decode())
        for guard, size in guards:
            assert (guard[:64] == 0xA5).all()
            assert (guard[64 + size :] == 0xA5).all()
        return [output.copy() for output in outputs]
