"""Loops over a sequence: at once on arrays, and as one node of a graph."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn, ops
from lxc.errors import LxcError
from lxc.ir import Graph, evaluate, parse_graph
from lxc.ir.node import walk
from lxc.tree import flatten, unflatten

Function = Callable[[Any], Any]


def draw(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def traced(function: Function, x: Any, spec: Any = None) -> tuple[Any, Graph]:
    """Return what the graph of a function computes, through text, and the graph."""
    graph = lxc.trace(nn.WrappedFunction(function), x if spec is None else spec, {}, {})
    again = parse_graph(str(graph), graph.arrays)
    outputs, _ = evaluate(again, flatten(x)[0])
    return unflatten(graph.output_tree, outputs), graph


def both(function: Function, x: Any) -> Any:
    """Return the result on arrays, after comparing that of the graph."""
    result = function(x)
    again, _ = traced(function, x)
    for one, two in zip(flatten(result)[0], flatten(again)[0], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-6)
    return result


def summed(carry: Any, x: Any) -> tuple[Any, Any]:
    after = carry + x
    return after, after


def test_a_running_sum() -> None:
    x = draw(5, 3)
    last, all_sums = both(lambda x: ops.scan(summed, np.zeros(3, np.float32), x), x)
    np.testing.assert_allclose(all_sums, np.cumsum(x, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(last, all_sums[-1])


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_any_axis_can_be_walked(axis: int) -> None:
    x = draw(4, 3, 2)
    start = np.zeros(np.delete(x.shape, axis), np.float32)
    _, sums = both(lambda x: ops.scan(summed, start, x, axis=axis), x)
    np.testing.assert_allclose(sums, np.cumsum(x, axis), rtol=1e-5, atol=1e-6)


def test_a_sequence_can_be_walked_from_its_end() -> None:
    x = draw(5, 3)
    start = np.zeros(3, np.float32)
    last, sums = both(lambda x: ops.scan(summed, start, x, reverse=True), x)
    np.testing.assert_allclose(sums, np.cumsum(x[::-1], 0)[::-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(last, sums[0])


def test_carry_sequence_and_results_are_trees() -> None:
    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        total = carry["total"] + x[0] * x[1]["scale"]
        return {"total": total, "none": None, "flag": True}, (total, [x[0]])

    x = (draw(4, 2), {"scale": draw(4, 2)})
    start = {"total": np.zeros(2, np.float32), "none": None, "flag": True}
    last, (totals, [copies]) = both(lambda x: ops.scan(step, start, x), x)
    np.testing.assert_allclose(last["total"], (x[0] * x[1]["scale"]).sum(0), atol=1e-5)
    assert last["flag"] is True
    assert totals.shape == copies.shape == (4, 2)
    np.testing.assert_array_equal(copies, x[0])


def test_a_step_may_use_tensors_from_outside() -> None:
    def function(trees: Any) -> Any:
        x, weight = trees
        return ops.scan(lambda h, row: (ops.tanh(row + h @ weight), h), x[0], x)

    both(function, (draw(5, 3), draw(3, 3)))


def test_a_loop_over_arrays_with_tensors_inside_is_one_node() -> None:
    x = draw(6, 3)

    def function(weight: Any) -> Any:
        return ops.scan(lambda h, row: (h * weight + row, None), np.zeros(3, np.float32), x)

    both(function, draw(3))
    _, graph = traced(function, draw(3))
    assert [str(node.op) for node in walk(graph.nodes)].count("scan") == 1


def test_what_no_step_changes_is_a_constant_of_the_loop() -> None:
    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        total, scale = carry
        return (total + x * scale, scale), None

    def function(trees: Any) -> Any:
        x, scale = trees
        (total, same), _ = ops.scan(step, (np.zeros(3, np.float32), scale), x)
        return total, same

    both(function, (draw(4, 3), draw(3)))
    _, graph = traced(function, (draw(4, 3), draw(3)))
    (loop,) = [node for node in walk(graph.nodes) if str(node.op) == "scan"]
    assert loop.attributes["carries"] == 1


def test_a_loop_in_a_loop() -> None:
    def outer(carry: Any, rows: Any) -> tuple[Any, Any]:
        inner, _ = ops.scan(summed, np.zeros(2, np.float32), rows)
        return carry + inner, inner

    x = draw(3, 4, 2)
    total, rows = both(lambda x: ops.scan(outer, np.zeros(2, np.float32), x), x)
    np.testing.assert_allclose(rows, x.sum(1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(total, x.sum((0, 1)), rtol=1e-5, atol=1e-6)


def test_the_length_may_be_a_dimension() -> None:
    start = np.zeros(3, np.float32)
    spec = lxc.TensorSpec((lxc.Dim("T", 1, 9), 3))
    for count in (1, 4, 9):
        x = draw(count, 3)
        (last, sums), _ = traced(lambda x: ops.scan(summed, start, x), x, spec)
        np.testing.assert_allclose(sums, np.cumsum(x, 0), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(last, sums[-1])


@pytest.mark.parametrize("target", ["x86-64-v2", "native"])
def test_a_compiled_loop_computes_the_same(target: str) -> None:
    def function(trees: Any) -> Any:
        x, weight = trees

        def step(carry: Any, row: Any) -> tuple[Any, Any]:
            h, count = carry
            h = ops.tanh(row + h @ weight)
            return (h, count + 1), (h, ops.sum(h))

        return ops.scan(step, (x[0], np.zeros((), np.int32)), x, reverse=True)

    x = (draw(7, 5), draw(5, 5))
    compiled = lxc.compile(nn.WrappedFunction(function), x, {}, {}, target=target)
    y, _ = compiled(x, {}, {})
    for one, two in zip(flatten(y)[0], flatten(function(x))[0], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32"])
def test_a_carry_may_be_a_number(dtype: str) -> None:
    x = (3 * draw(5)).astype(dtype)
    last, sums = both(lambda x: ops.scan(summed, np.zeros((), dtype), x), x)
    assert np.asarray(last).dtype == sums.dtype == np.dtype(dtype)
    np.testing.assert_allclose(sums, np.cumsum(x, dtype=dtype), rtol=1e-2)


def test_an_empty_sequence_is_refused() -> None:
    with pytest.raises(LxcError, match="at least one"):
        ops.scan(summed, np.zeros(3), np.zeros((0, 3)))
