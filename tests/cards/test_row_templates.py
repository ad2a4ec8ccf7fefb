"""Kernels of cards that walk rows, reduce them or stream: right without a race anywhere."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import ops
from lxc.ir.types import Array
from tests.cards.single_kernels import SingleKernel
from tests.targets.test_rows import drawn, graph_of, normal


def kernel(function: Callable[..., Any], *specs: lxc.TensorSpec) -> SingleKernel:
    return SingleKernel(graph_of(lambda *xs: [function(*xs)], *specs))


def half(dtype: str, *shape: int) -> Array:
    return drawn(*shape).astype(lxc.TensorSpec(shape, dtype).dtype)


@pytest.mark.parametrize("length", [17, 36, 96])
@pytest.mark.parametrize("function", [ops.softmax, normal], ids=["softmax", "norm"])
def test_a_warp_walks_a_row_of_any_length(function: Any, length: int) -> None:
    made = kernel(function, lxc.TensorSpec((5, length)))
    assert made.algorithm == "rows by warps"
    made.check([drawn(5, length)])


def test_a_block_walks_a_long_row() -> None:
    made = kernel(ops.softmax, lxc.TensorSpec((2, 1030)))
    assert made.algorithm == "rows by blocks"
    x = drawn(2, 1030)
    x[1, 1000] = np.inf
    made.check([x])


def test_a_short_row_is_left_to_one_thread() -> None:
    made = kernel(ops.softmax, lxc.TensorSpec((3, 16)))
    assert made.algorithm == "rows"
    made.check([drawn(3, 16)])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_rows_and_sums_of_other_types(dtype: str) -> None:
    spec = lxc.TensorSpec((3, 40), dtype)
    x = half(dtype, 3, 40)
    kernel(lambda x: ops.max(x, -1), spec).check([x])
    kernel(lambda x: x - ops.max(x, -1, keepdims=True), spec).check([x])


def test_numbers_that_are_not_finite_stay_in_their_row() -> None:
    made = kernel(ops.softmax, lxc.TensorSpec((5, 64)))
    x = drawn(5, 64)
    x[0, 3], x[1, 5], x[2, :9], x[3] = np.nan, np.inf, -np.inf, -np.inf
    y = made.check([x])
    assert np.isnan(y[[0, 1, 3]]).all()
    assert not np.isnan(y[[2, 4]]).any()


def test_neither_batch_nor_blocks_nor_the_place_in_memory_change_a_bit() -> None:
    rows = lxc.Dim("N", 0, 9)
    made = kernel(normal, lxc.TensorSpec((rows, 72)))
    x = drawn(9, 72)
    whole = made.check([x], N=9)
    np.testing.assert_array_equal(made.run([x[4:5]], {"N": 1}, blocks=1), whole[4:5])
    np.testing.assert_array_equal(made.run([x], {"N": 9}, blocks=1, shift=1), whole)
    assert made.check([x[:0]], N=0).shape == (0, 72)


def test_a_row_of_symbolic_length() -> None:
    length = lxc.Dim("L", 1, 400)
    made = kernel(ops.softmax, lxc.TensorSpec((2, length)))
    for size in (1, 33, 70):
        made.check([drawn(2, size)], L=size)


@pytest.mark.parametrize("axes", [(2,), (0, 2), (0, 1, 2)], ids=str)
def test_sums_along_the_last_axis_are_shared_by_a_team(axes: tuple[int, ...]) -> None:
    made = kernel(lambda x: ops.exp(ops.mean(x, axes)), lxc.TensorSpec((3, 5, 20)))
    assert made.algorithm == "reduce by warps"
    made.check([drawn(3, 5, 20)])


def test_whole_numbers_and_conditions_are_reduced_by_teams() -> None:
    x = np.random.default_rng(0).integers(-100, 100, (4, 50)).astype(np.int32)
    kernel(lambda x: ops.sum(x, -1), lxc.TensorSpec((4, 50), "int32")).check([x])
    kernel(lambda x: ops.any(x > 95, -1), lxc.TensorSpec((4, 50), "int32")).check([x])


@pytest.mark.parametrize("shape", [(3, 40), (3, 37), (0, 8)], ids=str)
def test_streams_of_every_size_and_place(shape: tuple[int, ...]) -> None:
    made = kernel(lambda x, y: x * y + 1, *[lxc.TensorSpec(s) for s in (shape, shape[1:])])
    inputs = [drawn(*shape), drawn(*shape[1:])]
    whole = made.check(inputs)
    np.testing.assert_array_equal(made.run(inputs, {}, blocks=1, shift=1), whole)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int8"])
def test_streams_of_other_types(dtype: str) -> None:
    made = kernel(lambda x: x + x, lxc.TensorSpec((5, 40), dtype))
    made.check([half(dtype, 5, 40)])


def test_memory_is_read_and_written_sixteen_bytes_at_once() -> None:
    for function in (ops.softmax, lambda x: ops.sum(x, -1), lambda x: x + 1):
        text = str(kernel(function, lxc.TensorSpec((4, 64))).made.function)
        assert "lxc_load_16" in text
