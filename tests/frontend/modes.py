"""Two ways to run a layer that have to agree: at once on arrays, and as a traced graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc import kaun
from lxc.frontend import setup, trace_layer
from lxc.frontend.kaun import trace_kaun
from lxc.ir import Graph, evaluate, parse_graph, verify
from lxc.tree import flatten, unflatten

Array = np.ndarray[Any, Any]

F32 = {"rtol": 1e-5, "atol": 1e-6}
SUMS = {"rtol": 1e-4, "atol": 1e-5}
"""Tolerances: elementwise functions, and sums of products."""


def f32(values: Any) -> Array:
    """Return a float32 array."""
    return np.asarray(values, np.float32)


def draw(*shape: int, seed: int = 0) -> Array:
    """Return float32 numbers from N(0, 1)."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def close(actual: Any, expected: Any, *, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Assert that two arrays have one shape and agree."""
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, np.asarray(expected), rtol=rtol, atol=atol)


def same(actual: Any, expected: Any) -> None:
    """Assert that two trees have one structure and equal leaves, bit by bit."""
    leaves, structure = flatten(actual)
    others, other = flatten(expected)
    assert structure == other
    for one, two in zip(leaves, others, strict=True):
        np.testing.assert_array_equal(one, two, strict=True)


def through_text(graph: Graph) -> Graph:
    """Return the graph that its text form describes, which has to print alike."""
    verify(graph)
    text = str(graph)
    again = parse_graph(text, graph.arrays)
    assert str(again) == text
    verify(again)
    return again


def run_graph(
    graph: Graph, x: Any, ps: Any, st: Any, *, wide: bool = False
) -> tuple[Any, Any]:
    """Return output and state trees of a graph on trees of arrays."""
    leaves = [flatten(tree)[0] for tree in (x, ps, st)]
    outputs, updates = evaluate(graph, *leaves, wide=wide)
    return unflatten(graph.output_tree, outputs), unflatten(graph.state_tree, updates)


class Mode:
    """How layers run in a test."""

    def __init__(self, traced: bool) -> None:
        """Run through a graph and its text if `traced`, else at once."""
        self.traced = traced

    def lux(self, model: Any, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return output and new state of a layer of the Lux family."""
        if not self.traced:
            y, after = model(x, ps, st)
            return y, after
        return run_graph(through_text(trace_layer(model, x, ps, st)), x, ps, st)

    def fresh(self, model: Any, x: Any) -> Any:
        """Return the output of a layer with the variables of seed 0."""
        return self.lux(model, x, *setup(0, model))[0]

    def kaun(
        self,
        layer: Any,
        vars: Any,
        x: Any,
        training: bool = False,
        rngs: Any = None,
        ctx: Any = None,
    ) -> tuple[Any, Any]:
        """Return output and new variables of a layer of the Kaun family."""
        if not self.traced:
            return kaun.apply(layer, vars, x, training, rngs, ctx)
        graph = trace_kaun(layer, x, vars, training=training, rngs=rngs, ctx=ctx)
        given = {"x": x, "rngs": rngs, "ctx": dict(ctx.bindings) if ctx else None}
        inputs = {name: tree for name, tree in given.items() if tree is not None}
        y, state = run_graph(through_text(graph), inputs, vars.params, vars.state)
        return y, vars.with_state(state)


def ops_of(graph: Graph) -> Sequence[str]:
    """Return the names of all ops that compute, in order, bodies included."""
    found: list[str] = []
    pending = list(graph.nodes)
    while pending:
        node = pending.pop(0)
        if node.bodies:
            pending[:0] = node.bodies[0].nodes
        else:
            found.append(node.op.name)
    return found
