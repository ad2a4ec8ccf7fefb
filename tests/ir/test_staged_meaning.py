"""A convolution that copies what it reads part by part means what `conv` means."""

from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.op import OPS
from lxc.ir.ops.staged import one_tap
from lxc.ir.types import DType, TensorType

FACTS: dict[str, Any] = {
    "strides": (2, 1),
    "padding": ((1, 0), (2, 1)),
    "rhs_dilation": (1, 2),
    "groups": 2,
}
ROOM = 2 * (7 + 1) * (9 + 3)


def kinds(*shapes: tuple[int, ...]) -> tuple[TensorType, ...]:
    return tuple(TensorType(DType.F32, shape) for shape in shapes)


def test_it_is_a_convolution_whatever_the_memory_holds() -> None:
    source = np.random.default_rng(0)
    x = source.normal(size=(3, 4, 7, 9)).astype(np.float32)
    weight = source.normal(size=(6, 2, 3, 2)).astype(np.float32)
    memory = np.full((2, ROOM), np.nan, np.float32)
    (found,) = OPS["staged_conv"].run((x, weight, memory), FACTS)
    plain = {**FACTS, "lhs_dilation": (1, 1), "weight_order": "oi", "result": None}
    (expected,) = OPS["conv"].run((x, weight), plain)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("memory", [(2, ROOM - 1), (ROOM,)])
def test_memory_that_a_group_does_not_fit_into_is_refused(memory: tuple[int, ...]) -> None:
    types = kinds((3, 4, 7, 9), (6, 2, 3, 2), memory)
    with pytest.raises(LxcError, match=f"rows of {ROOM} f32 or more"):
        OPS["staged_conv"].infer(types, FACTS)


def test_cells_a_step_apart_lie_in_rows_of_their_own() -> None:
    facts = {**FACTS, "strides": (1, 2)}
    types = kinds((3, 4, 7, 9), (6, 2, 3, 2), (1, 2 * 8 * 2 * 6))
    (found,) = OPS["staged_conv"].infer(types, facts)
    assert found.shape == (3, 6, 6, 5)


def test_stretches_of_cells_change_no_bit_whatever_the_memory_holds() -> None:
    source = np.random.default_rng(0)
    x = source.normal(size=(3, 4, 7, 9)).astype(np.float32)
    weight = source.normal(size=(6, 2, 1, 1)).astype(np.float32)
    memory = np.full((2, 32), np.nan, np.float32)
    (found,) = OPS["stretched_conv"].run((x, weight, memory), {"groups": 2})
    plain = {**one_tap(2, 2), "weight_order": "oi", "result": None}
    (expected,) = OPS["conv"].run((x, weight), plain)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("taps", "memory", "wanted"),
    [((1, 1), (2, 1), "rows of 2 f32 or more"), ((1, 2), (2, 32), "one tap")],
)
def test_stretches_of_no_cell_and_several_taps_are_refused(
    taps: tuple[int, ...], memory: tuple[int, ...], wanted: str
) -> None:
    types = kinds((3, 4, 7, 9), (6, 2, *taps), memory)
    with pytest.raises(LxcError, match=wanted):
        OPS["stretched_conv"].infer(types, {"groups": 2})
