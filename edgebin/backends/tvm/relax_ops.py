"""edgebin's kernels as Relax ops: `edgebin.b1_gemm`, `edgebin.rows`, … (`_KERNELS`).

Each is registered with its result type and a legalisation that writes a glue function and calls it from a PrimFunc.
What a call needs beyond its tensors (the kernel's variant, names of its buffers, k, …) is in its attributes.
Legalisation happens inside `collecting(glue)`, which says into which file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import tvm
from tvm import relax

from edgebin.backends.tvm.calls import (
    attention_call,
    conv_call,
    gemm_call,
    layernorm_call,
    matmul_call,
    rows_call,
    stencil_call,
)
from edgebin.backends.tvm.glue import Buffer, Glue, GlueCall
from edgebin.kernels.variants import Variant, find_variant

_glue: ContextVar[Glue] = ContextVar("glue")


@contextmanager
def collecting(glue: Glue) -> Iterator[None]:
    """Legalise edgebin's ops into `glue` inside this block."""
    token = _glue.set(glue)
    try:
        yield
    finally:
        _glue.reset(token)


def kernel_op(
    kernel: str, args: Sequence[Any], *, variant: Variant, names: Sequence[str], results: Sequence[Buffer], label: str,
    **attributes: int,
) -> Any:  # fmt: skip
    """A call of the Relax op `edgebin.<kernel>`; `names` name its buffers, `results` its outputs."""
    _register_once()
    attrs = tvm.ir.make_node(
        "ir.DictAttrs",
        label=label,
        variant=variant.path,
        names=list(names),
        results=[buffer.name for buffer in results],
        result_shapes=[list(buffer.shape) for buffer in results],
        result_dtypes=[buffer.dtype for buffer in results],
        **attributes,
    )
    return relax.Call(tvm.ir.Op.get(f"edgebin.{kernel}"), list(args), attrs=attrs)


def _results(call: Any) -> list[Buffer]:
    attrs = call.attrs
    shapes = [tuple(int(size) for size in shape) for shape in attrs["result_shapes"]]
    return [
        Buffer(str(name), shape, str(dtype))
        for name, shape, dtype in zip(attrs["results"], shapes, attrs["result_dtypes"], strict=True)
    ]


def _inputs(call: Any) -> list[Buffer]:
    return [
        Buffer(str(name), tuple(int(size) for size in arg.ty.shape), str(arg.ty.dtype))
        for name, arg in zip(call.attrs["names"], call.args, strict=True)
    ]


def _infer_type(call: Any, _builder: Any) -> Any:
    types = [relax.TensorType(list(buffer.shape), buffer.dtype) for buffer in _results(call)]
    return types[0] if len(types) == 1 else relax.TupleType(types)


def _kernel_call(kernel: str, call: Any, glue: Glue) -> GlueCall:
    attrs = call.attrs
    operation = "f32_gemm" if kernel == "f32_matmul" else kernel
    variant = find_variant(operation, str(attrs["variant"]))
    common: dict[str, Any] = {"variant": variant, "inputs": _inputs(call), "outputs": _results(call)}
    label = str(attrs["label"])
    sizes: dict[str, Any] = {name: int(attrs[name]) for name in attrs.keys() if name in _SIZES}  # noqa: SIM118  (not a dict)
    match kernel:
        case "b1_gemm" | "w1_gemm" | "f32_gemm":
            return gemm_call(kernel, label, cores=glue.cores, **common, **sizes)
        case "b1_conv":
            return conv_call(label, cores=glue.cores, **common, **sizes)
        case "f32_matmul":
            return matmul_call(label, **common, **sizes)
        case "rows":
            return rows_call(label, cores=glue.cores, **common, **sizes)
        case "layernorm":
            return layernorm_call(label, cores=glue.cores, **common, **sizes)
        case "f32_stencil":
            return stencil_call(label, cores=glue.cores, **common, **sizes)
        case _:
            return attention_call(kernel, label, **common, **sizes)


def _legalize(kernel: str, builder: Any, call: Any) -> Any:
    glue = _glue.get()
    described = _kernel_call(kernel, call, glue)
    symbol = glue.add(described)
    function = builder.add_func(_prim_func(symbol, described), symbol)
    return relax.call_tir(function, list(call.args), list(call.ty.fields) if len(described.outputs) > 1 else call.ty)


def _prim_func(symbol: str, call: GlueCall) -> Any:
    """A PrimFunc that calls the glue function once per block; opaque to TVM's fusion."""
    buffers = [*call.inputs, *call.outputs]
    whole = {b.name: f"{b.name}[{', '.join(f'0:{size}' for size in b.shape)}]" for b in buffers}
    first = [f"T.address_of({b.name}[{', '.join('0' for _ in b.shape)}])" for b in buffers]
    parameters = ", ".join(f'{b.name}: T.Buffer({b.shape}, "{b.dtype}")' for b in buffers)
    loop = "T.parallel" if call.blocks > 1 else "T.serial"
    return tvm.script.from_source(f'''
@T.prim_func(private=True, s_tir=True)
def {symbol}({parameters}):
    T.func_attr({{"op_pattern": 8, "tirx.noalias": True, "tirx.is_scheduled": True}})
    for block in {loop}({call.blocks}):
        with T.sblock("kernel"):
            part = T.axis.spatial({call.blocks}, block)
            T.reads({", ".join(whole[b.name] for b in call.inputs)})
            T.writes({", ".join(whole[b.name] for b in call.outputs)})
            T.evaluate(T.call_extern("int32", "{symbol}", {", ".join(first)}, part))
''')


_KERNELS = (
    *("b1_gemm", "w1_gemm", "f32_gemm", "f32_matmul", "b1_conv", "rows", "layernorm", "f32_stencil"),
    *("b1_attention", "b1_relative_attention", "b1_biased_attention"),
)
# Attributes that are numbers for edgebin.backends.tvm.calls.
_SIZES = frozenset(
    {
        *("k", "n", "pool", "kernel_size", "dilation", "groups", "channels"),
        *("heads", "head_dim", "drop", "circular", "epsilon_bits"),
    }
)
_registered = False


def _register_once() -> None:
    global _registered
    if _registered:
        return
    _registered = True
    for kernel in _KERNELS:
        _register(f"edgebin.{kernel}", _infer_type, partial(_legalize, kernel))


def _register(name: str, infer_type: Callable[..., Any], legalize: Callable[..., Any]) -> None:
    tvm.ir._ffi_api.RegisterOp(name, name)
    tvm.ir.register_op_attr(name, "FPurity", True)
    tvm.ir.register_op_attr(name, "FInferType", infer_type)
    tvm.ir.register_op_attr(name, "FLegalize", legalize)
