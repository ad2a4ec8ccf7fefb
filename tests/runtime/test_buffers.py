"""Leaves on their way in: what is taken as it is, what is copied, what is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from lxc.errors import LxcError
from lxc.runtime.buffers import INPUTS, Indices, Slot
from lxc.runtime.memory import Array
from lxc.runtime.signature import Leaf

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def taken(slot: Slot, value: Any) -> tuple[Array, int]:
    kept: list[Array] = []
    place = slot.take(value, kept)
    (array,) = kept
    return array, place


@pytest.mark.parametrize("shape", [(2, 3), ("N", 3)])
def test_an_array_that_fits_is_taken_as_it_is(shape: Any) -> None:
    slot = Slot(Leaf("x", "float32", shape), INPUTS)
    read_only = np.ones((2, 3), np.float32)
    read_only.flags.writeable = False
    for x in (np.ones((2, 3), np.float32), read_only):
        array, place = taken(slot, x)
        assert array is x
        assert place == x.ctypes.data


@pytest.mark.parametrize("shape", [(2, 3), ("N", 3)])
def test_an_array_of_another_layout_is_copied(shape: Any) -> None:
    slot = Slot(Leaf("x", "float32", shape), INPUTS)
    raw = np.arange(25, dtype=np.uint8)[1:]
    columns = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    for x in (columns, columns[::-1], raw.view(np.float32).reshape(2, 3)):
        array, place = taken(slot, x)
        np.testing.assert_array_equal(array, x)
        assert place == array.ctypes.data
        assert place % 4 == 0
        assert array.flags.c_contiguous


@pytest.mark.parametrize(
    "x",
    [
        np.ones((2, 3)),
        np.ones(6, np.float32),
        np.ones((2, 3), ">f4"),
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]],
    ],
    ids=["float64", "rank", "byte order", "list"],
)
@pytest.mark.parametrize("shape", [(2, 3), ("N", 3)])
def test_what_does_not_fit_is_refused(x: Any, shape: Any) -> None:
    slot = Slot(Leaf("x", "float32", shape), INPUTS)
    with pytest.raises(LxcError):
        taken(slot, x)


def test_another_shape_is_refused() -> None:
    with pytest.raises(LxcError):
        taken(Slot(Leaf("x", "float32", (2, 3)), INPUTS), np.ones((3, 2), np.float32))


@given(
    some.sampled_from(INTEGERS),
    some.integers(1, 300),
    some.lists(some.integers(-130, 300), max_size=6),
)
def test_indices_are_those_from_zero_to_below(
    dtype: str, below: int, values: list[int]
) -> None:
    limits = np.iinfo(dtype)
    kept = [value for value in values if limits.min <= value <= limits.max]
    array = np.array(kept, dtype)
    right = all(0 <= value < below for value in kept)
    assert Indices(np.dtype(dtype), below).are_in(array) is right
    assert Indices(np.dtype(dtype), below).are_in(array[::-1]) is right


@pytest.mark.parametrize("shape", [(3,), ("N",), (1,)])
@pytest.mark.parametrize("bad", [-1, 10, -(2**63), 2**62])
def test_an_index_outside_of_its_table_is_refused(shape: Any, bad: int) -> None:
    slot = Slot(Leaf("x", "int64", shape, below=10), INPUTS)
    x = np.zeros(1 if shape == (1,) else 3, np.int64)
    assert taken(slot, x)[0] is x
    x[-1] = bad
    with pytest.raises(LxcError, match="outside of its table") as caught:
        taken(slot, x)
    assert caught.value.expected == "x: 0..9"
    assert str(bad) in str(caught.value.actual)
