"""Single applications of ops, many to a graph: compiling once covers all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lxc.ir.builder import make_node
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Node, Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, type_of_array
from lxc.structure import LEAF, Structure
from tests.targets.backends import Backend


@dataclass(frozen=True)
class Case:
    """One op on arrays; `ulps` is how far a float result may be from the exact one."""

    name: str
    op: str
    operands: tuple[Array, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    bodies: tuple[Body, ...] = ()
    ulps: float = 0.5


def graph_of(name: str, cases: Sequence[Case]) -> Graph:
    """Return a graph whose outputs are the results of all cases."""
    inputs: list[Value] = []
    nodes: list[Node] = []
    outputs: list[Value] = []
    for case in cases:
        operands = []
        for array in case.operands:
            operands.append(Value(type_of_array(array), f"%x.{len(inputs)}"))
            inputs.append(operands[-1])
        node = make_node(OPS[case.op], tuple(operands), case.attributes, case.bodies)
        nodes.append(node)
        outputs += node.results
    return Graph(
        name,
        inputs=tuple(inputs),
        nodes=tuple(nodes),
        outputs=tuple(outputs),
        input_tree=Structure("list", (), (LEAF,) * len(inputs)),
        output_tree=Structure("list", (), (LEAF,) * len(outputs)),
        param_tree=Structure("list"),
        state_tree=Structure("list"),
    )


def results(
    name: str, cases: Sequence[Case], target: Backend, folder: Path
) -> dict[str, tuple[Case, tuple[Array, ...], tuple[Array, ...]]]:
    """Return, for each case, what the back end makes of it and what is exact."""
    graph = graph_of(name, cases)
    inputs = [array for case in cases for array in case.operands]
    with np.errstate(all="ignore"):
        actual, _ = target.load(graph, folder).run(inputs)
        exact, _ = evaluate(graph, inputs, wide=True)
    found, position = {}, 0
    for case, node in zip(cases, graph.nodes, strict=True):
        end = position + len(node.results)
        found[case.name] = (case, actual[position:end], exact[position:end])
        position = end
    return found


def check_close(actual: Array, exact: Array, dtype: np.dtype[Any], ulps: float) -> None:
    """Fail unless every element is within some units in the last place of `dtype`."""
    if dtype.kind in "iub":
        np.testing.assert_array_equal(actual, exact)
        return
    with np.errstate(all="ignore"):
        rounded = exact.astype(dtype).astype(np.float64)
        found = actual.astype(dtype).astype(np.float64)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(rounded))
        finite = np.isfinite(rounded) & np.isfinite(found)
        unit = spacing(np.where(finite, rounded, 1.0), dtype)
        apart = np.where(finite, np.abs(found - exact), 0.0) / unit
        edge = ~finite & ~np.isnan(rounded) & (found != rounded)
    assert float(np.max(apart, initial=0.0)) <= ulps + 1e-9, f"{np.max(apart)} ulp apart"
    # A result next to the largest number may round to either side of it.
    largest = float(np.finfo(np.float32).max) if dtype.itemsize > 2 else np.inf
    assert not edge.any() or np.abs(exact[edge]).min() >= largest * (1 - 1e-6), "infinity"


def spacing(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return the distance to the next number of `dtype` above each magnitude."""
    digits = {"float64": 52, "float32": 23, "float16": 10, "bfloat16": 7}[dtype.name]
    lowest = {"float64": -1022, "float32": -126, "float16": -14, "bfloat16": -126}
    _, exponent = np.frexp(np.abs(values))
    return np.asarray(np.ldexp(1.0, np.maximum(exponent - 1, lowest[dtype.name]) - digits))
