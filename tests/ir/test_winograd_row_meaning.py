"""Convolutions by tiles of rows mean what direct convolutions mean."""

from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.agreement import summed_terms
from lxc.ir.builder import make_node
from lxc.ir.flops import total_flops
from lxc.ir.minimal_filtering import input_rows, number_array, output_rows
from lxc.ir.node import Node, Value
from lxc.ir.op import OPS
from lxc.ir.ops.packed import blocked
from lxc.ir.ops.winograd_rows import POINTS, TILE, filters, taps_of, winograd_row_conv
from lxc.ir.types import Array, DType, TensorType
from lxc.passes.winograd_row_nodes import tap_rows

WIDE = np.dtype(np.float64)
Pair = tuple[int, int]


def transformed(weight: Array, step: int, lanes: int) -> Array:
    """Return the transform of a weight [O, C, down, across]."""
    outputs, inputs, down, across = weight.shape
    rows = number_array(tap_rows(across, step), WIDE)
    found = np.einsum("pa,ocya->poyc", rows, weight.astype(np.float64))
    shape = (len(rows), outputs // lanes, lanes, down * inputs)
    turned: Array = found.reshape(shape).swapaxes(2, 3).astype(weight.dtype)
    return turned


def node(dtype: DType = DType.F32, **changes: Any) -> Node:
    """Return a convolution of 7 by 7 taps; `changes` replace shapes and attributes."""
    shapes = {"x": (2, 3, 20, 22), "weight": (13, 2, 21, 8), "memory": (2, 40000)}
    moves = {"strides": (2, 2), "padding": ((3, 3), (3, 2)), "band": 4}
    operands = (
        Value(TensorType(dtype, changes.get(n, shape))) for n, shape in shapes.items()
    )
    attributes = {name: changes.get(name, entry) for name, entry in moves.items()}
    return make_node(winograd_row_conv, tuple(operands), attributes, ())


@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((3, 1), (0, 2))])
@pytest.mark.parametrize("steps", [(2, 2), (1, 1), (3, 4)])
@pytest.mark.parametrize("taps", [(7, 7), (1, 5), (2, 8)])
def test_tiles_give_what_every_tap_by_itself_gives(
    taps: Pair, steps: Pair, padding: tuple[Pair, Pair]
) -> None:
    if max(one.taps for one in filters(taps[1], steps[1])) > len(POINTS) + 1 - 3:
        return
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal((2, 3, 15, 21)), rng.standard_normal((8, 3, *taps))
    facts = {"strides": steps, "padding": padding}
    more = {"lhs_dilation": (1, 1), "rhs_dilation": (1, 1), "groups": 1}
    kind = {"weight_order": "oi"}
    (direct,) = OPS["conv"].run((x, weight), facts | more | kind)
    memory = np.full((1, 20000), np.nan)
    operands = (x, transformed(weight, steps[1], 4), memory)
    (found,) = winograd_row_conv.run(operands, facts | {"band": 1})
    np.testing.assert_allclose(found, blocked(direct, 4), rtol=0, atol=1e-11)


@pytest.mark.parametrize("count", range(1, len(POINTS) + 1))
def test_the_numbers_of_the_transforms_are_exact_in_float32(count: int) -> None:
    for rows in (input_rows(POINTS[:count]), output_rows(POINTS[:count], TILE)):
        narrow = number_array(rows, np.dtype(np.float32))
        assert [[float(entry) for entry in row] for row in rows] == narrow.tolist()


@pytest.mark.parametrize(("taps", "step"), [(7, 2), (5, 2), (3, 1), (11, 4), (2, 2)])
def test_every_point_of_a_filter_has_one_cell_that_a_tile_reads(
    taps: int, step: int
) -> None:
    found = filters(taps, step)
    points = sum(one.points for one in found)
    assert taps_of(points, step) == taps
    assert sum(one.taps for one in found) == taps
    assert [one.start for one in found] == [
        sum(before.points for before in found[:number]) for number in range(len(found))
    ]


def test_the_result_has_the_cells_that_all_taps_fit_into() -> None:
    assert node().result.type == TensorType(DType.F32, (2, 2, 10, 11, 8))
    assert node(DType.F64).result.type.dtype is DType.F64


def test_work_is_counted_by_tiles_and_terms_by_taps() -> None:
    assert total_flops([node()]) == 2 * 10 * 3 * (13 * 2 * 21 * 8) * 2
    assert summed_terms(node()) == 3 * 7 * 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"band": 0},
        {"dtype": DType.F16},
        {"x": (2, 3, 20)},
        {"x": (2, 2, 20, 22)},
        {"x": (2, 3, 0, 22)},
        {"x": (2, 3, 20, 1)},
        {"weight": (13, 2, 20, 8)},
        {"weight": (7, 2, 21, 8)},
        {"weight": (15, 2, 21, 8)},
        {"memory": (2, 400)},
        {"memory": (40000,)},
        {"strides": (2, 1)},
    ],
    ids=str,
)
def test_operands_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(LxcError):
        node(**wrong)


def test_a_batch_of_nothing_has_results_without_samples() -> None:
    one = node(x=(0, 3, 20, 22))
    operands = tuple(np.zeros(value.type.shape, np.float32) for value in one.operands)
    (found,) = one.op.run(operands, one.attributes)
    assert found.shape == one.result.type.shape
