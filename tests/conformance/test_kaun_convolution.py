"""Kaun's convolutions."""

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

HOST = "initial values are drawn in Python"


def tensor(array: Any) -> torch.Tensor:
    """Return a copy of an array as torch takes it."""
    return torch.from_numpy(np.array(array))


def batches(*shape: Any, dtype: str = "float32") -> lxc.TensorSpec:
    """Return a spec with a batch of 1 to 8."""
    return lxc.TensorSpec((lxc.Dim("N", 1, 8), *shape), dtype)


def with_bias(layer: kaun.Layer) -> kaun.Vars:
    """Return fresh variables whose bias is not zero."""
    vars = kaun.init(layer)
    bias = draw(*vars.params["bias"].shape, seed=9)
    return vars.with_params({**vars.params, "bias": bias})


@row("KL-03")
@row("KL-04a")
def test_conv1d_does_not_flip_and_has_three_taps(column: Column) -> None:
    layer = kaun.conv1d(3, 4)
    vars = with_bias(layer)
    assert vars.params["weight"].shape == (4, 3, 3)
    assert vars.params["bias"].shape == (4,)
    weight, bias = tensor(vars.params["weight"]), tensor(vars.params["bias"])
    call = column.built_kaun(layer, batches(3, 6), vars)
    for count in (1, 5, 8):
        x = draw(count, 3, 6)
        expected = functional.conv1d(tensor(x), weight, bias, padding=1)
        close_sums(call(x, vars, None, None)[0], expected)
    with pytest.raises(LxcError, match=r"\[B, 3, L\]"):
        column.kaun(layer, draw(2, 4, 6), vars)


@row("KL-04a")
@row("KL-04b")
@row("KL-04c")
@row("KL-06")
def test_conv1d_takes_kernel_stride_and_dilation(column: Column) -> None:
    for taps, stride, dilation in ((5, 2, 1), (2, 3, 2), (1, 2, 1)):
        layer = kaun.conv1d(2, 3, taps, stride, dilation, padding="valid")
        vars = with_bias(layer)
        x = draw(2, 2, 13)
        y, _ = column.kaun(layer, x, vars)
        weight, bias = tensor(vars.params["weight"]), tensor(vars.params["bias"])
        options = {"stride": stride, "dilation": dilation}
        close_sums(y, functional.conv1d(tensor(x), weight, bias, **options))
        assert y.shape[2] == (13 - (taps - 1) * dilation - 1) // stride + 1
    layer = kaun.conv1d(2, 3, 5, padding="valid")
    with pytest.raises(LxcError, match="larger than the padded input"):
        column.kaun(layer, draw(1, 2, 4), kaun.init(layer))


@row("KL-04d")
def test_conv1d_refuses_options_that_make_no_sense() -> None:
    for options in (
        {"padding": "full"}, {"stride": 0}, {"dilation": 0}, {"kernel_size": 0},
        {"in_channels": 0},
    ):  # fmt: skip
        with pytest.raises(LxcError) as caught:
            kaun.conv1d(**{"in_channels": 1, "out_channels": 1, **options})  # type: ignore[arg-type]
        assert caught.value.code == "LXC-E0101"


@row("KL-04e", eager_because=HOST)
def test_kernels_are_glorot_uniform_over_channels_and_taps() -> None:
    vars = kaun.init(kaun.conv1d(40, 80, kernel_size=5))
    bound = (6 / (40 * 5 + 80 * 5)) ** 0.5
    assert 0.98 * bound < np.abs(vars.params["weight"]).max() <= bound
    same(vars.params["bias"], np.zeros(80, np.float32))


def known(*taps: float, **options: Any) -> tuple[kaun.Layer, kaun.Vars]:
    """Return a conv1d over one channel with these taps, and its variables."""
    layer = kaun.conv1d(1, 1, kernel_size=len(taps), **options)
    return layer, kaun.init(layer).with_params({"weight": f32([[taps]]), "bias": f32([0])})


def count_to(last: int) -> Any:
    """Return the sequence 1 to `last` as one example of one channel."""
    return f32(np.arange(1, last + 1)[None, None])


@row("KL-04d")
@row("KL-05")
@row("T06")
def test_padding_same_puts_the_odd_cell_at_the_end(column: Column) -> None:
    layer, vars = known(1, 10)
    close(column.kaun(layer, count_to(3), vars)[0], [[[21, 32, 3]]])
    layer, vars = known(1, 1, 1, stride=2)
    close(column.kaun(layer, count_to(4), vars)[0], [[[6, 7]]])


def padded_by_hand(x: Any, vars: Any, taps: int, stride: int, dilation: int) -> Any:
    """Return what torch computes after padding by the rule of TensorFlow's SAME."""
    size, reach = x.shape[2], (taps - 1) * dilation + 1
    total = max(0, (-(-size // stride) - 1) * stride + reach - size)
    pads = (total // 2, total - total // 2)
    weight, bias = tensor(vars.params["weight"]), tensor(vars.params["bias"])
    padded = functional.pad(tensor(x), pads)
    return functional.conv1d(padded, weight, bias, stride=stride, dilation=dilation)


@row("KL-05")
@pytest.mark.parametrize(
    ("taps", "stride", "dilation"),
    [
        (2, 1, 1),
        (4, 1, 3),
        (3, 2, 1),
        (2, 2, 1),
        (4, 3, 2),
        (2, 3, 1),
        (1, 4, 1),
        (3, 7, 2),
    ],
)
def test_padding_same_depends_on_a_length_that_may_be_symbolic(
    taps: int, stride: int, dilation: int, column: Column
) -> None:
    layer = kaun.conv1d(2, 3, taps, stride, dilation)
    vars = with_bias(layer)
    call = column.built_kaun(layer, batches(2, lxc.Dim("L", 1, 40)), vars)
    for size in (1, 2, 3, 5, 8, 9, 13, 30, 40):
        x = draw(2, 2, size)
        y, _ = call(x, vars, None, None)
        assert y.shape == (2, 3, -(-size // stride))
        close_sums(y, padded_by_hand(x, vars, taps, stride, dilation))


@row("KL-07")
def test_padding_causal_looks_back_only(column: Column) -> None:
    layer, vars = known(1, 1, 1, padding="causal")
    close(column.kaun(layer, count_to(5), vars)[0], [[[1, 3, 6, 9, 12]]])
    layer = kaun.conv1d(2, 3, 3, 2, 2, padding="causal")
    vars = with_bias(layer)
    weight, bias = tensor(vars.params["weight"]), tensor(vars.params["bias"])
    call = column.built_kaun(layer, batches(2, lxc.Dim("L", 1, 12)), vars)
    for size in (1, 7, 12):
        x = draw(3, 2, size)
        padded = functional.pad(tensor(x), (4, 0))
        expected = functional.conv1d(padded, weight, bias, stride=2, dilation=2)
        close_sums(call(x, vars, None, None)[0], expected)


@row("KL-08")
@pytest.mark.parametrize("kernel", [(3, 3), (2, 2), (4, 1), (2, 5)])
def test_conv2d_keeps_the_size(kernel: tuple[int, int], column: Column) -> None:
    layer = kaun.conv2d(2, 3, kernel_size=kernel)
    vars = with_bias(layer)
    assert vars.params["weight"].shape == (3, 2, *kernel)
    pads = [pad for k in reversed(kernel) for pad in ((k - 1) // 2, k // 2)]
    weight, bias = tensor(vars.params["weight"]), tensor(vars.params["bias"])
    call = column.built_kaun(layer, batches(2, lxc.Dim("H", 1, 9), 5), vars)
    for count, height in ((1, 1), (3, 6), (8, 9)):
        x = draw(count, 2, height, 5)
        expected = functional.conv2d(functional.pad(tensor(x), pads), weight, bias)
        y, _ = call(x, vars, None, None)
        assert y.shape == (count, 3, height, 5)
        close_sums(y, expected)


@row("KL-08")
def test_the_extra_cell_of_conv2d_is_at_the_bottom_and_right(column: Column) -> None:
    assert kaun.init(kaun.conv2d(1, 1)).params["weight"].shape == (1, 1, 3, 3)
    layer = kaun.conv2d(1, 1, kernel_size=(2, 2))
    weight = f32([[[[1, 10], [100, 1000]]]])
    vars = kaun.init(layer).with_params({"weight": weight, "bias": f32([0.5])})
    y, _ = column.kaun(layer, f32([[[[1, 2], [3, 4]]]]), vars)
    close(y, [[[[4321.5, 402.5], [43.5, 4.5]]]])
    for options in ({"stride": 2}, {"padding": "valid"}, {"dilation": 2}):
        with pytest.raises(TypeError):
            kaun.conv2d(1, 1, **options)
    with pytest.raises(LxcError, match=r"\[B, 1, H, W\]"):
        column.kaun(layer, draw(2, 3, 4, 4), vars)
