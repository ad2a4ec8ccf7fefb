"""Kaun's normalisations."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import lxc
from lxc import kaun
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row


def tensor(array: Any) -> torch.Tensor:
    """Return a copy of an array as torch takes it."""
    return torch.from_numpy(np.array(array))


def changed(layer: kaun.Layer, dtype: str = "float32") -> kaun.Vars:
    """Return fresh variables with random parameters."""
    vars = kaun.init(layer, dtype)
    pairs = enumerate(vars.params.items())
    return vars.with_params(
        {name: draw(*leaf.shape, seed=n).astype(dtype) for n, (name, leaf) in pairs}
    )


@row("KL-09")
def test_layer_norm_is_over_the_last_axis(column: Column) -> None:
    layer = kaun.layer_norm(dim=6)
    fresh = kaun.init(layer).params
    same(fresh, {"gamma": np.ones(6, np.float32), "beta": np.zeros(6, np.float32)})
    vars = changed(layer)
    gamma, beta = tensor(vars.params["gamma"]), tensor(vars.params["beta"])
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 3, 6))
    call = column.built_kaun(layer, spec, vars)
    for count in (1, 5, 8):
        x = draw(count, 3, 6) * 3 + 1
        y, after = call(x, vars, None, None)
        close_sums(y, functional.layer_norm(tensor(x), (6,), gamma, beta, 1e-5))
    assert after.state == []
    with pytest.raises(LxcError, match="dim is 6"):
        column.kaun(layer, draw(6, 5), vars)


@row("KL-09")
@row("KL-10")
def test_epsilon_is_added_inside_of_the_root(column: Column) -> None:
    x = f32([0, 2e-3])
    layer = kaun.layer_norm(2, eps=1e-6)
    y, _ = column.kaun(layer, x, kaun.init(layer))
    close(y, functional.layer_norm(tensor(x), (2,), eps=1e-6))
    close(y, [-(0.5**0.5), 0.5**0.5])
    layer = kaun.rms_norm(2, eps=2e-6)
    close(column.kaun(layer, x, kaun.init(layer))[0], [0, 1])
    layer = kaun.layer_norm(2)
    y, _ = column.kaun(layer, f32([0, 1e-3]), kaun.init(layer))
    close(y, [-0.156174, 0.156174], rtol=1e-5)
    for make in (kaun.layer_norm, kaun.rms_norm):
        with pytest.raises(LxcError, match="eps is at least 0"):
            make(2, eps=-1.0)


@row("KL-10")
def test_rms_norm_subtracts_nothing(column: Column) -> None:
    layer = kaun.rms_norm(dim=2)
    vars = kaun.init(layer)
    same(vars.params, {"scale": np.ones(2, np.float32)})
    close(column.kaun(layer, f32([3, 4]), vars)[0], [0.848528, 1.131371])
    layer = kaun.rms_norm(5)
    vars = changed(layer)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 2, 5))
    call = column.built_kaun(layer, spec, vars)
    for count in (1, 4, 8):
        x = draw(count, 2, 5) / 500
        expected = functional.rms_norm(tensor(x), (5,), tensor(vars.params["scale"]), 1e-6)
        close_sums(call(x, vars, None, None)[0], expected)
    with pytest.raises(LxcError, match="dim is 5"):
        column.kaun(layer, f32(1), vars)


@row("KL-09")
@row("KL-10")
def test_half_types_are_normalised_in_float32(column: Column) -> None:
    x = (draw(4, 40) * 300).astype(np.float16)
    for layer, oracle in (
        (kaun.layer_norm(40), functional.layer_norm),
        (kaun.rms_norm(40), functional.rms_norm),
    ):
        y, _ = column.kaun(layer, x, kaun.init(layer, "float16"))
        assert y.dtype == np.float16
        expected = oracle(tensor(x).double(), (40,)).numpy()
        close(y.astype(np.float64), expected, rtol=1e-3, atol=1e-3)


@row("KL-11")
@row("T21")
def test_batch_norm_stores_the_biased_variance_and_keeps_99_percent(
    column: Column,
) -> None:
    layer = kaun.batch_norm(2)
    vars = kaun.init(layer)
    assert list(vars.params) == ["scale", "bias"]
    same(vars.state["running_mean"], np.zeros(2, np.float32))
    same(vars.state["running_var"], np.ones(2, np.float32))
    y, after = column.kaun(layer, f32([[1, 2], [3, 4]]), vars, training=True)
    close(y, [[-0.999995] * 2, [0.999995] * 2])
    close(after.state["running_mean"], [0.02, 0.03])
    close(after.state["running_var"], [1, 1])
    y, evaluated = column.kaun(layer, f32([[10, 10]]), after)
    close(y[0, 0], 9.97995)
    same(evaluated.state, after.state)


@row("KL-11")
def test_epsilon_of_batch_norm_is_1e_5_inside_of_the_root(column: Column) -> None:
    layer = kaun.batch_norm(1)
    vars, x = kaun.init(layer), f32([[0], [2e-3]])
    # Deviations of .001 over the root of 1e-6 + 1e-5.
    y, _ = column.kaun(layer, x, vars, training=True)
    close(y, [[-0.301511], [0.301511]])
    still = vars.with_state({"running_mean": f32([0]), "running_var": f32([3e-5])})
    close(column.kaun(layer, x, still)[0], [[0], [0.316228]])


@row("KL-11")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_batch_norm_of_half_types_is_computed_in_float32(
    dtype: str, column: Column
) -> None:
    layer = kaun.batch_norm(2)
    vars = changed(layer, dtype)
    # Sums and squares are beyond what float16 holds, and a sum in bfloat16 gets stuck.
    x = (draw(700, 2) * 60 + 300).astype(vars.dtype)
    scale, bias = (tensor(leaf.astype(np.float64)) for leaf in vars.params.values())
    wide = tensor(x.astype(np.float64))
    y, after = column.kaun(layer, x, vars, training=True)
    assert {y.dtype, *(leaf.dtype for leaf in after.state.values())} == {vars.dtype}
    batch = functional.batch_norm(wide, None, None, scale, bias, training=True)
    step = {"float16": 2**-11, "bfloat16": 2**-8}[dtype]
    close(y.astype(np.float64), batch, rtol=1.01 * step, atol=1e-4)
    mean, var = 0.01 * wide.mean(0), 0.99 + 0.01 * wide.var(0, unbiased=False)
    for name, moved in (("running_mean", mean), ("running_var", var)):
        close(after.state[name].astype(np.float64), moved, rtol=1.01 * step)
    mean, var = (tensor(leaf.astype(np.float64)) for leaf in after.state.values())
    y, _ = column.kaun(layer, x, after)
    expected = functional.batch_norm(wide, mean, var, scale, bias)
    close(y.astype(np.float64), expected, rtol=1.01 * step, atol=1e-4)


@row("KL-11")
def test_a_batch_of_one_gives_the_bias(column: Column) -> None:
    layer = kaun.batch_norm(2)
    vars = kaun.init(layer).with_params({"scale": f32([2, 2]), "bias": f32([3, 4])})
    y, after = column.kaun(layer, f32([[5, 6]]), vars, training=True)
    same(y, f32([[3, 4]]))
    close(after.state["running_mean"], [0.05, 0.06])
    close(after.state["running_var"], [0.99, 0.99])


@row("KL-12")
@pytest.mark.parametrize("shape", [(), (4,), (4, 5), (2, 3, 2)])
def test_every_axis_but_the_channels_is_reduced(
    shape: tuple[int, ...], column: Column
) -> None:
    layer = kaun.batch_norm(3)
    vars = changed(layer)
    scale, bias = tensor(vars.params["scale"]), tensor(vars.params["bias"])
    spec = lxc.TensorSpec((lxc.Dim("N", 2, 8), 3, *shape))
    train = column.built_kaun(layer, spec, vars, training=True)
    mean, var = torch.zeros(3), torch.ones(3)
    for step, count in enumerate((2, 5, 8)):
        x = draw(count, 3, *shape, seed=step) + 1
        y, vars = train(x, vars, None, None)
        batch = functional.batch_norm(tensor(x), None, None, scale, bias, training=True)
        close_sums(y, batch)
        axes = (0, *range(2, x.ndim))
        mean = 0.99 * mean + 0.01 * tensor(x).mean(dim=axes)
        var = 0.99 * var + 0.01 * tensor(x).var(dim=axes, unbiased=False)
        close(vars.state["running_mean"], mean)
        close(vars.state["running_var"], var)
    x = draw(3, 3, *shape, seed=7)
    y, after = column.kaun(layer, x, vars)
    close_sums(y, functional.batch_norm(tensor(x), mean, var, scale, bias))
    same(after.state, vars.state)


@row("KL-12")
def test_other_ranks_and_channels_are_refused(column: Column) -> None:
    layer = kaun.batch_norm(3)
    for shape in ((3,), (2, 4), (1, 3, 1, 1, 1, 1)):
        with pytest.raises(LxcError, match="3 channels on axis 1"):
            column.kaun(layer, draw(*shape), kaun.init(layer))
