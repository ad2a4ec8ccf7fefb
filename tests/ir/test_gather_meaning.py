"""Gather and cumulative ops mean what their descriptions say, in both widths."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.errors import LxcError
from tests.ir.one_op import run_one

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.int64])
def test_gather_puts_the_axes_of_the_indices_in_place(axis: int, kind: Any) -> None:
    indices = np.array([[0, 1], [1, 0], [1, 1]], kind)
    found = run_one("gather", X, indices, axis=axis)
    np.testing.assert_array_equal(found, np.take(X, indices.astype(int), axis))
    wide = run_one("gather", X, indices, axis=axis, wide=True)
    np.testing.assert_array_equal(wide, found.astype(np.float64))


def test_gather_takes_the_nearest_entry_for_any_index() -> None:
    signed = np.array([-(2**63), -1, 0, 2, 3, 2**63 - 1])
    found = run_one("gather", X, signed, axis=1)
    np.testing.assert_array_equal(found, X[:, [0, 0, 0, 2, 2, 2]])
    large = np.array([0, 2**63, 2**64 - 1], np.uint64)
    np.testing.assert_array_equal(run_one("gather", X, large, axis=2), X[..., [0, 3, 3]])


def test_gather_of_an_axis_without_entries_gives_zeros() -> None:
    found = run_one("gather", X[:, :0], np.array([0, 7]), axis=1)
    np.testing.assert_array_equal(found, np.zeros((2, 2, 4), np.float32))


@pytest.mark.parametrize(("kind", "walk"), [("add", np.cumsum), ("multiply", np.cumprod)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_cumulative_combines_all_up_to_each(kind: str, walk: Any, axis: int) -> None:
    np.testing.assert_array_equal(
        run_one("cumulative", X, kind=kind, axis=axis), walk(X, axis)
    )
    wide = run_one("cumulative", X, kind=kind, axis=axis, wide=True)
    np.testing.assert_array_equal(wide, walk(X.astype(np.float64), axis))


def test_cumulative_extremes_keep_nan() -> None:
    x = np.array([2, 3, 1, np.nan, 5], np.float32)
    largest = run_one("cumulative", x, kind="max", axis=0)
    np.testing.assert_array_equal(largest, [2, 3, 3, np.nan, np.nan])
    smallest = run_one("cumulative", x, kind="min", axis=0)
    np.testing.assert_array_equal(smallest, [2, 2, 1, np.nan, np.nan])


@pytest.mark.parametrize("half", [np.float16, ml_dtypes.bfloat16])
def test_a_half_type_is_rounded_only_where_it_is_kept(half: Any) -> None:
    x = np.full(3000, 1.0, half)
    found = run_one("cumulative", x, kind="add", axis=0)
    np.testing.assert_array_equal(found, np.arange(1, 3001).astype(half))


def test_integers_wrap_around_in_their_own_type() -> None:
    x = np.full(5, 100, np.int8)
    found = run_one("cumulative", x, kind="add", axis=0)
    np.testing.assert_array_equal(found, np.cumsum(x, dtype=np.int8))


REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("gather", (X, X), {"axis": 0}, "this indices does not fit"),
    ("gather", (X, np.array([True])), {"axis": 0}, "this indices does not fit"),
    ("gather", (X, np.array([0])), {"axis": 3}, "these axis do not fit"),
    ("gather", (X, np.array([0])), {"axis": 0, "mode": "wrap"}, "no mode 'wrap'"),
    ("cumulative", (X,), {"axis": 3, "kind": "add"}, "these axis do not fit"),
    ("cumulative", (X,), {"axis": 0, "kind": "mean"}, "no reduction 'mean'"),
    ("cumulative", (X > 0,), {"axis": 0, "kind": "or"}, "this x does not fit"),
]


@pytest.mark.parametrize(("name", "arrays", "attributes", "words"), REFUSED)
def test_what_does_not_fit_is_refused(
    name: str, arrays: tuple[Any, ...], attributes: dict[str, Any], words: str
) -> None:
    with pytest.raises(LxcError, match=words) as caught:
        run_one(name, *arrays, **attributes)
    assert caught.value.code == "LXC-E0103"
