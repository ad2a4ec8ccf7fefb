"""What Dense leaves in a graph, and whose element types it takes."""

from typing import Any

import numpy as np

from lxc import nn
from lxc.frontend import setup, trace_layer
from lxc.ir import TensorSpec
from tests.frontend.modes import Array, Mode, ops_of, same


def test_api_08_the_identity_adds_no_op() -> None:
    layer = nn.Dense(2, 3)
    graph = trace_layer(layer, TensorSpec((4, 2)), *setup(0, layer))
    assert list(ops_of(graph)) == ["dot_general", "broadcast", "add"]


def test_api_12_the_initialiser_decides_the_element_type(run: Mode) -> None:
    def wide(rng: Any, *shape: int) -> Array:
        return np.ones(shape, np.float64)

    layer = nn.Dense(2, 1, init_weight=wide, init_bias=wide)
    ps, st = setup(0, layer)
    y, _ = run.lux(layer, np.ones((1, 2)), ps, st)
    same(y, np.array([[3.0]]))
