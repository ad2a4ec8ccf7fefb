"""Entries are read at any index without leaving the axis, on every back end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, expression
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, DType, TensorType
from tests.ops.cases import Case, graph_of, results
from tests.ops.graphs import graph_from
from tests.targets.backends import Backend

X = np.random.default_rng(0).normal(size=(5, 7, 19)).astype(np.float32)
INDICES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
ELEMENTS: tuple[Any, ...] = (np.bool_, np.int8, np.float16, ml_dtypes.bfloat16, np.float64)


def gathered(name: str, x: Array, indices: Array, axis: int) -> Case:
    return Case(name, "gather", (x, indices), {"axis": axis})


def numbers(kind: str) -> Array:
    """Return indices inside of every axis of X, and the extremes of the type."""
    limits = np.iinfo(kind)
    row = [0, 1, 2, 3, 4, limits.min, limits.max, limits.max - 1]
    return np.array([row, row[::-1], row[3:] + row[:3]], kind)


@pytest.mark.parametrize("kind", INDICES)
def test_an_index_outside_takes_the_nearest_entry(
    kind: str, target: Backend, tmp_path: Path
) -> None:
    indices = numbers(kind)
    cases = [gathered(str(axis), X, indices, axis) for axis in range(3)]
    for name, (_, actual, _) in results(kind, cases, target, tmp_path).items():
        last = X.shape[int(name)] - 1
        inside = [max(0, min(int(index), last)) for index in indices.ravel()]
        wanted = np.take(X, np.reshape(inside, indices.shape), int(name))
        np.testing.assert_array_equal(actual[0], wanted, name)


def test_every_element_type_is_gathered(target: Backend, tmp_path: Path) -> None:
    indices = np.array([4, 0, 2], np.int32)
    cases = [
        gathered(f"{np.dtype(dtype)} {axis}", X.astype(dtype), indices, axis)
        for dtype in ELEMENTS
        for axis in (0, 2)
    ]
    for name, (case, actual, _) in results("types", cases, target, tmp_path).items():
        wanted = np.take(case.operands[0], indices, case.attributes["axis"])
        np.testing.assert_array_equal(actual[0].astype("f8"), wanted.astype("f8"), name)


def test_shapes_without_elements_are_gathered(target: Backend, tmp_path: Path) -> None:
    pair, none = np.array([3, 1]), np.zeros((0, 3), np.int64)
    cases = [
        gathered("no entries", X[:, :0], pair, 1),
        gathered("no indices", X, none, 1),
        gathered("no runs", X[:, :, :0], pair, 1),
        gathered("one index", X, np.array(3, np.uint8), 1),
    ]
    found = results("empty", cases, target, tmp_path)
    shapes = {name: actual[0].shape for name, (_, actual, _) in found.items()}
    assert shapes == {
        "no entries": (5, 2, 19),
        "no indices": (5, 0, 3, 19),
        "no runs": (5, 2, 0),
        "one index": (5, 19),
    }
    assert not found["no entries"][1][0].any()
    np.testing.assert_array_equal(found["one index"][1][0], X[:, 3])


@pytest.mark.parametrize("rows", [0, 1, 3, 40])
@pytest.mark.parametrize("axis", [0, 1])
def test_sizes_known_at_run_time_are_respected(
    rows: int, axis: int, target: Backend, tmp_path: Path
) -> None:
    count = Dim("N", 0, 50)
    table = TensorType(DType.F32, ((expression(count), 3), (3, expression(count)))[axis])
    places = TensorType(DType.I64, (expression(count),))

    def write(builder: Builder, x: Value, indices: Value) -> Sequence[Value]:
        return builder.add(OPS["gather"], x, indices, axis=axis)

    graph = graph_from("sizes", (table, places), write, (count,))
    x = np.random.default_rng(1).normal(size=(rows, 3)).astype(np.float32)
    x = x if axis == 0 else np.ascontiguousarray(x.T)
    indices = np.arange(rows)[::-1] * 2 - rows // 2
    (found,), _ = target.load(graph, tmp_path).run([x, indices])
    wanted = np.take(x, np.clip(indices, 0, rows - 1), axis) if rows else x
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("axis", [0, 1])
def test_threads_share_a_large_gather(axis: int, target: Backend, tmp_path: Path) -> None:
    x = np.random.default_rng(2).normal(size=(300, 700)).astype(np.float32)
    indices = np.random.default_rng(3).integers(0, 300, (61, 23))
    graph = graph_of("large", [gathered("large", x, indices, axis)])
    (found,), _ = target.load(graph, tmp_path).run([x, indices], threads=3)
    np.testing.assert_array_equal(found, np.take(x, indices, axis))
