"""Kaun's layers against hand numbers and PyTorch."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from lxc import kaun
from lxc.errors import LxcError
from tests.frontend.modes import SUMS, Mode, close, draw, f32, same


def fresh(run: Mode, layer: Any, x: Any, **options: Any) -> Any:
    return run.kaun(layer, kaun.init(layer, dtype=x.dtype), x, **options)[0]


def test_kl_01_linear_multiplies_by_the_weight_as_it_is(run: Mode) -> None:
    layer = kaun.linear(2, 2)
    vars = kaun.init(layer).with_params(
        {"weight": f32(np.eye(2)), "bias": f32([0.5, -0.5])}
    )
    close(run.kaun(layer, vars, f32([3, 4]))[0], [3.5, 3.5])
    params = kaun.init(kaun.linear(in_features=10, out_features=5)).params
    assert params["weight"].shape == (10, 5)
    assert sum(leaf.size for leaf in params.values()) == 55


@pytest.mark.parametrize("leading", [(), (4,), (2, 3, 4)])
def test_kl_01_leading_axes_are_kept(leading: tuple[int, ...], run: Mode) -> None:
    layer = kaun.linear(5, 3)
    vars = kaun.init(layer)
    x = draw(*leading, 5)
    expected = functional.linear(
        torch.tensor(x), torch.tensor(np.array(vars.params["weight"]).T.copy())
    )
    close(run.kaun(layer, vars, x)[0], expected, **SUMS)
    with pytest.raises(LxcError, match="in_features is 5"):
        run.kaun(layer, vars, draw(*leading, 4))


def test_kl_02_linear_takes_initialisers() -> None:
    params = kaun.init(kaun.linear(200, 300)).params
    bound = (6 / 500) ** 0.5
    assert 0.98 * bound < np.abs(params["weight"]).max() <= bound
    same(params["bias"], np.zeros(300, np.float32))
    layer = kaun.linear(2, 3, weight_init=kaun.ones, bias_init=kaun.constant(7))
    params = kaun.init(layer, dtype="float64").params
    same(params, {"weight": np.ones((2, 3)), "bias": np.full(3, 7.0)})


@pytest.mark.parametrize("kernel", [(3, 3), (2, 2), (4, 1), (2, 5)])
def test_kl_08_conv2d_keeps_the_size_and_does_not_flip(
    kernel: tuple[int, int], run: Mode
) -> None:
    layer = kaun.conv2d(2, 3, kernel_size=kernel)
    vars = kaun.init(layer)
    vars = vars.with_params({**vars.params, "bias": draw(3, seed=4)})
    assert vars.params["weight"].shape == (3, 2, *kernel)
    x = draw(2, 2, 6, 5)
    pads = [pad for k in reversed(kernel) for pad in ((k - 1) // 2, k // 2)]
    weight, bias = (torch.tensor(np.array(vars.params[n])) for n in ("weight", "bias"))
    expected = functional.conv2d(functional.pad(torch.tensor(x), pads), weight, bias)
    y, _ = run.kaun(layer, vars, x)
    assert y.shape == (2, 3, 6, 5)
    close(y, expected, **SUMS)


def test_kl_08_the_extra_cell_of_an_even_kernel_is_at_the_end(run: Mode) -> None:
    layer = kaun.conv2d(1, 1, kernel_size=(1, 2))
    vars = kaun.init(layer).with_params({"weight": f32([[[[1, 10]]]]), "bias": f32([0])})
    close(run.kaun(layer, vars, f32([[[[1, 2, 3]]]]))[0], [[[[21, 32, 3]]]])
    assert kaun.init(kaun.conv2d(1, 1)).params["weight"].shape == (1, 1, 3, 3)


def test_kl_08_conv2d_refuses_other_channels(run: Mode) -> None:
    with pytest.raises(LxcError, match=r"\[B, 2, H, W\]"):
        fresh(run, kaun.conv2d(2, 3), draw(2, 3, 4, 4))


def test_kl_11_running_statistics_keep_99_percent_and_are_biased(run: Mode) -> None:
    layer = kaun.batch_norm(2)
    y, after = run.kaun(layer, kaun.init(layer), f32([[1, 2], [3, 4]]), training=True)
    close(y, [[-0.999995] * 2, [0.999995] * 2])
    close(after.state["running_mean"], [0.02, 0.03])
    close(after.state["running_var"], [1, 1])
    y, evaluated = run.kaun(layer, after, f32([[10, 10]]))
    close(y[0, 0], 9.97995)
    same(evaluated.state, after.state)


def test_kl_11_a_batch_of_one_gives_the_bias(run: Mode) -> None:
    layer = kaun.batch_norm(2)
    vars = kaun.init(layer).with_params({"scale": f32([2, 2]), "bias": f32([3, 4])})
    y, after = run.kaun(layer, vars, f32([[5, 6]]), training=True)
    same(y, f32([[3, 4]]))
    assert np.isfinite(after.state["running_var"]).all()


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 3, 2)])
def test_kl_12_every_axis_but_the_channels_is_reduced(
    shape: tuple[int, ...], run: Mode
) -> None:
    layer = kaun.batch_norm(3)
    vars = kaun.init(layer)
    mean, var = torch.zeros(3), torch.ones(3)
    for step in range(3):
        x = draw(*shape, seed=step) + 1
        y, vars = run.kaun(layer, vars, x, training=True)
        axes = (0, *range(2, len(shape)))
        expected = functional.batch_norm(torch.tensor(x), None, None, training=True)
        close(y, expected, **SUMS)
        batch = torch.tensor(x).var(dim=axes, unbiased=False)
        mean = 0.99 * mean + 0.01 * torch.tensor(x).mean(dim=axes)
        var = 0.99 * var + 0.01 * batch
        close(vars.state["running_mean"], mean)
        close(vars.state["running_var"], var)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (1, 3, 1, 1, 1, 1)])
def test_kl_12_other_ranks_and_channels_are_refused(
    shape: tuple[int, ...], run: Mode
) -> None:
    with pytest.raises(LxcError, match="3 channels on axis 1"):
        fresh(run, kaun.batch_norm(3), draw(*shape))


def test_kl_14_dropout_scales_what_it_keeps(run: Mode) -> None:
    layer = kaun.dropout(0.2)
    assert kaun.init(layer).params == kaun.init(layer).state == []
    x = np.full((100, 100), 2, np.float32)
    key = np.array([1, 2], np.uint32)
    y = fresh(run, layer, x, training=True, rngs=key)
    close(np.unique(y), [0, 2.5])
    assert abs((y > 0).mean() - 0.8) < 0.02
    same(fresh(run, layer, x, training=True, rngs=key), y)
    same(fresh(run, layer, x), x)


def test_kl_14_the_mask_of_kaun_is_pinned(run: Mode) -> None:
    key = np.array([9, 10], np.uint32)
    y = fresh(run, kaun.dropout(0.5), np.ones(12, np.float32), training=True, rngs=key)
    assert "".join("x" if cell else "." for cell in y) == "x.xx...xx..x"


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, float("nan")])
def test_kl_14_a_rate_of_1_or_more_is_an_error(rate: float) -> None:
    with pytest.raises(LxcError, match="below 1"):
        kaun.dropout(rate)


POINTS = f32([-100, -2, -0.5, 0, 0.5, 1, 3, 100])


@pytest.mark.parametrize(
    ("layer", "oracle", "point", "value"),
    [
        (kaun.relu(), functional.relu, -2, 0),
        (kaun.gelu(), functional.gelu, 1, 0.841345),
        (kaun.silu(), functional.silu, 1, 0.731059),
        (kaun.tanh(), torch.tanh, 1, 0.761594),
        (kaun.sigmoid(), torch.sigmoid, -100, 0),
    ],
    ids=["relu", "gelu", "silu", "tanh", "sigmoid"],
)
def test_kl_15_activations_are_those_of_torch(
    layer: Any, oracle: Any, point: float, value: float, run: Mode
) -> None:
    close(fresh(run, layer, POINTS), oracle(torch.tensor(POINTS)), rtol=2e-6, atol=2e-6)
    close(fresh(run, layer, f32([point])), [value])


@pytest.mark.parametrize("options", [(2,), ((2, 3),), (2, 1), ((3, 2), (1, 2))])
def test_kl_16_and_17_pools_are_those_of_torch(options: Any, run: Mode) -> None:
    x = draw(2, 3, 6, 7)
    for make, oracle in (
        (kaun.max_pool2d, functional.max_pool2d),
        (kaun.avg_pool2d, functional.avg_pool2d),
    ):
        close(fresh(run, make(*options), x), oracle(torch.tensor(x), *options))


def test_kl_16_and_17_the_sizes_of_the_page(run: Mode) -> None:
    x = draw(1, 1, 4, 4)
    assert fresh(run, kaun.max_pool2d(kernel_size=(2, 2)), x).shape == (1, 1, 2, 2)
    whole = kaun.max_pool2d(kernel_size=(2, 2), stride=(1, 1))
    assert fresh(run, whole, x).shape == (1, 1, 3, 3)
    assert fresh(run, kaun.avg_pool2d((2, 2)), draw(1, 1, 6, 6)).shape == (1, 1, 3, 3)
    with pytest.raises(LxcError, match=r"\[B, C, H, W\]"):
        fresh(run, kaun.avg_pool2d(2), draw(2, 3, 4))


def test_kl_18_flatten_keeps_the_batch(run: Mode) -> None:
    x = draw(2, 3, 4)
    same(fresh(run, kaun.flatten(), x), x.reshape(2, 12))
    same(fresh(run, kaun.flatten(), x[:, 0, 0]), x[:, :1, 0])
    with pytest.raises(LxcError, match="no batch axis"):
        fresh(run, kaun.flatten(), f32(1))
