"""Layers without parameters."""

from typing import Any

import numpy as np
import pytest

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup, trace_layer
from lxc.ir import Dim, TensorSpec
from lxc.ir import functions as ops
from tests.frontend.modes import Mode, close, draw, f32, run_graph, same


def test_hlp_01_a_no_op_returns_arrays_tuples_dicts_and_none(run: Mode) -> None:
    x = f32([1, 2])
    for tree in (x, (x, x), {"a": x, "b": (x,)}, [x]):
        same(run.fresh(nn.NoOpLayer(), tree), tree)
    assert nn.NoOpLayer()(None, {}, {}) == (None, {})


def test_hlp_02_a_wrapped_function_gets_x_alone(run: Mode) -> None:
    assert setup(0, nn.WrappedFunction(np.tanh)) == ({}, {})
    close(run.fresh(nn.WrappedFunction(np.tanh), f32([0, 1])), np.tanh([0, 1]))


def test_hlp_02_a_wrapped_function_is_traced_once() -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(x)
        return x + 1

    trace_layer(nn.WrappedFunction(counted), TensorSpec((2,)), {}, {})
    assert len(calls) == 1


def test_hlp_03_the_older_name_warns_and_wraps(run: Mode) -> None:
    with pytest.warns(DeprecationWarning, match="older name"):
        layer = nn.ActivationFunction(np.tanh)
    assert layer == nn.WrappedFunction(np.tanh)
    close(run.fresh(layer, f32([1])), np.tanh([1]))


def test_hlp_04_flatten_keeps_the_batch_in_c_order(run: Mode) -> None:
    same(run.fresh(nn.FlattenLayer(), f32([[[1, 2], [3, 4]]])), f32([[1, 2, 3, 4]]))
    x = draw(2, 3, 4, 5)
    same(run.fresh(nn.FlattenLayer(), x), x.reshape(2, 60))
    same(run.fresh(nn.FlattenLayer(), f32([1, 2])), f32([[1], [2]]))


def test_hlp_04_flatten_of_a_scalar_is_an_error(run: Mode) -> None:
    with pytest.raises(LxcError, match="no batch axis"):
        run.fresh(nn.FlattenLayer(), f32(1))


def test_hlp_05_reshape_takes_dims_in_numpy_order(run: Mode) -> None:
    x = draw(3, 6)
    y = run.fresh(nn.ReshapeLayer((3, 2)), x)
    same(y, x.reshape(3, 3, 2))
    assert y[0, 1, 0] == x[0, 2]
    same(run.fresh(nn.ReshapeLayer(3, 2), x), y)


def test_hlp_05_a_size_that_does_not_fit_is_an_error(run: Mode) -> None:
    with pytest.raises(LxcError):
        run.fresh(nn.ReshapeLayer((4, 2)), draw(3, 6))


def test_flatten_and_reshape_keep_a_symbolic_batch() -> None:
    batch = Dim("N", 1, 8)
    model = nn.Chain(nn.FlattenLayer(), nn.ReshapeLayer((3, 4)))
    graph = trace_layer(model, TensorSpec((batch, 2, 6)), *setup(0, model))
    assert str(graph.outputs[0].type) == "f32[N, 3, 4]"
    for count in (1, 5):
        x = draw(count, 2, 6)
        same(run_graph(graph, x, {}, {})[0], x.reshape(count, 3, 4))


def test_numpy_functions_and_operators_work_inside_layers(run: Mode) -> None:
    def function(x: Any) -> Any:
        y = np.exp(-np.abs(x)) @ np.ones((3, 2), np.float32)
        y = np.where(y > 1, y, 2 * y) + np.sum(x, axis=1, keepdims=True)
        y = np.concatenate([y, x[:, ::2]], axis=1).reshape(-1, 2)
        return np.maximum(y.mean(axis=0), 0) ** 2

    x = draw(4, 3)
    close(run.fresh(nn.WrappedFunction(function), x), function(x))


def test_large_constants_of_a_function_become_data(run: Mode) -> None:
    table = draw(5, 40)
    model = nn.WrappedFunction(lambda x: ops.matmul(x, table))
    x = draw(2, 5, seed=1)
    close(run.fresh(model, x), x @ table, rtol=1e-4, atol=1e-5)
    graph = trace_layer(model, x, {}, {})
    assert [str(value.type) for value in graph.data] == ["f32[5, 40]"]
