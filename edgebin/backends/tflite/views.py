"""Chains of RESHAPE and TRANSPOSE as few operators: conversions write them freely.

A chain is followed on the *atoms* of its first shape: factors of axes that stay together. Atoms that end in the order
in which they began make one RESHAPE; otherwise neighbours that stay neighbours become one axis of one TRANSPOSE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from edgebin.backends.tflite.graph import Graph, Operator, Shape, Tensor
from edgebin.backends.tflite.shape_ops import reshape, transpose

_VIEWS = ("RESHAPE", "TRANSPOSE")


@dataclass(frozen=True)
class _Atom:
    """A factor of the first shape. Atoms compare as their elements lie in memory: by `place`."""

    place: tuple[int, ...]
    size: int


_Axes = list[list[_Atom]]


def simplify_views(graph: Graph) -> None:
    """Write every chain of views with as few operators as it takes."""
    uses = _Uses(graph)
    for operator in list(graph.operators):
        if operator.kind in _VIEWS and uses.ends_chain(operator) and _shorten(graph, uses.chain(operator)):
            uses = _Uses(graph)
    graph.remove_unused()


class _Uses:
    """Who reads and writes the tensors of a graph as it is now."""

    def __init__(self, graph: Graph) -> None:
        self._readers, self._producers = graph.users(), graph.producers()
        self._kept = set(graph.outputs)

    def ends_chain(self, operator: Operator) -> bool:
        """Whether something other than one more view reads the result."""
        result = operator.outputs[0]
        readers = self._readers.get(result, [])
        return bool(readers or result in self._kept) and not (
            len(readers) == 1 and readers[0].kind in _VIEWS and result not in self._kept
        )

    def chain(self, last: Operator) -> list[Operator]:
        """The views that end in this one and whose results nobody else reads, in order."""
        chain = [last]
        while True:
            source = chain[0].inputs[0]
            assert source is not None
            before = self._producers.get(source)
            if before is None or before.kind not in _VIEWS or len(self._readers[source]) > 1 or source in self._kept:
                return chain
            chain.insert(0, before)


def _shorten(graph: Graph, chain: Sequence[Operator]) -> bool:
    for begin in range(len(chain)):
        part = chain[begin:]
        source = part[0].inputs[0]
        assert source is not None
        axes = _followed(source.shape, part)
        if axes is not None and _rewrite(graph, part, source, axes):
            return True
    return False


def _followed(shape: Shape, chain: Sequence[Operator]) -> _Axes | None:
    """The atoms of each axis behind the chain, or None where it splits one across another."""
    axes: _Axes = [[_Atom((number,), size)] for number, size in enumerate(shape)]
    for operator in chain:
        if operator.kind == "TRANSPOSE":
            order = operator.inputs[1]
            assert order is not None
            assert order.data is not None
            axes = [axes[axis] for axis in order.data.tolist()]
            continue
        regrouped = _regrouped([atom for axis in axes for atom in axis], operator.outputs[0].shape)
        if regrouped is None:
            return None
        axes = regrouped
    return axes


def _regrouped(atoms: list[_Atom], shape: Shape) -> _Axes | None:
    left = [_Atom(block[0].place, prod(atom.size for atom in block)) for block in _blocks(atoms)]
    axes: _Axes = []
    for size in shape:
        axis: list[_Atom] = []
        while size > 1:
            if not left:
                return None
            atom = left.pop(0)
            if size % atom.size == 0:
                axis.append(atom)
                size //= atom.size
            elif atom.size % size == 0:
                axis.append(_Atom((*atom.place, 0), size))
                left.insert(0, _Atom((*atom.place, 1), atom.size // size))
                size = 1
            else:
                return None
        axes.append(axis)
    return axes


def _rewrite(graph: Graph, chain: Sequence[Operator], source: Tensor, axes: _Axes) -> bool:
    """Put fewer operators before the chain's last, if that is possible; nobody then reads the chain."""
    result = chain[-1].outputs[0]
    count, at = len(graph.operators), graph.operators.index(chain[-1])
    graph.node = chain[-1].node
    order = _order_of_whole_axes(source.shape, axes)
    y = _by_blocks(graph, source, axes, result.shape) if order is None else transpose(graph, source, order)
    added, graph.operators = graph.operators[count:], graph.operators[:count]
    # An output of the graph needs an operator of its own.
    if len(added) >= len(chain) or (not added and result in graph.outputs):
        return False
    graph.operators[at:at] = added
    if added:
        y.name = result.name
    graph.replace(result, y)
    return True


def _order_of_whole_axes(shape: Shape, axes: _Axes) -> list[int] | None:
    """The order that makes one TRANSPOSE of everything, if no axis was split or joined."""
    if len(axes) != len(shape) or 1 in shape or any(len(axis) != 1 for axis in axes):
        return None
    order = [axis[0].place[0] for axis in axes]
    whole = all(axis[0].size == shape[number] for axis, number in zip(axes, order, strict=True))
    return order if whole and order != sorted(order) else None


def _by_blocks(graph: Graph, source: Tensor, axes: _Axes, shape: Shape) -> Tensor:
    """A RESHAPE, or one before and one after a TRANSPOSE, where these are needed."""
    blocks = _blocks([atom for axis in axes for atom in axis])
    turned = [block[0].place for block in blocks]
    in_memory = sorted(turned)
    y = source
    if turned != in_memory:
        sizes = {block[0].place: prod(atom.size for atom in block) for block in blocks}
        y = reshape(graph, y, tuple(sizes[place] for place in in_memory))
        y = transpose(graph, y, [in_memory.index(place) for place in turned])
    return reshape(graph, y, shape)


def _blocks(atoms: Sequence[_Atom]) -> list[list[_Atom]]:
    """Atoms of more than one element, each with those that follow it in memory too."""
    proper = [atom for atom in atoms if atom.size != 1]
    in_memory = sorted(proper, key=lambda atom: atom.place)
    blocks: list[list[_Atom]] = []
    for atom in proper:
        number = in_memory.index(atom)
        if blocks and number > 0 and in_memory[number - 1] is blocks[-1][-1]:
            blocks[-1].append(atom)
        else:
            blocks.append([atom])
    return blocks
