"""What products of blocks compute: the same as products of the numbers in plain order."""

import re
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.types import Array
from tests.ir.one_op import run_one

BOTH = pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])
LANES = 4


def draw(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def in_blocks(x: Array, axis: int) -> Array:
    """Return `x` with an axis cut into blocks, written with a loop over the channels."""
    shape = list(x.shape)
    shape[axis] //= LANES
    found = np.zeros((*shape, LANES), x.dtype)
    for channel in range(x.shape[axis]):
        block = (slice(None),) * axis + (channel // LANES,)
        found[(*block, ..., channel % LANES)] = x[(slice(None),) * axis + (channel,)]
    return found


def close(actual: Array, expected: Array, wide: bool) -> None:
    assert actual.shape == expected.shape
    bound = 1e-12 if wide else 2e-5
    np.testing.assert_allclose(actual, expected, rtol=bound, atol=bound)


def moves(rank: int, stride: int, dilation: int) -> dict[str, Any]:
    return {"strides": (stride,) * rank, "rhs_dilation": (dilation,) * rank}


def plain_conv(x: Array, weight: Array, groups: int, wide: bool, **moves: Any) -> Array:
    rank = x.ndim - 2
    spread = {"padding": ((0, 0),) * rank, "lhs_dilation": (1,) * rank}
    return run_one("conv", x, weight, wide=wide, groups=groups, **spread, **moves)


@BOTH
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_of_blocks_is_one_of_channels(
    rank: int, groups: int, wide: bool
) -> None:
    given = moves(rank, 2, 1 + groups % 2)
    x = draw(2, 2 * LANES, *(7, 6, 8)[:rank])
    weight = draw(4 * LANES, 2 * LANES // groups, *(3, 2, 2)[:rank], seed=1)
    expected = plain_conv(x, weight, groups, wide, **given)
    kernel = in_blocks(in_blocks(weight, 1), 0)
    actual = run_one(
        "blocked_conv",
        in_blocks(x, 1),
        kernel,
        wide=wide,
        groups=groups,
        plain=False,
        **given,
    )
    close(actual, in_blocks(expected, 1), wide)


@BOTH
def test_the_channels_of_the_input_may_be_plain(wide: bool) -> None:
    given = moves(2, 2, 1)
    x, weight = draw(2, 3, 7, 6), draw(2 * LANES, 3, 3, 2, seed=1)
    expected = plain_conv(x, weight, 1, wide, **given)
    kernel = in_blocks(weight, 0)
    actual = run_one("blocked_conv", x, kernel, wide=wide, groups=1, plain=True, **given)
    close(actual, in_blocks(expected, 1), wide)


@BOTH
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_kernel_of_its_own_for_every_channel(rank: int, wide: bool) -> None:
    given = moves(rank, 1, 2)
    x = draw(2, 2 * LANES, *(7, 6, 8)[:rank])
    weight = draw(2 * LANES, 1, *(3, 2, 2)[:rank], seed=1)
    expected = plain_conv(x, weight, 2 * LANES, wide, **given)
    kernel = in_blocks(weight[:, 0], 0)
    actual = run_one("depthwise_conv", in_blocks(x, 1), kernel, wide=wide, **given)
    close(actual, in_blocks(expected, 1), wide)


@BOTH
@pytest.mark.parametrize("columns", [1, 4, 5, 8])
def test_panels_hold_the_columns_of_a_product(columns: int, wide: bool) -> None:
    x, y = draw(2, 3, 5, 6), draw(3, 6, 2, columns, seed=1)
    count = -(-columns // LANES)
    packed = np.full((3, count, 6, 2, LANES), np.nan, np.float32)
    for column in range(columns):
        packed[:, column // LANES, :, :, column % LANES] = y[..., column]
    actual = run_one(
        "packed_dot",
        x,
        packed,
        wide=wide,
        lhs_batch=(1,),
        lhs_contract=(3, 0),
        columns=columns,
    )
    sizes = np.float64 if wide else np.float32
    close(actual, np.einsum("abcd,bdae->bce", x.astype(sizes), y.astype(sizes)), wide)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_types_accumulate_in_float32(dtype: Any) -> None:
    ones = np.ones((1, 1250, 1, 4), dtype)
    kernel = np.ones((1, 1250, 1, 4, 4), dtype)
    given = moves(1, 1, 1)
    total = run_one("blocked_conv", ones, kernel, groups=1, plain=False, **given)
    assert (total == dtype(5000)).all()
    row = run_one(
        "packed_dot",
        ones.reshape(1, 5000),
        kernel.reshape(1, 5000, 4),
        lhs_batch=(),
        lhs_contract=(1,),
        columns=4,
    )
    assert (row == dtype(5000)).all()


REFUSED: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any], str]] = [
    ("packed_dot", (3, 5), (2, 5, 4), {"columns": 4}, r"rhs: f32\[1, 5, 4\], because"),
    ("packed_dot", (3, 5), (2, 6, 4), {"columns": 7}, r"rhs: f32\[2, 5, 4\], because"),
    ("packed_dot", (3, 5), (5, 8), {"columns": 8}, "rhs: f32 of rank 3"),
    ("packed_dot", (3, 5), (1, 5, 0), {"columns": 1}, "rhs: panels of at least one"),
    ("packed_dot", (3, 5), (0, 5, 4), {"columns": -4}, "cannot have -4 columns"),
    ("blocked_conv", (1, 2, 9, 4), (2, 3, 3, 4, 4), {}, r"x: f32\[1, 3, 9, 4\], because"),
    ("blocked_conv", (1, 2, 9, 4), (2, 2, 3, 4, 8), {}, r"weight: f32\[2, 2, 3, 8, 8\]"),
    ("blocked_conv", (1, 2, 9, 4), (2, 2, 3, 8, 8), {}, r"x: f32\[1, 2, 9, 8\], because"),
    ("blocked_conv", (1, 2, 9, 4), (3, 1, 3, 4, 4), {"groups": 2}, "2 equal groups"),
    ("blocked_conv", (1, 2, 9, 4), (2, 2, 3, 4), {}, "weight: f32 of rank 5"),
    ("blocked_conv", (1, 2, 9, 4), (2, 2, 3, 4, 0), {}, "blocks of at least one lane"),
    ("blocked_conv", (1, 2, 9, 4), (2, 2, 3, 4, 4), {"groups": 0}, "lie in 0 groups"),
    (
        "blocked_conv",
        (1, 4, 9),
        (2, 2, 3, 4),
        {"groups": 2, "plain": True},
        "lie in 2 groups",
    ),
    ("blocked_conv", (1, 2, 2, 4), (2, 2, 3, 4, 4), {}, "larger than the padded input"),
    ("blocked_conv", (1, 2, 9, 4), (2, 2, 3, 4, 4), {"strides": (0,)}, "at least 1"),
    ("blocked_conv", (1, 2, 4), (2, 2, 4, 4), {"strides": ()}, "at least one spatial"),
    ("depthwise_conv", (1, 2, 9, 4), (3, 3, 4), {}, r"weight: f32\[2, 3, 4\], because"),
    ("depthwise_conv", (1, 2, 9, 4), (2, 3, 8), {}, r"weight: f32\[2, 3, 4\], because"),
    ("depthwise_conv", (1, 2, 9, 4), (2, 1, 3, 4), {}, "weight: f32 of rank 3"),
]


@pytest.mark.parametrize(("name", "x", "weight", "given", "text"), REFUSED)
def test_operands_that_do_not_fit_are_refused(
    name: str, x: Any, weight: Any, given: dict[str, Any], text: str
) -> None:
    conv = {"strides": (1,), "rhs_dilation": (1,)}
    defaults: dict[str, Any] = {
        "packed_dot": {"lhs_batch": (), "lhs_contract": (1,)},
        "blocked_conv": {**conv, "groups": 1, "plain": False},
        "depthwise_conv": conv,
    }
    with pytest.raises(LxcError) as caught:
        run_one(name, draw(*x), draw(*weight), **{**defaults[name], **given})
    assert caught.value.code == "LXC-E0103"
    assert re.search(text, str(caught.value)), str(caught.value)
