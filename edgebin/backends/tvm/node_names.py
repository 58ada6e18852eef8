"""TVM's own functions, called after the nodes that they compute: `softmax__vit_encoder_layer_3_attention_softmax`.

TVM has one function for all calls that are alike, and calls it `fused_softmax1`: whose time that is cannot be told.
So the functions of nodes of `CHIEF_OPS` are set apart before TVM fuses, and named when it has; what it fuses with them
belongs to them. Other nodes keep what name TVM gives them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import onnx
import tvm
from tvm import relax

# Of what TVM fuses into one function, the first of these is what it is about.
CHIEF_OPS = (
    *("Conv", "ConvTranspose", "MatMul", "Gemm", "Softmax", "Erf", "ReduceMean"),
    *("AveragePool", "MaxPool", "GlobalAveragePool", "Transpose", "Gather", "Concat"),
)
# Ends with no digit: TVM tells equal names apart by numbers behind them.
_MARK = re.compile(r"__node(\d+)__")


def variable_name(nodes: Sequence[onnx.NodeProto], name: str) -> str | None:
    """What the variable of a node's result is called, so that `set_apart` knows it; None for other nodes."""
    for index, node in enumerate(nodes):
        if node.name == name and name and node.op_type in CHIEF_OPS:
            return f"result__node{index}__"
    return None


def set_apart(module: Any) -> Any:
    """Gives each call whose result bears a node's mark a function of its own, with the mark in its name."""

    def marked(variable: str, function: str) -> str | None:
        mark = _MARK.search(variable)
        return function + mark[0] if mark else None

    return _calling(module, marked)


def named(module: Any, nodes: Sequence[onnx.NodeProto]) -> tuple[Any, dict[str, tuple[str, str]]]:
    """The module with its marked functions named after their nodes; by those names, each one's op and node."""
    found: dict[str, tuple[str, str]] = {}

    def after_node(_variable: str, function: str) -> str | None:
        indices = {int(index) for index in _MARK.findall(function)}
        if not indices:
            return None
        chief = min((nodes[index] for index in indices), key=lambda node: CHIEF_OPS.index(node.op_type))
        op = chief.op_type.lower()
        stem = f"{op}__{re.sub(r'[^A-Za-z0-9]+', '_', chief.name).strip('_')}"
        name, count = stem, 1
        while name in found:
            name, count = f"{stem}_{count}", count + 1
        found[name] = (op, chief.name)
        return name

    renamed = _calling(module, after_node)
    kept = {variable: f for variable, f in renamed.functions.items() if not _MARK.search(variable.name_hint)}
    return tvm.IRModule(kept, attrs=renamed.attrs), found


def _calling(module: Any, rename: Callable[[str, str], str | None]) -> Any:
    """The module with a copy of each called function for which `rename(result's variable, function)` gives a name."""
    caller = _Caller(module, rename)
    for variable, function in module.functions.items():
        if isinstance(function, relax.Function):
            caller.builder_.update_func(variable, caller.visit_expr(function))
    return caller.builder_.get()


@relax.expr_functor.mutator
class _Caller(relax.PyExprMutator):  # type: ignore[misc]
    def __init__(self, module: Any, rename: Callable[[str, str], str | None]) -> None:
        super().__init__(module)
        self.module, self.rename = module, rename

    def visit_var_binding_(self, binding: Any) -> None:
        value, name = binding.value, None
        if isinstance(value, relax.Call) and value.op == tvm.ir.Op.get("relax.call_tir"):
            name = self.rename(binding.var.name, value.args[0].name_hint)
        if name is None:
            super().visit_var_binding_(binding)
            return
        # The attribute keeps TVM from taking functions for one that differ in their names alone.
        function = self.module[value.args[0]].with_attr("edgebin.name", name)
        variable = self.builder_.add_func(function, name)
        call = relax.call_tir(variable, self.visit_expr(value.args[1]), list(value.ty_args))
        emit = self.builder_.emit if isinstance(binding.var, relax.DataflowVar) else self.builder_.emit_output
        self.set_var_remap(binding.var, emit(call, binding.var.name))
