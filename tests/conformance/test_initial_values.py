"""What parameters start from."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, same
from tests.conformance.rows import row

VALUES = "initial values are drawn before anything is computed"


def draws(initializer: Any, *shape: int) -> Any:
    return initializer(np.random.default_rng(0), *shape)


def largest(model: Any) -> float:
    """Return the largest weight that twenty models begin with."""
    weights = [lxc.setup(seed, model)[0]["weight"] for seed in range(20)]
    return float(np.abs(weights).max())


@row("API-11a", eager_because=VALUES)
def test_glorot_uniform_reads_fans_of_each_rank() -> None:
    for shape, fans in (((5000,), 5001), ((300, 200), 500), ((20, 30, 3, 3), 450)):
        weight = draws(nn.glorot_uniform, *shape)
        bound = (6 / fans) ** 0.5
        assert weight.dtype == np.float32
        assert weight.shape == shape
        assert 0.98 * bound < np.abs(weight).max() <= bound
        assert abs(weight.mean()) < 0.05 * bound


@row("API-11a", eager_because=VALUES)
@row("T44", eager_because=VALUES)
def test_fans_are_those_of_the_layer_whatever_the_order_of_the_axes() -> None:
    for model, shape, bound in (
        (nn.Conv((3, 3), 4, 8), (8, 4, 3, 3), 0.235702),
        (nn.CrossCor((3, 3), 4, 8), (8, 4, 3, 3), 0.235702),
        (nn.Bilinear((2, 3), 4), (4, 2, 3), 0.547723),
        (nn.Dense(2, 10), (10, 2), 0.707107),
    ):
        assert lxc.setup(0, model)[0]["weight"].shape == shape
        assert 0.98 * bound < largest(model) <= bound * (1 + 1e-6)


@row("API-11b", eager_because=VALUES)
def test_constants_ignore_the_generator() -> None:
    for initializer, value in ((nn.zeros32, 0), (nn.ones32, 1)):
        generator = np.random.default_rng(0)
        same(initializer(generator, 2, 3), np.full((2, 3), value, np.float32))
        assert generator.random() == np.random.default_rng(0).random()


@row("API-11c", eager_because=VALUES)
def test_randn32_is_normal() -> None:
    values = draws(nn.randn32, 300, 200)
    assert values.dtype == np.float32
    assert abs(values.mean()) < 0.02
    assert abs(values.std() - 1) < 0.02
    assert 0.0015 < np.mean(np.abs(values) > 3) < 0.004


@row("API-11d", eager_because=VALUES)
def test_the_other_initialisers_have_their_spread() -> None:
    size = (300, 200)
    spread = {
        nn.glorot_normal: (2 / 500) ** 0.5,
        nn.kaiming_normal: (2 / 200) ** 0.5,
        nn.kaiming_uniform: (2 / 200) ** 0.5,
    }
    for initializer, deviation in spread.items():
        weight = draws(initializer, *size)
        assert weight.dtype == np.float32
        assert abs(weight.std() / deviation - 1) < 0.02
    unit = draws(nn.rand32, *size)
    assert unit.dtype == np.float32
    assert 0 <= unit.min() < 0.001
    assert 0.999 < unit.max() < 1
    # An untruncated normal of 60,000 draws has some beyond three deviations.
    assert np.abs(draws(nn.glorot_normal, *size)).max() > 3 * spread[nn.glorot_normal]
    bound = (6 / 200) ** 0.5
    assert 0.999 * bound < np.abs(draws(nn.kaiming_uniform, *size)).max() <= bound


def initialiser_of(dtype: str) -> Any:
    return lambda rng, *shape: np.asarray(rng.standard_normal(shape), np.dtype(dtype))


@row("API-12")
def test_the_type_of_initial_values_is_the_parameter_type(column: Column) -> None:
    shapes = []

    def weight(rng: np.random.Generator, *shape: int) -> Any:
        shapes.append(shape)
        return rng.standard_normal(shape)

    model = nn.Dense(2, 3, init_weight=weight, init_bias=initialiser_of("float16"))
    ps, st = lxc.setup(0, model)
    assert shapes == [(3, 2)]
    assert (ps["weight"].dtype, ps["bias"].dtype) == (np.float64, np.float16)
    x = draw(4, 2)
    y, _ = column(model, x, ps, st)
    assert np.asarray(y).dtype == np.float64
    product = torch.tensor(x, dtype=torch.float64) @ torch.tensor(ps["weight"]).T
    close(y, (product + torch.tensor(ps["bias"])).numpy(), rtol=1e-12, atol=1e-12)


@row("API-12")
def test_layers_of_one_element_type_refuse_a_mixture(column: Column) -> None:
    model = nn.Conv((2,), 2, 3, init_weight=initialiser_of("float64"))
    with pytest.raises(LxcError, match="weight does not fit") as caught:
        column.fresh(model, draw(1, 2, 5))
    assert caught.value.code == "LXC-E0103"
    assert "f32" in str(caught.value.expected)
    assert "f64" in str(caught.value.actual)
    pair: Any = column.fresh(model, draw(1, 2, 5).astype(np.float64))
    assert np.asarray(pair).dtype == np.float64


@row("API-12", eager_because=VALUES)
def test_what_no_parameter_can_be_made_of_is_refused() -> None:
    def flat(rng: np.random.Generator, *shape: int) -> Any:
        return np.zeros(6, np.float32)

    def words(rng: np.random.Generator, *shape: int) -> Any:
        return np.full(shape, "a")

    for wrong, actual in ((flat, "float32 of shape (6,)"), (words, "of shape (3, 2)")):
        with pytest.raises(LxcError, match=f"{wrong.__name__} does not return") as caught:
            lxc.setup(0, nn.Dense(2, 3, init_weight=wrong))
        assert caught.value.code == "LXC-E0101"
        assert str(caught.value.actual).endswith(actual)
