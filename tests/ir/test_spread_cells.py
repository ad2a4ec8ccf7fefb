"""Cells set apart and edges around them: axes without cells, and edges below zero."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.dim import Dim, size
from lxc.ir.op import OPS
from lxc.ir.types import DType, TensorType
from tests.ir.one_op import run_one

ONE_PAD = np.array(7, np.float32)
EMPTY = np.zeros((1, 1, 0), np.float32)
TAPS = np.ones((1, 1, 2), np.float32)


@pytest.mark.parametrize("gap", [0, 1, 3])
def test_nothing_has_nothing_between_its_cells(gap: int) -> None:
    x = np.zeros((2, 0), np.float32)
    padded = run_one("pad", x, ONE_PAD, low=(0, 2), high=(0, 1), interior=(0, gap))
    np.testing.assert_array_equal(padded, np.full((2, 3), 7, np.float32), strict=True)
    assert pad_type(0, gap).shape == (3,)


@pytest.mark.parametrize("spread", [1, 2, 4])
def test_a_convolution_of_nothing_sees_its_padding_alone(spread: int) -> None:
    options: dict[str, Any] = {"strides": (1,), "rhs_dilation": (1,), "groups": 1}
    y = run_one(
        "conv",
        EMPTY,
        TAPS,
        padding=((3, 2),),
        lhs_dilation=(spread,),
        weight_order="oi",
        **options,
    )
    np.testing.assert_array_equal(y, np.zeros((1, 1, 4), np.float32), strict=True)
    assert conv_type(0, (3, 2), spread).shape == (1, 1, 4)


def type_of(name: str, *operands: TensorType, **attributes: Any) -> TensorType:
    """Return the type of the only result of an op."""
    (found,) = OPS[name].infer(operands, attributes, ())
    return found


def conv_type(cells: Any, pads: Any, spread: int) -> TensorType:
    """Return the type of a convolution of some cells with two taps."""
    x = TensorType(DType.F32, (1, 1, cells))
    return type_of(
        "conv",
        x,
        TensorType(DType.F32, (1, 1, 2)),
        strides=(1,),
        padding=(pads,),
        lhs_dilation=(spread,),
        rhs_dilation=(1,),
        groups=1,
        weight_order="oi",
    )


def pad_type(cells: Any, gap: int) -> TensorType:
    """Return the type of a pad of one axis."""
    x, value = TensorType(DType.F32, (cells,)), TensorType(DType.F32, ())
    return type_of("pad", x, value, low=(3,), high=(0,), interior=(gap,))


def test_cells_that_may_be_none_are_not_set_apart() -> None:
    some, any_number = size(Dim("N", 1, 9)), size(Dim("M", 0, 9))
    assert pad_type(some, 2).shape == (3 * some + 1,)
    assert conv_type(some, (1, 1), 2).shape[2] == 2 * some
    assert pad_type(any_number, 0).shape == (any_number + 3,)
    assert conv_type(any_number, (1, 1), 1).shape[2] == any_number + 1
    calls: tuple[Callable[[], TensorType], ...] = (
        lambda: pad_type(any_number, 2),
        lambda: conv_type(any_number, (3, 3), 2),
    )
    for call in calls:
        with pytest.raises(LxcError, match="none cannot be set apart") as caught:
            call()
        assert caught.value.code == "LXC-E0103"
        assert "M" in str(caught.value.actual)


@pytest.mark.parametrize("pads", [(-1, 3), (3, -1)])
def test_edges_below_zero_are_refused(pads: tuple[int, int]) -> None:
    x = TensorType(DType.F32, (1, 1, 4))
    around = ((0, 0), (0, 0), pads)
    facts = {"kind": "max", "window": (1, 1, 2), "strides": (1, 1, 1), "padding": around}
    calls: tuple[Callable[[], TensorType], ...] = (
        lambda: conv_type(4, pads, 1),
        lambda: type_of("reduce_window", x, **facts),
    )
    for call in calls:
        with pytest.raises(LxcError, match="padding cannot be negative") as caught:
            call()
        assert caught.value.code == "LXC-E0103"
