"""What convolutions of channels behind the cells compute: the same as of those in front."""

import re
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.types import Array
from tests.ir.one_op import run_one

PLAIN = {
    "strides": (1,),
    "padding": ((0, 0),),
    "rhs_dilation": (1,),
    "groups": 1,
}


def draw(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_order_of_axes_is_all_that_differs(rank: int, groups: int, wide: bool) -> None:
    x, weight = (
        draw(2, 4, *(9, 8, 7)[:rank]),
        draw(8, 4 // groups, *(3, 2, 2)[:rank], seed=1),
    )
    given: dict[str, Any] = {
        "strides": (1, 2, 1)[:rank],
        "padding": ((2, 0), (1, 3), (0, 1))[:rank],
        "rhs_dilation": (2, 1, 3)[:rank],
        "groups": groups,
    }
    expected = run_one("conv", x, weight, wide=wide, lhs_dilation=(1,) * rank, **given)
    turned = np.moveaxis(x, 1, -1), np.moveaxis(weight, 1, -1)
    actual = run_one("channels_last_conv", *turned, wide=wide, **given)
    np.testing.assert_array_equal(actual, np.moveaxis(expected, 1, -1))


@pytest.mark.parametrize(
    ("x", "weight", "given", "text"),
    [
        ((1, 9, 4), (8, 3, 3), {}, r"x: f32\[1, 9, 3\], because weight is f32\[8, 3, 3\]"),
        ((1, 9, 4), (8, 3), {}, "weight: f32 of rank 3"),
        ((1, 9), (8, 3), {}, "weight: f32 of rank 2"),
        ((1, 9, 4), (9, 3, 2), {"groups": 2}, r"2 equal groups\n.*f32\[9, 3, 2\]"),
        ((1, 9, 4), (8, 3, 4), {"groups": 0}, "at least 1"),
        ((1, 2, 4), (8, 3, 4), {}, "larger than the padded input"),
        ((1, 9, 4), (8, 3, 4), {"strides": (0,)}, "at least 1"),
        ((1, 9, 4), (8, 3, 4), {"strides": (1, 1)}, "one entry per axis"),
    ],
)
def test_operands_that_do_not_fit_are_refused(
    x: Any, weight: Any, given: dict[str, Any], text: str
) -> None:
    with pytest.raises(LxcError) as caught:
        run_one("channels_last_conv", draw(*x), draw(*weight), **{**PLAIN, **given})
    assert caught.value.code == "LXC-E0103"
    assert re.search(text, str(caught.value)), str(caught.value)
