"""Functions inside of layers."""

from typing import Any

import numpy as np

from lxc import nn
from lxc.frontend import trace_layer
from lxc.ir import functions as ops
from tests.frontend.modes import Mode, close, draw


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


def test_variances_of_half_types_are_computed_in_float32(run: Mode) -> None:
    x = np.zeros(4096, np.float16)
    x[0] = 300
    y = run.fresh(nn.WrappedFunction(ops.var), x)
    assert y.dtype == np.float16
    close(y, np.float16(np.var(x.astype(np.float64))), rtol=1e-3)
