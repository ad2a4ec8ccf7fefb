"""Trace a function of arrays into a graph and run it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, expression
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.parser import parse_graph
from lxc.ir.tensor import Tensor
from lxc.ir.types import Array, type_of_array
from lxc.ir.verify import verify
from lxc.structure import LEAF, Structure

ROWS = Dim("N", 0, 100)


def placeholders(arrays: Sequence[Array], symbolic: bool = False) -> list[Tensor]:
    """Return traced tensors for arrays; `symbolic` makes the first size of each unknown."""
    build = Builder()
    tensors = []
    for place, array in enumerate(arrays):
        entry = type_of_array(array)
        if symbolic and entry.rank:
            entry = entry.with_shape((expression(ROWS), *entry.shape[1:]))
        tensors.append(Tensor(Value(entry, f"%x_{place}"), build))
    return tensors


def graph_of(tensors: Sequence[Tensor], results: Any) -> Graph:
    """Return the verified graph from placeholders to results."""
    build = tensors[0].builder
    listed = results if isinstance(results, list | tuple) else [results]
    graph = Graph(
        "m",
        dims=(ROWS,),
        inputs=tuple(tensor.value for tensor in tensors),
        nodes=tuple(build.nodes),
        outputs=tuple(result.value for result in listed),
        data=tuple(value for value, _ in build.data.values()),
        arrays={value.name: array for value, array in build.data.values()},
        input_tree=Structure("tuple", (), (LEAF,) * len(tensors)),
    )
    verify(graph)
    return parse_graph(str(graph), graph.arrays)


def traced(
    function: Callable[..., Any], *arrays: Array, symbolic: bool = False
) -> list[Array]:
    """Return what `function` gives on arrays when it is traced first."""
    tensors = placeholders(arrays, symbolic)
    graph = graph_of(tensors, function(*tensors))
    return list(evaluate(graph, arrays)[0])


def same(one: Any, two: Any) -> None:
    """Check that two results are equal in type, shape and every bit that counts."""
    ones = one if isinstance(one, list | tuple) else [one]
    twos = two if isinstance(two, list | tuple) else [two]
    for left, right in zip(ones, twos, strict=True):
        np.testing.assert_array_equal(np.asarray(left), np.asarray(right), strict=True)
