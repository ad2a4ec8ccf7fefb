"""Activations and initialisers of the Lux family against PyTorch and their formulas."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from lxc import nn
from tests.frontend.modes import Mode, close, f32

POINTS = f32([-100, -20, -3.5, -3, -1, -0.5, -1e-4, 0, 1e-4, 0.5, 1, 3, 3.5, 20, 100])
TORCH: dict[Any, Any] = {
    nn.relu: functional.relu,
    nn.relu6: functional.relu6,
    nn.leakyrelu: functional.leaky_relu,
    nn.elu: functional.elu,
    nn.selu: functional.selu,
    nn.celu: functional.celu,
    nn.gelu: lambda x: functional.gelu(x, approximate="tanh"),
    nn.gelu_erf: functional.gelu,
    nn.swish: functional.silu,
    nn.softplus: functional.softplus,
    nn.softsign: functional.softsign,
    nn.hardtanh: functional.hardtanh,
    nn.hardsigmoid: functional.hardsigmoid,
    nn.mish: functional.mish,
    nn.logsigmoid: functional.logsigmoid,
    nn.tanh: torch.tanh,
    nn.sigmoid: torch.sigmoid,
    nn.tanh_fast: torch.tanh,
    nn.sigmoid_fast: torch.sigmoid,
}


@pytest.mark.parametrize("function", TORCH, ids=lambda function: str(function.__name__))
def test_api_10_activations_are_those_of_torch(function: Any, run: Mode) -> None:
    y = run.fresh(nn.WrappedFunction(function), POINTS)
    close(y, TORCH[function](torch.tensor(POINTS)), rtol=2e-6, atol=2e-6)


def test_api_10_gelu_is_the_tanh_form(run: Mode) -> None:
    close(run.fresh(nn.WrappedFunction(nn.gelu), f32([1])), [0.841192])
    close(run.fresh(nn.WrappedFunction(nn.gelu_erf), f32([1])), [0.841345])


@pytest.mark.parametrize("function", TORCH, ids=lambda function: str(function.__name__))
def test_api_10_nan_stays_nan(function: Any, run: Mode) -> None:
    assert np.isnan(run.fresh(nn.WrappedFunction(function), f32([np.nan])))


def draws(initializer: Any, *shape: int) -> Any:
    return initializer(np.random.default_rng(0), *shape)


def test_api_11a_glorot_uniform_reads_fans_of_each_rank() -> None:
    for shape, fans in (((5000,), 5001), ((300, 200), 500), ((20, 30, 3, 3), 450)):
        weight = draws(nn.glorot_uniform, *shape)
        bound = (6 / fans) ** 0.5
        assert weight.dtype == np.float32
        assert weight.shape == shape
        assert 0.98 * bound < np.abs(weight).max() <= bound


def test_api_11b_constants_ignore_the_generator() -> None:
    assert (nn.zeros32(np.random.default_rng(0), 2, 3) == np.zeros((2, 3))).all()
    assert (nn.ones32(np.random.default_rng(0), 2, 3) == np.ones((2, 3))).all()


def test_api_11cd_the_other_initialisers_have_their_spread() -> None:
    size = (300, 200)
    spread = {
        nn.randn32: 1.0,
        nn.glorot_normal: (2 / 500) ** 0.5,
        nn.kaiming_normal: (2 / 200) ** 0.5,
        nn.kaiming_uniform: (2 / 200) ** 0.5,
    }
    for initializer, deviation in spread.items():
        weight = draws(initializer, *size)
        assert weight.dtype == np.float32
        assert abs(weight.std() / deviation - 1) < 0.02
    unit = draws(nn.rand32, *size)
    assert 0 <= unit.min() < 0.001
    assert 0.999 < unit.max() < 1
    # An untruncated normal of 60,000 draws has some beyond three deviations.
    assert np.abs(draws(nn.glorot_normal, *size)).max() > 3 * spread[nn.glorot_normal]
    assert np.abs(draws(nn.kaiming_uniform, *size)).max() <= (6 / 200) ** 0.5
