"""The standard-ONNX bodies of the concept ops against the torch ops, exactly, in runtimes that do not know the ops."""

from typing import Any

import numpy as np
import onnx
import pytest
import torch

from edgebin.graph.functions import single_op_model
from edgebin.graph.ops import CONCEPT_OPS, DOMAIN
from edgebin.graph.runtimes import Array, run_onnxruntime, run_reference
from edgebin.nn.packing import pack_bits

WIDTHS = [16, 24, 65, 384]
# Inputs whose leading axes are dynamic in the models below.
_DYNAMIC = ("x", "bits", "negative", "not_positive", "q")


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


def floats(random: np.random.Generator, *shape: int) -> Array:
    return random.standard_normal(shape).astype(np.float32)


def bits(random: np.random.Generator, *shape: int) -> Array:
    return pack_bits(torch.from_numpy(random.random(shape) < 0.5)).numpy()


def assert_bodies_agree(name: str, inputs: dict[str, Array], leading: int = 1, **attributes: int) -> Array:
    """Runs the op's body and its torch op; the first `leading` axes of the first input are dynamic."""
    op = CONCEPT_OPS[name]
    types = {
        key: onnx.helper.make_tensor_type_proto(
            onnx.helper.np_dtype_to_tensor_dtype(array.dtype),
            [f"{key}_{axis}" if axis < leading and key in _DYNAMIC else size for axis, size in enumerate(array.shape)],
        )
        for key, array in inputs.items()
    }
    model = single_op_model(name, types, attributes)
    arguments: list[Any] = [torch.from_numpy(array) for array in inputs.values()]
    arguments += [bool(value) if key == "circular" else value for key, value in attributes.items()]
    expected = op.torch_op(*arguments).numpy()
    output = op.schema.outputs[0].name
    for run in (run_onnxruntime, run_reference):
        result = run(model, inputs, [output])[output]
        assert result.dtype == expected.dtype
        assert np.array_equal(result, expected), run.__name__
    return expected


@pytest.mark.parametrize("channels", WIDTHS)
@pytest.mark.parametrize("rows", [(3,), (2, 5), (1, 2, 3)])
def test_sign_pack(channels: int, rows: tuple[int, ...], random: np.random.Generator) -> None:
    x = floats(random, *rows, channels)
    x.flat[0], x.flat[1], x.flat[2] = 0.0, -0.0, np.nan
    assert_bodies_agree("SignPack", {"x": x, "threshold": floats(random, channels)}, leading=len(rows))


@pytest.mark.parametrize("k", WIDTHS)
@pytest.mark.parametrize("tokens", [1, 5, 49])
def test_binary_linear(k: int, tokens: int, random: np.random.Generator) -> None:
    inputs = {"bits": bits(random, 2, tokens, k), "weight": bits(random, 7, k)}
    inputs |= {"scale": floats(random, 7), "bias": floats(random, 7)}
    assert_bodies_agree("BinaryLinear", inputs, leading=2, k=k)


def test_binary_linear_of_equal_rows_reaches_k(random: np.random.Generator) -> None:
    """The largest sum there is, at a width where a byte or an int16 would overflow in a careless body."""
    k = 40_000
    row = bits(random, 1, k)
    inputs = {"bits": row, "weight": row, "scale": np.ones(1, np.float32), "bias": np.zeros(1, np.float32)}
    assert assert_bodies_agree("BinaryLinear", inputs, k=k).item() == k


@pytest.mark.parametrize(
    ("heads", "head_dim", "queries", "keys", "maps"),
    [(2, 8, 1, 5, 1), (3, 32, 5, 49, 3), (6, 64, 197, 197, 1), (1, 24, 49, 5, 2), (1, 248, 5, 5, 1)],
)
def test_binary_attention(
    heads: int, head_dim: int, queries: int, keys: int, maps: int, random: np.random.Generator
) -> None:
    channels = heads * head_dim
    inputs = {"q": bits(random, 2, queries, channels)}
    inputs |= {name: bits(random, 2, keys, channels) for name in ("k", "v")}
    inputs["exp_table"] = np.sort(random.integers(0, 1 << 40, head_dim + 1))
    inputs["limit"] = np.sort(random.integers(0, keys << 40, (maps, heads, head_dim + 1)), axis=-1)
    context = assert_bodies_agree("BinaryAttention", inputs, heads=heads, head_dim=head_dim)
    assert context.any()


def test_binary_attention_sums_in_64_bits(random: np.random.Generator) -> None:
    """Sums of exponentials beyond 2**53 would lose their last bit in a float."""
    same = bits(random, 1, 3, 8)[:, :1].repeat(3, axis=1)
    table = np.full(9, 2**60 + 1)
    for limit, expected in ((3 * 2**60 + 3, 0), (3 * 2**60 + 4, 3)):
        inputs = {"q": same, "k": same, "v": same, "exp_table": table, "limit": np.full((1, 1, 9), limit)}
        context = assert_bodies_agree("BinaryAttention", inputs, heads=1, head_dim=8)
        assert set(np.abs(context).flat) == {expected}


@pytest.mark.parametrize("k", WIDTHS)
@pytest.mark.parametrize("tokens", [1, 49])
def test_ternary_linear(k: int, tokens: int, random: np.random.Generator) -> None:
    x = random.integers(-1, 2, (2, tokens, k))
    planes = {"negative": x < 0, "not_positive": x <= 0}
    inputs = {name: pack_bits(torch.from_numpy(plane)).numpy() for name, plane in planes.items()}
    inputs |= {"weight": bits(random, 7, k), "scale": floats(random, 7), "bias": floats(random, 7)}
    assert_bodies_agree("TernaryLinear", inputs, leading=2, k=k)


@pytest.mark.parametrize("k", WIDTHS)
@pytest.mark.parametrize("tokens", [1, 49])
def test_signed_linear(k: int, tokens: int, random: np.random.Generator) -> None:
    inputs = {"x": floats(random, 2, tokens, k), "weight": bits(random, 7, k)}
    inputs |= {"scale": floats(random, 7), "bias": floats(random, 7)}
    assert_bodies_agree("SignedLinear", inputs, leading=2, k=k)


@pytest.mark.parametrize(
    ("size", "channels", "outputs", "kernel", "dilation", "groups"),
    [
        ((1, 1), 16, 8, 3, 1, 4),
        ((4, 7), 16, 8, 3, 5, 4),  # most taps lie outside the image
        ((7, 5), 24, 6, 3, 3, 2),
        ((3, 4), 65, 2, 5, 2, 1),
        ((14, 14), 128, 128, 3, 1, 4),
        ((2, 3), 66, 3, 1, 1, 3),
    ],
)
def test_binary_conv2d(
    size: tuple[int, int],
    channels: int,
    outputs: int,
    kernel: int,
    dilation: int,
    groups: int,
    random: np.random.Generator,
) -> None:
    inputs = {"bits": bits(random, 2, *size, channels), "weight": bits(random, outputs, kernel**2 * channels // groups)}
    inputs |= {"scale": floats(random, outputs), "bias": floats(random, outputs)}
    sizes = {"kernel": kernel, "dilation": dilation, "groups": groups, "channels": channels}
    assert_bodies_agree("BinaryConv2d", inputs, leading=3, **sizes)


@pytest.mark.parametrize(
    ("heads", "head_dim", "queries", "keys", "drop"),
    [(2, 8, 1, 5, 0), (3, 32, 5, 49, 3), (6, 64, 197, 197, 5), (1, 24, 49, 5, 2), (1, 248, 5, 5, 248)],
)
def test_relative_attention(
    heads: int, head_dim: int, queries: int, keys: int, drop: int, random: np.random.Generator
) -> None:
    inputs = {"q": bits(random, 2, queries, heads * head_dim)}
    inputs |= {name: bits(random, 2, keys, heads * head_dim) for name in ("k", "v")}
    assert_bodies_agree("RelativeAttention", inputs, heads=heads, head_dim=head_dim, drop=drop)


@pytest.mark.parametrize(
    ("images", "groups", "heads", "head_dim", "queries", "keys"),
    [(2, 1, 2, 8, 1, 5), (1, 4, 3, 32, 49, 49), (3, 4, 3, 32, 5, 4), (2, 3, 1, 248, 5, 5)],
)
def test_biased_attention(
    images: int, groups: int, heads: int, head_dim: int, queries: int, keys: int, random: np.random.Generator
) -> None:
    inputs = {"q": bits(random, images * groups, queries, heads * head_dim)}
    inputs |= {name: bits(random, images * groups, keys, heads * head_dim) for name in ("k", "v")}
    inputs["bias"] = floats(random, groups, heads, queries, keys)
    inputs["scale"] = np.array([head_dim**-0.5], np.float32)
    inputs["margin"] = np.array([np.log(4)], np.float32)
    assert_bodies_agree("BiasedAttention", inputs, heads=heads, head_dim=head_dim)


@pytest.mark.parametrize("channels", WIDTHS)
def test_rprelu(channels: int, random: np.random.Generator) -> None:
    inputs = {"x": floats(random, 2, 5, channels)}
    inputs |= {name: floats(random, channels) for name in ("shift", "slope", "offset")}
    assert_bodies_agree("RPReLU", inputs, leading=2)


@pytest.mark.parametrize("circular", [0, 1])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (3, 2), (14, 14)])
def test_plus_stencil(circular: int, size: tuple[int, int], random: np.random.Generator) -> None:
    inputs = {"x": floats(random, 2, *size, 24), "taps": floats(random, 9, 24), "bias": floats(random, 24)}
    assert_bodies_agree("PlusStencil", inputs, leading=3, circular=circular)


@pytest.mark.parametrize("name", CONCEPT_OPS)
def test_schema_body_and_torch_op_have_the_same_signature(name: str) -> None:
    op = CONCEPT_OPS[name]
    assert onnx.defs.get_schema(name, 1, DOMAIN).doc == op.schema.doc
    assert [value.name for value in op.schema.inputs] == list(op.function.input)
    assert [value.name for value in op.schema.outputs] == list(op.function.output)
    assert sorted(op.schema.attributes) == sorted(op.function.attribute)
    arguments = [argument.name for argument in op.torch_op._schema.arguments]
    assert arguments == [*op.function.input, *op.function.attribute]


def test_a_row_of_another_length_is_refused(random: np.random.Generator) -> None:
    types = {
        "bits": onnx.helper.make_tensor_type_proto(onnx.TensorProto.UINT8, ["n", 8]),
        "weight": onnx.helper.make_tensor_type_proto(onnx.TensorProto.UINT8, [7, 8]),
        "scale": onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [7]),
        "bias": onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [7]),
    }
    with pytest.raises(onnx.shape_inference.InferenceError, match="a row of bits is 8, not 16"):
        single_op_model("BinaryLinear", types, {"k": 65})
