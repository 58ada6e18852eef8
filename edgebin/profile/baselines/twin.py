"""The full-precision twin of a binary model, as fp32 and int8 ONNX files: what the binary model is compared with."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError

import edgebin  # noqa: F401  # onnxruntime must not be imported before it
from edgebin.bundle import ModelInfo
from edgebin.errors import InputError
from edgebin.toolchain.packages import TFLITE_WRITER, require_packages

# Calibration inputs of the statically quantised twin. Their values change its accuracy, not its speed.
_CALIBRATION_IMAGES = 4
_QUANTIZED_OPS = ["MatMul", "Gemm"]


@dataclass(frozen=True)
class Twin:
    """An ONNX file with one input and one output, and the input's shape for one image."""

    path: Path
    input_name: str
    output_name: str
    input_shape: tuple[int, ...]


def export_twin(model: ModelInfo, path: Path) -> Twin:
    """Writes the full-precision twin of a bundle's model. Its weights are random (seeded): it is for latency only.

    Raises:
        InputError: the bundle does not say of what model it is, or it is a network of the user's own.
    """
    path.write_bytes(_twin_bytes(model.model_dump_json(exclude={"source_sha256"})))
    return open_twin(path)


@lru_cache(maxsize=1)
def _twin_bytes(model: str) -> bytes:
    """Kept for the other boards of a fleet, which want the same one."""
    from edgebin.graph.twin import twin_model

    read = json.loads(model)
    content: bytes = twin_model(read["id"], read["config"]).SerializeToString()
    return content


def open_twin(path: Path) -> Twin:
    """A file the user brings as the baseline.

    Raises:
        InputError: not an ONNX file, or not one with a single float32 image input and a single output.
    """
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error
    except DecodeError as error:
        raise InputError(f"`{path}` is not an ONNX model") from error
    weights = {initializer.name for initializer in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise InputError(
            f"`{path}` has {len(inputs)} inputs and {len(graph.output)} outputs; a baseline has one of each"
        )
    tensor = inputs[0].type.tensor_type
    sizes = [dimension.dim_value for dimension in tensor.shape.dim]
    if tensor.elem_type != onnx.TensorProto.FLOAT or not sizes or any(size < 1 for size in sizes[1:]):
        raise InputError(f"`{path}` does not take float32 of a fixed shape (the batch may be open)")
    return Twin(path, inputs[0].name, graph.output[0].name, (1, *sizes[1:]))


def write_tflite_twin(twin: Twin, path: Path, batch: int, *, int8: bool = False) -> Path:
    """Writes the twin as a `.tflite` of a fixed batch, of floats or with int8 weights in its dense layers.

    Raises:
        CompileError: TFLite cannot say one of its ops.
        ToolchainError: the packages that write it are not installed.
    """
    require_packages(TFLITE_WRITER, "tflite")
    from edgebin.backends.tflite.models import build_float_model

    path.write_bytes(build_float_model(ir.from_proto(onnx.load(twin.path)), batch, int8=int8).content)
    return path


def quantize_dynamically(twin: Twin, path: Path) -> Twin:
    """int8 weights; activations are quantised as they come. Convolutions stay fp32: their int8 form is slower."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(_without_shapes(twin), path, op_types_to_quantize=_QUANTIZED_OPS, weight_type=QuantType.QInt8)
    return Twin(path, twin.input_name, twin.output_name, twin.input_shape)


def quantize_statically(twin: Twin, path: Path) -> Twin:
    """int8 weights and activations with fixed ranges (QDQ format), calibrated on seeded noise."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    generator = np.random.default_rng(0)

    class Noise(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self.left = _CALIBRATION_IMAGES

        def get_next(self) -> dict[str, np.ndarray] | None:  # type: ignore[type-arg]
            self.left -= 1
            if self.left < 0:
                return None
            return {twin.input_name: generator.standard_normal(twin.input_shape).astype(np.float32)}

    with _quiet():
        quantize_static(
            _without_shapes(twin),
            path,
            Noise(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*_QUANTIZED_OPS, "Conv"],
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    return Twin(path, twin.input_name, twin.output_name, twin.input_shape)


def model_bytes(path: Path) -> int:
    """Size of an ONNX file with the external data beside it."""
    external = path.with_name(path.name + ".data")
    return path.stat().st_size + (external.stat().st_size if external.is_file() else 0)


def _without_shapes(twin: Twin) -> onnx.ModelProto:
    """The quantiser transposes weights and then trips over the shapes that were noted for them."""
    model = onnx.load(twin.path)
    del model.graph.value_info[:]
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """onnxruntime's quantiser advises, through the root logger, to preprocess what needs no preprocessing."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
