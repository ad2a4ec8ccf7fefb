"""Indexing by arrays, sizes known at run time, and functions that NumPy lacks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

from lxc.errors import LxcError
from lxc.ir import functions as ops
from lxc.ir.types import Array
from tests.ir.structural_cases import F, I, K, T, V
from tests.ir.traced import placeholders, same, traced

X = np.random.default_rng(2).normal(size=(4, 5, 6)).astype(np.float32)
J = np.array([3, 0, -1])
INDICES: list[Any] = [
    J,
    [1, 2],
    [],
    (J, J),
    (slice(None), J),
    (..., J),
    (J, ..., J),
    (0, slice(None), J),
    (J, slice(None), 0),
    (J[:, None], J),
    (None, J, None, J),
    (J, None, J),
    (slice(1, None), J[:, None], slice(None, None, -2)),
    (np.array(2), 1),
    (np.array(2), slice(None), np.array(1)),
    (J, 2, 3),
    (..., J, slice(2, 4)),
    X[:, 0, 0] > 0,
    (slice(None), X[0] > 0),
    X > 1,
    (-1, ..., -2),
    (slice(None, None, -1), None, slice(4, None, -3), slice(-2, -5, -1)),
]


@pytest.mark.parametrize("index", INDICES, ids=lambda index: repr(index)[:60])
def test_arrays_index_as_in_numpy(index: Any) -> None:
    (x,) = placeholders([X])
    same(traced(lambda x: x[index], X), X[index])
    assert x[index].shape == X[index].shape


POINTS: list[Callable[..., Any]] = [
    lambda x, i: x[i],
    lambda x, i: x[:, i],
    lambda x, i: x[i, ..., i],
    lambda x, i: x[1, :, i],
    lambda x, i: x[i[0, 1]],
    lambda x, i: x[i, np.array([0, -1])],
]


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.int64, np.uint8, np.uint64])
def test_traced_tensors_index_as_arrays_do(kind: Any) -> None:
    places = np.array([[0, 3], [2, 1]], kind)
    for call in POINTS:
        same(traced(call, X, places), call(X, places))


def test_traced_indices_count_from_the_end_and_stay_inside() -> None:
    places = np.array([-1, -4, -9, 3, 4, 100])
    (found,) = traced(lambda x, i: x[i], X, places)
    same(found, X[[3, 0, 0, 3, 3, 3]])
    (found,) = traced(lambda x, i: ops.take(x, i, 1), X, places)
    same(found, X[:, [4, 1, 0, 3, 4, 4]])


SYMBOLIC: list[Callable[..., Any]] = [
    lambda m, x: m.take(x, np.array([0, -1, 2]), 0),
    lambda m, x: m.take_along_axis(x, m.argmax(x, 0)[None], 0),
    lambda m, x: m.argmax(x, 0),
    lambda m, x: m.argmin(x),
    lambda m, x: m.cumsum(x, 0),
    lambda m, x: m.cumprod(x, 1),
    lambda m, x: m.diff(x, axis=1),
    lambda m, x: m.einsum("nij,nkj->nik", x, x),
    lambda m, x: m.einsum("nij,njk->n", x, x.transpose(0, 2, 1)),
    lambda m, x: m.einsum("n...,n...->...", x, x),
    lambda m, x: m.einsum("ij,kj->ik", x[:, 0], x[:, 0]),
    lambda m, x: m.einsum("ii->i", m.matmul(x[:, 0], x[:, 0].T)),
    lambda m, x: m.trace(m.matmul(x[:, 0], x[:, 0].T)),
    lambda m, x: m.tril(m.matmul(x[:, 0], x[:, 0].T), -1),
    lambda m, x: m.diag(x[:, 0, 0], 1),
    lambda m, x: m.tile(x, (2, 1, 1)),
    lambda m, x: m.repeat(x, 3, 0),
    lambda m, x: m.roll(x, 3, 0),
    lambda m, x: m.roll(x, -2, 1),
    lambda m, x: m.rot90(x),
    lambda m, x: m.hstack([x, x]),
    lambda m, x: m.vstack([x[:, 0], x[:, 1]]),
    lambda m, x: m.kron(x[:, 0], np.eye(2, dtype=np.float32)),
    lambda m, x: m.pad(x, ((0, 0), (1, 2), (2, 3)), mode="reflect"),
    lambda m, x: m.nanmean(x, 0),
    lambda m, x: m.var(x, 0, ddof=1),
    lambda m, x: m.average(x, 0, x),
    lambda m, x: m.outer(x, np.arange(3)),
    lambda m, x: m.meshgrid(x[:, 0, 0], np.arange(3))[0],
    lambda m, x: m.array_split(x[:, :, 0], 2, axis=1)[1],
    lambda m, x: x[::-1],
    lambda m, x: x[:100],
    lambda m, x: x[np.array([0, -1]), :, np.array([1, 2])],
]


@pytest.mark.parametrize("call", SYMBOLIC)
def test_structural_functions_take_axes_of_unknown_size(call: Callable[..., Any]) -> None:
    wanted = np.asarray(call(np, X))
    for module in (ops, np):
        (found,) = traced(lambda x, m=module: call(m, x), X, symbolic=True)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-5)


MADE: list[Callable[..., Any]] = [
    lambda m, x: m.zeros((x.shape[0], 2), like=x),
    lambda m, x: m.full((2, x.shape[0]), 7, like=x),
    lambda m, x: m.arange(x.shape[0], like=x),
    lambda m, x: m.arange(1, x.shape[0] + 3, dtype=np.float32, like=x),
    lambda m, x: m.eye(x.shape[0], 3, 1, like=x),
    lambda m, x: m.tri(x.shape[0], dtype=np.float32, like=x),
]


@pytest.mark.parametrize("call", MADE)
def test_arrays_of_unknown_size_are_made_for_a_tensor(call: Callable[..., Any]) -> None:
    (found,) = traced(lambda x: call(ops, x), X, symbolic=True)
    same(found, call(np, X))


def test_one_hot_marks_a_place_along_a_new_axis() -> None:
    places = np.array([[0, 2, 1], [3, -1, 0]], np.int16)
    wanted = np.eye(3, dtype=np.float32)[np.clip(places, 0, 2)]
    wanted[(places < 0) | (places > 2)] = 0
    for axis in (-1, 0, 1):
        eager = ops.one_hot(places, 3, axis=axis)
        same(eager, np.moveaxis(wanted, -1, axis))
        same(traced(lambda x, a=axis: ops.one_hot(x, 3, axis=a), places), eager)
    assert ops.one_hot(places, 3, dtype=bool).dtype == np.bool_


def test_a_table_is_looked_up_by_rows() -> None:
    places = np.array([[0, 2], [1, 1]], np.uint8)
    same(ops.lookup(T, places % 2), T[places % 2])
    same(traced(ops.lookup, F, places), F[places])


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_logsumexp_is_scipys(axis: Any) -> None:
    x = F.copy()
    x[0] = -np.inf
    x[1, 1], x[2] = np.inf, x[2] * 300
    for keepdims in (False, True):
        wanted = scipy.special.logsumexp(x.astype(np.float64), axis, keepdims=keepdims)
        found = ops.logsumexp(x, axis, keepdims=keepdims)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
        options = {"axis": axis, "keepdims": keepdims}
        same(traced(lambda x, o=options: ops.logsumexp(x, **o), x), found)


def test_indices_are_those_of_every_element() -> None:
    same(ops.indices((2, 3)), np.indices((2, 3)))
    same(ops.indices((4,), np.float32), np.indices((4,), np.float32))
    (found,) = traced(lambda x: ops.indices(x.shape, like=x), F, symbolic=True)
    same(found, np.indices(F.shape))


def test_sums_of_many_operands_never_grow_beyond_what_is_needed() -> None:
    left, right = np.ones((300, 2), np.float32), np.ones((2, 300), np.float32)
    sizes: list[int] = []

    def call(x: Any, y: Any) -> Any:
        result = ops.einsum("ia,bj,ab,j->i", x, y, np.ones((2, 2), np.float32), y[0])
        sizes.extend(node.result.type.element_count for node in x.builder.nodes)
        return result

    (found,) = traced(call, left, right)
    same(found, np.full(300, 1200, np.float32))
    assert max(sizes) <= 600


READ: list[Callable[..., Any]] = [
    lambda i: ops.take_along_axis(I[:1], i, 1),
    lambda i: ops.take(V, i % 5),
    lambda i: ops.choose(i % 2, [I[:1], 7 * I[1]]),
    lambda i: ops.isin(I, i),
]


@pytest.mark.parametrize("call", READ)
def test_arrays_are_read_at_traced_indices(call: Callable[..., Any]) -> None:
    places = np.argsort(I, 1)
    (found,) = traced(call, places, symbolic=True)
    same(found, np.asarray(call(places)))


def test_rolling_by_a_traced_shift_is_numpys() -> None:
    for shift in (-7, 0, 2, 11):
        (found,) = traced(lambda x, s: ops.roll(x, s, 1), I, np.array(shift))
        same(found, np.roll(I, shift, 1))


def test_a_running_sum_of_a_half_type_accumulates_in_float32() -> None:
    x = np.full(5000, 1.0, np.float16)
    assert ops.cumsum(x)[-1] == np.float16(5000)
    (found,) = traced(ops.cumsum, x)
    same(found, ops.cumsum(x))


def test_products_of_bools_are_bools() -> None:
    b: Array = K > 0
    same(ops.matmul(b[0], b[1].T), b[0] @ b[1].T)
    same(ops.einsum("nij->ij", b), np.einsum("nij->ij", b))
    same(ops.tensordot(b, b, ((0, 2), (0, 2))), np.tensordot(b, b, ((0, 2), (0, 2))))
    same(ops.dot(b[0], b[0].T), np.dot(b[0], b[0].T))


def test_numbers_of_numpy_make_shapes() -> None:
    three, rest = np.int64(3), np.int8(-1)
    calls: tuple[Callable[[Any], Any], ...] = (
        lambda x: ops.reshape(x, (three, np.uint8(8), rest)),
        lambda x: ops.tile(x, (three, 1, 1)),
        lambda x: ops.broadcast_to(x, (three, 4, 5, 6)),
    )
    for call in calls:
        same(call(X), traced(call, X))
    assert ops.reshape(X, (three, rest)).shape == (3, 40)


@pytest.mark.parametrize("shape", [(0, -1), (-1, 0), (3, 0, -1)])
def test_a_size_that_nothing_decides_is_not_guessed(shape: tuple[int, ...]) -> None:
    """As in NumPy, on arrays as on traced tensors."""
    empty = np.zeros((0, 9), np.float32)
    for x in (empty, *placeholders([empty])):
        with pytest.raises(LxcError, match="-1 could be any size") as error:
            ops.reshape(x, shape)
        assert error.value.code == "LXC-E0103"


def test_a_size_beside_an_open_one_is_known_where_a_call_is_empty() -> None:
    empty = np.zeros((0, 3, 9), np.float32)
    (found,) = traced(lambda x: ops.reshape(x, (x.shape[0], -1)), empty, symbolic=True)
    assert found.shape == (0, 27)
    assert ops.reshape(empty, (-1, 27)).shape == ops.reshape(empty, (0, 27)).shape
