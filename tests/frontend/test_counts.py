"""How many numbers parameters and states are."""

from typing import Any

import numpy as np

import lxc
from lxc import kaun, nn
from lxc.frontend.counts import parameter_bytes


def trees() -> tuple[Any, Any]:
    model = nn.Chain(
        nn.Dense(784, 64), nn.BatchNorm(64, nn.relu), nn.Dense(64, 10), nn.BatchNorm(10)
    )
    return lxc.setup(0, model)


def test_parameters_count_by_element() -> None:
    ps, _ = trees()
    assert lxc.parameter_count(ps) == 51_038
    assert parameter_bytes(ps) == 4 * 51_038
    assert lxc.parameter_count({}) == 0


def test_settings_count_as_one_each() -> None:
    _, st = trees()
    assert lxc.state_count(st) == 150
    assert lxc.state_count({"carry": None, "steps": [1, 2.5], "mode": "a"}) == 4
    assert lxc.state_count({}) == 0


def test_a_key_counts_as_one() -> None:
    _, st = lxc.setup(0, nn.Chain(nn.Dropout(0.5), nn.Dropout(0.5)))
    assert lxc.state_count(st) == 4


def test_an_array_at_two_places_counts_once() -> None:
    weight = np.zeros((2, 3))
    assert lxc.parameter_count({"a": weight, "b": [weight, np.zeros((2, 3))]}) == 12
    assert parameter_bytes({"a": weight, "b": weight}) == 48


def test_equal_specs_are_not_one_parameter() -> None:
    spec = lxc.TensorSpec((2, 3), "f64")
    assert lxc.parameter_count([spec, spec]) == 12
    assert parameter_bytes((spec,)) == 48


def test_symbolic_sizes_give_an_expression() -> None:
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 4), 3))
    assert str(lxc.parameter_count({"a": spec, "b": np.zeros(2)})) == "3*N + 2"


def test_variables_count_by_their_part() -> None:
    layer = kaun.sequential([kaun.linear(2, 3), kaun.relu(), kaun.batch_norm(3)])
    vars = kaun.init(layer, "float64")
    assert lxc.parameter_count(vars) == 15
    assert parameter_bytes(vars) == 120
    assert lxc.state_count(vars) == 6
