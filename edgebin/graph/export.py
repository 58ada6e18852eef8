"""A frozen PyTorch model as ONNX: our ops as nodes, named after the modules, and nothing of this machine in it."""

from __future__ import annotations

import ast
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import onnx
import onnx_ir as ir
import onnxscript
import torch
from torch import Tensor, nn

from edgebin.errors import ExportError
from edgebin.graph.functions import attach_functions
from edgebin.graph.ops import CONCEPT_OPS, DOMAIN, DOMAIN_VERSION, OPSET, ConceptOp
from edgebin.graph.simplify import simplify

INPUT_NAME = "pixel_values"
OUTPUT_NAME = "logits"
BATCH_NAME = "batch"

# Notes of PyTorch's exporter: the modules round a node, and the marks of a tensor that belongs to a module.
_NAME_SCOPES = "pkg.torch.onnx.name_scopes"
_PARAMETER = "pkg.torch.onnx.original_node_name"


def export_module(frozen: nn.Module, pixel_values: Tensor) -> onnx.ModelProto:
    """Writes a model for inference as ONNX, with the batch left open.

    Nodes are named after the module that they come from (`encoder.layer.0.attention.query.linear`), tensors after the
    node that makes them. The same model and input shape give the same bytes.

    Args:
        frozen: what `edgebin.nn.freeze` returns, or a full-precision model in evaluation mode.
        pixel_values: an example input, float32 [batch, 3, height, width]; only its shape matters.

    Raises:
        ExportError: PyTorch cannot trace the model, or ONNX finds fault with the result.
    """
    if pixel_values.shape[0] == 1:
        pixel_values = pixel_values.expand(2, *pixel_values.shape[1:])  # torch.export takes a size of 1 for a constant
    with _quiet():
        try:
            program = torch.onnx.export(
                frozen.eval(),
                (pixel_values,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT_NAME],
                output_names=[OUTPUT_NAME],
                dynamic_shapes=({0: torch.export.Dim(BATCH_NAME)},),
                custom_translation_table={op.torch_op: _translation(op) for op in CONCEPT_OPS.values()},
                optimize=False,  # see edgebin.graph.simplify
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise ExportError(
                f"PyTorch cannot export the model: {_last_line(error)}",
                hint="the forward pass may use tensor operations only, and no Python branch on a tensor's value",
            ) from error
    assert program is not None  # with dynamo=True
    model = program.model
    with _quiet():
        simplify(model)
    _name_after_modules(model.graph)
    _forget_origin(model)
    proto = ir.to_proto(model)
    for node in proto.graph.node:
        node.attribute.sort(key=lambda attribute: attribute.name)
    attach_functions(proto)
    proto.producer_name, proto.producer_version = "edgebin", ""
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the exported graph is not valid ONNX: {_last_line(error)}") from error
    return proto


def _translation(op: ConceptOp) -> Callable[..., Any]:
    """What the exporter calls in the place of the torch op."""
    node = onnxscript.values.Op(onnxscript.values.Opset(DOMAIN, DOMAIN_VERSION), op.name, op.schema)
    inputs, attributes = len(op.schema.inputs), tuple(op.function.attribute)

    def translate(*arguments: Any) -> Any:
        values = zip(attributes, arguments[inputs:], strict=True)
        return node(*arguments[:inputs], **{name: int(value) for name, value in values})

    return translate


def _name_after_modules(graph: ir.Graph) -> None:
    """Names nodes after their module; where a module has several, their kind and a number tell them apart."""
    paths = {node: _module_path(node) for node in graph}
    nodes_of = Counter(paths.values())
    containers = {path[:end] for path in nodes_of for end, letter in enumerate(path) if letter == "."}
    constants = [value for value in graph.initializers.values() if _PARAMETER not in value.metadata_props]
    taken = {INPUT_NAME, OUTPUT_NAME} | set(graph.initializers) - {value.name for value in constants}
    for node, path in paths.items():
        kind = node.op_type.lower()
        is_whole_module = path and nodes_of[path] == 1 and path not in containers
        name = path if is_whole_module else f"{path}.{kind}".removeprefix(".")
        node.name = _unique(name, taken)
        for index, output in enumerate(node.outputs):
            if not output.is_graph_output():
                output.name = node.name if index == 0 else f"{node.name}:{index}"
    for value in constants:
        user = next(iter(value.uses())).node
        value.name = _unique(f"{user.name}.constant", taken)


def _module_path(node: ir.Node) -> str:
    scopes: list[str] = ast.literal_eval(node.metadata_props.get(_NAME_SCOPES, "['', '']"))
    return scopes[-2] if len(scopes) > 1 else ""


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate


def _forget_origin(model: ir.Model) -> None:
    """Takes out stack traces and other notes of the exporter: they hold paths of this machine."""
    holders: list[ir.Model | ir.Graph | ir.Node | ir.Value] = [model, model.graph, *model.graph.inputs]
    holders += model.graph.initializers.values()
    for node in model.graph:
        holders += [node, *node.outputs]
    for holder in holders:
        holder.metadata_props.clear()
        holder.doc_string = None


def _last_line(error: Exception) -> str:
    cause = error.__cause__ or error
    return str(cause).strip().splitlines()[-1] if str(cause).strip() else type(cause).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps PyTorch's remarks about itself off the screen."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
