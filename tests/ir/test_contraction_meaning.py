"""What products, convolutions, reductions and windows compute: PyTorch agrees."""

from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from torch.nn import functional

from lxc.errors import LxcError
from tests.ir.one_op import run_one

BOTH = pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])


def draw(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def close(actual: Any, expected: torch.Tensor, wide: bool) -> None:
    assert actual.shape == tuple(expected.shape)
    np.testing.assert_allclose(
        actual, expected.numpy(), rtol=1e-12 if wide else 2e-5, atol=1e-12 if wide else 2e-5
    )


def double(array: Any) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).double()


@BOTH
@pytest.mark.parametrize(
    ("equation", "batch", "contract"),
    [
        ("ij,jk->ik", ((), ()), ((1,), (0,))),
        ("ij,kj->ik", ((), ()), ((1,), (1,))),
        ("bij,bjk->bik", ((0,), (0,)), ((2,), (1,))),
        ("ibj,jkb->bik", ((1,), (2,)), ((2,), (0,))),
        ("ijc,cjk->ik", ((), ()), ((1, 2), (1, 0))),
        ("i,j->ij", ((), ()), ((), ())),
        ("i,i->", ((), ()), ((0,), (0,))),
    ],
)
def test_dot_general_is_an_einsum(
    equation: str, batch: Any, contract: Any, wide: bool
) -> None:
    sizes = {"i": 3, "j": 4, "k": 5, "b": 2, "c": 6}
    left, right = equation.split("->")[0].split(",")
    x, y = (
        draw(*(sizes[axis] for axis in axes), seed=i)
        for i, axes in enumerate((left, right))
    )
    result = run_one(
        "dot_general",
        x,
        y,
        wide=wide,
        lhs_batch=batch[0],
        rhs_batch=batch[1],
        lhs_contract=contract[0],
        rhs_contract=contract[1],
    )
    close(result, torch.einsum(equation, double(x), double(y)), wide)


@BOTH
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("stride", "dilation", "groups"), list(product([1, 2], repeat=3)))
def test_conv_is_torchs(
    rank: int, stride: int, dilation: int, groups: int, wide: bool
) -> None:
    x, weight = (
        draw(2, 4, *(7, 6, 8)[:rank]),
        draw(6, 4 // groups, *(3, 2, 2)[:rank], seed=1),
    )
    pads = ((1, 1), (0, 2), (1, 0))[:rank]
    result = run_one(
        "conv",
        x,
        weight,
        wide=wide,
        strides=(stride,) * rank,
        padding=pads,
        lhs_dilation=(1,) * rank,
        rhs_dilation=(dilation,) * rank,
        groups=groups,
    )
    flat = [amount for pair in reversed(pads) for amount in pair]
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[rank - 1]
    padded = functional.pad(double(x), flat)
    expected = convolve(
        padded, double(weight), stride=stride, dilation=dilation, groups=groups
    )
    close(result, expected, wide)


def test_the_other_order_of_a_kernel_means_the_same() -> None:
    x, weight = draw(2, 4, 5, 5), draw(6, 2, 3, 2, seed=1)
    options: dict[str, Any] = {
        "strides": (1, 2),
        "padding": ((1, 1), (0, 1)),
        "lhs_dilation": (1, 1),
        "rhs_dilation": (2, 1),
        "groups": 2,
    }
    turned = weight.transpose(2, 3, 1, 0)
    one = run_one("conv", x, weight, **options)
    two = run_one("conv", x, turned, weight_order="io", **options)
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@BOTH
def test_spreading_the_input_gives_the_transposed_convolution(wide: bool) -> None:
    x, weight = draw(1, 3, 4, 5), draw(3, 2, 3, 3, seed=1)
    flipped = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    result = run_one(
        "conv",
        x,
        np.ascontiguousarray(flipped),
        wide=wide,
        strides=(1, 1),
        padding=((2, 2), (2, 2)),
        lhs_dilation=(2, 2),
        rhs_dilation=(1, 1),
        groups=1,
    )
    close(result, functional.conv_transpose2d(double(x), double(weight), stride=2), wide)


@BOTH
@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("kind", ["add", "multiply", "max", "min"])
def test_reductions_are_torchs(kind: str, axes: tuple[int, ...], wide: bool) -> None:
    x = draw(3, 4, 5)
    result = run_one("reduce", x, kind=kind, axes=axes, wide=wide)
    expected = double(x)
    for axis in reversed(axes):
        one: dict[str, Any] = {
            "add": torch.sum,
            "multiply": torch.prod,
            "max": torch.amax,
            "min": torch.amin,
        }
        expected = one[kind](expected, axis)
    close(result, expected, wide)


def test_reductions_of_nothing_are_the_identity() -> None:
    empty = np.zeros((2, 0), np.float32)
    for kind, value in (("add", 0), ("multiply", 1), ("max", -np.inf), ("min", np.inf)):
        np.testing.assert_array_equal(
            run_one("reduce", empty, kind=kind, axes=(1,)), [value] * 2
        )
    none = np.zeros((0,), np.int32)
    assert run_one("reduce", none, kind="max", axes=(0,)) == np.iinfo(np.int32).min
    assert run_one("reduce", none == 0, kind="and", axes=(0,))


def test_bools_are_reduced_by_logic_only() -> None:
    x = np.array([[True, False], [True, True]])
    np.testing.assert_array_equal(
        run_one("reduce", x, kind="and", axes=(1,)), [False, True]
    )
    np.testing.assert_array_equal(run_one("reduce", x, kind="or", axes=(0,)), [True, True])
    with pytest.raises(LxcError):
        run_one("reduce", x, kind="add", axes=(0,))
    with pytest.raises(LxcError):
        run_one("reduce", draw(2), kind="and", axes=(0,))


def test_nan_survives_a_maximum() -> None:
    x = np.array([1, np.nan, 3], np.float32)
    assert np.isnan(run_one("reduce", x, kind="max", axes=(0,)))
    window: dict[str, Any] = {"window": (2,), "strides": (1,), "padding": ((0, 1),)}
    result = run_one("reduce_window", x, kind="max", **window)
    np.testing.assert_array_equal(result, [np.nan, np.nan, 3])


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_types_accumulate_in_float32(dtype: Any) -> None:
    ones = np.ones(5000, dtype)
    assert run_one("reduce", ones, kind="add", axes=(0,)) == dtype(5000)
    row = run_one(
        "dot_general",
        ones,
        ones,
        lhs_batch=(),
        rhs_batch=(),
        lhs_contract=(0,),
        rhs_contract=(0,),
    )
    assert row == dtype(5000)


@BOTH
@pytest.mark.parametrize(("window", "stride", "pad"), [(2, 2, 0), (3, 2, 1), (3, 1, 1)])
def test_windows_are_torchs_pools(window: int, stride: int, pad: int, wide: bool) -> None:
    x = draw(2, 3, 8, 7)
    options: dict[str, Any] = {
        "window": (1, 1, window, window),
        "strides": (1, 1, stride, stride),
        "padding": ((0, 0), (0, 0), (pad, pad), (pad, pad)),
    }
    largest = run_one("reduce_window", x, kind="max", wide=wide, **options)
    close(largest, functional.max_pool2d(double(x), window, stride, pad), wide)
    total = run_one("reduce_window", x, kind="add", wide=wide, **options)
    close(total, functional.avg_pool2d(double(x), window, stride, pad) * window**2, wide)


def test_a_window_that_does_not_fit_is_refused() -> None:
    window: dict[str, Any] = {"window": (4,), "strides": (1,), "padding": ((0, 0),)}
    with pytest.raises(LxcError, match="larger than the padded input"):
        run_one("reduce_window", draw(3), kind="max", **window)
    with pytest.raises(LxcError, match="larger than the padded input"):
        run_one(
            "conv",
            draw(1, 1, 3),
            draw(1, 1, 2),
            strides=(1,),
            padding=((0, 0),),
            lhs_dilation=(1,),
            rhs_dilation=(3,),
            groups=1,
        )
