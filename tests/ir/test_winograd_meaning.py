"""Convolutions by Winograd's tiles mean what direct convolutions mean."""

from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.builder import make_node
from lxc.ir.minimal_filtering import number_array
from lxc.ir.node import Node, Value
from lxc.ir.op import OPS
from lxc.ir.ops.packed import blocked_conv
from lxc.ir.ops.winograd import (
    POINTS,
    input_matrix,
    output_matrix,
    weight_matrix,
    winograd_conv,
)
from lxc.ir.types import Array, DType, TensorType

X = (2, 2, 9, 8, 4)
MOVES = {"strides": (1, 1), "rhs_dilation": (1, 1), "groups": 1, "plain": False}


def transformed(weight: Array, tile: int) -> Array:
    """Return the transform of a weight [O blocks, C blocks, 3, 3, lanes, lanes]."""
    rows = number_array(weight_matrix(tile), np.dtype(np.float64))
    found = np.einsum("ay,ocyxil,bx->abocil", rows, weight.astype(np.float64), rows)
    blocks, inputs, lanes = weight.shape[0], weight.shape[1], weight.shape[-1]
    shape = ((tile + 2) ** 2, blocks, inputs * lanes, lanes)
    made: Array = found.reshape(shape).astype(weight.dtype)
    return made


def of_type(dtype: DType, *shape: int) -> Value:
    return Value(TensorType(dtype, shape))


def node(tile: int = 4, block: int = 3, dtype: DType = DType.F32, **shapes: Any) -> Node:
    """Return a convolution of `X`; `shapes` replace those of operands."""
    points = (tile + 2) ** 2
    usual = {
        "x": X,
        "weight": (points, 3, 8, 4),
        "cells": (points, 2 * block * 4),
        "sums": (points, 3 * block * 4 + 4),
    }
    operands = tuple(of_type(dtype, *shape) for shape in (usual | shapes).values())
    return make_node(winograd_conv, operands, {"tile": tile, "block": block}, ())


@pytest.mark.parametrize("tile", POINTS)
@pytest.mark.parametrize("size", [(3, 3), (4, 9), (12, 7), (6, 18)])
def test_tiles_give_what_every_tap_by_itself_gives(
    size: tuple[int, int], tile: int
) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 2, *size, 4))
    weight = rng.standard_normal((3, 2, 3, 3, 4, 4))
    (direct,) = blocked_conv.run((x, weight), MOVES)
    memory = np.full((1, 1), np.nan)
    operands = (x, transformed(weight, tile), memory, memory)
    (found,) = winograd_conv.run(operands, {"tile": tile, "block": 1})
    np.testing.assert_allclose(found, direct, rtol=0, atol=1e-12)


@pytest.mark.parametrize("tile", POINTS)
def test_the_numbers_of_the_transforms_are_exact_in_float32(tile: int) -> None:
    for matrix in (input_matrix(tile), output_matrix(tile)):
        narrow = number_array(matrix, np.dtype(np.float32))
        assert [[float(entry) for entry in row] for row in matrix] == narrow.tolist()


def test_the_result_has_the_cells_that_all_taps_fit_into() -> None:
    assert node().result.type == TensorType(DType.F32, (2, 3, 7, 6, 4))
    assert node(2, 1, DType.F64).result.type.dtype is DType.F64


@pytest.mark.parametrize(
    "wrong",
    [
        {"tile": 3},
        {"block": 0},
        {"dtype": DType.F16},
        {"x": (2, 8, 9, 8)},
        {"x": (2, 2, 2, 8, 4)},
        {"weight": (36, 3, 8, 8)},
        {"weight": (36, 3, 4, 4)},
        {"weight": (16, 3, 8, 4)},
        {"cells": (36, 23)},
        {"cells": (16, 24)},
        {"sums": (36, 35)},
        {"sums": (36 * 36,)},
    ],
    ids=str,
)
def test_operands_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(LxcError):
        node(**wrong)


def test_a_batch_of_nothing_has_results_without_samples() -> None:
    one = node(x=(0, *X[1:]))
    operands = tuple(np.zeros(value.type.shape, np.float32) for value in one.operands)
    (found,) = one.op.run(operands, one.attributes)
    assert found.shape == one.result.type.shape


def test_scratch_memory_is_zeros_in_the_reference() -> None:
    (found,) = OPS["scratch"].run((), {"shape": (2, 3), "dtype": DType.F64})
    assert found.shape == (2, 3)
    assert found.dtype == np.float64
    assert not found.any()
