"""Modules that cannot be exported, and names of the nodes of those that can."""

import pytest
import torch
from torch import Tensor, nn

from edgebin.errors import ExportError
from edgebin.graph.export import export_module


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)) if x.sum() > 0 else x.amax((2, 3))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x).relu()).relu()


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ModuleList([Block(), Block()])
        self.add = nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for layer in self.layer:
            x = layer(x)
        return x + self.add


def test_module_that_branches_on_values_is_one_clear_error() -> None:
    with pytest.raises(ExportError, match="cannot export") as caught:
        export_module(Branching(), torch.zeros(2, 3, 4, 4))
    assert caught.value.hint


def test_names_come_from_the_module_tree_and_do_not_clash() -> None:
    graph = export_module(Network(), torch.zeros(1, 2, 2, 2)).graph
    names = [node.name for node in graph.node]
    assert {"layer.0.first", "layer.0.second", "layer.0.relu", "layer.0.relu_2", "layer.0.add"} <= set(names)
    assert "add" not in names  # a parameter has that name
    assert [value.name for value in graph.input] == ["pixel_values"]
    assert [value.name for value in graph.output] == ["logits"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
