"""Dense against PyTorch."""

from typing import Any

import numpy as np
import pytest
import torch

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup, trace_layer
from lxc.ir import TensorSpec
from tests.frontend.modes import SUMS, Array, Mode, close, draw, f32, ops_of, same


def test_dns_01_an_output_is_the_weighted_sum_of_inputs(run: Mode) -> None:
    layer = nn.Dense(10, 1)
    ps = {"weight": np.ones((1, 10), np.float32), "bias": f32([0])}
    close(run.lux(layer, np.ones((1, 10), np.float32), ps, {})[0], [[10]])


@pytest.mark.parametrize("leading", [(), (4,), (2, 5), (2, 5, 7)])
def test_dns_02_leading_axes_are_kept(leading: tuple[int, ...], run: Mode) -> None:
    layer = nn.Dense(6, 3)
    ps, st = setup(0, layer)
    ps = {**ps, "bias": draw(3, seed=3)}
    x = draw(*leading, 6)
    weight, bias = (torch.tensor(np.array(ps[name])) for name in ("weight", "bias"))
    expected = torch.nn.functional.linear(torch.tensor(x), weight, bias)
    close(run.lux(layer, x, ps, st)[0], expected, **SUMS)


def test_dns_02_a_wrong_last_axis_is_an_error(run: Mode) -> None:
    with pytest.raises(LxcError, match="takes 6 features"):
        run.fresh(nn.Dense(6, 3), draw(4, 5))


def test_dns_03_without_bias_there_is_no_key() -> None:
    def count(layer: Any) -> int:
        return sum(leaf.size for leaf in setup(0, layer)[0].values())

    assert count(nn.Dense(6, 3)) == 3 * 7
    assert count(nn.Dense(6, 3, use_bias=False)) == 18
    assert list(setup(0, nn.Dense(6, 3, bias=False))[0]) == ["weight"]
    with pytest.raises(LxcError, match="contradict"):
        nn.Dense(2, 3, bias=True, use_bias=False)


def test_dns_04_initialisers_get_the_shapes_of_the_page(run: Mode) -> None:
    shapes = []

    def init(rng: Any, *shape: int) -> Array:
        shapes.append(shape)
        return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)

    ps, _ = setup(0, nn.Dense(2, 3, init_weight=init, init_bias=init))
    assert shapes == [(3, 2), (3, 1)]
    same(ps["bias"], f32([0, 1, 2]))
    same(ps["weight"], f32([[0, 1], [2, 3], [4, 5]]))


def test_dns_04a_the_weight_is_glorot_uniform() -> None:
    weight = setup(0, nn.Dense(300, 200))[0]["weight"]
    bound = (6 / 500) ** 0.5
    assert 0.99 * bound < np.abs(weight).max() <= bound
    assert abs(weight.std() - bound / 3**0.5) < 0.01 * bound


def test_dns_04c_the_activation_is_the_third_argument_and_comes_last(run: Mode) -> None:
    layer = nn.Dense(1, 1, nn.relu)
    ps = {"weight": f32([[1]]), "bias": f32([-2])}
    same(run.lux(layer, f32([[1], [3]]), ps, {})[0], f32([[0], [1]]))


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
