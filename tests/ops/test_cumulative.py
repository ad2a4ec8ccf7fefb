"""Partial results are kept in one fixed order, on every back end."""

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
from tests.targets.backends import Library, libraries

FUNCTIONS: dict[str, Any] = {
    "add": np.add,
    "multiply": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
}
SHAPES = (((33,), 0), ((4, 19), 1), ((5, 7), 0), ((2, 3, 35), 1), ((3, 0), 1), ((0, 3), 0))
TYPES: tuple[Any, ...] = (
    np.float32,
    np.float64,
    np.float16,
    ml_dtypes.bfloat16,
    np.int8,
    np.int32,
    np.int64,
    np.uint8,
    np.uint64,
)
COMPILED = pytest.mark.parametrize("target", libraries())


def drawn(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    rng = np.random.default_rng(3)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype)
    x: Array = rng.normal(size=shape).astype(dtype)
    return x


def walked(name: str, x: Array, kind: str, axis: int) -> Case:
    return Case(name, "cumulative", (x,), {"kind": kind, "axis": axis})


@COMPILED
@pytest.mark.parametrize("dtype", [*map(np.dtype, TYPES)], ids=lambda d: str(d.name))
def test_partial_results_are_those_of_one_walk(
    dtype: np.dtype[Any], target: Library, tmp_path: Path
) -> None:
    cases = [
        walked(f"{kind} {shape} {axis}", drawn(shape, dtype), kind, axis)
        for kind in FUNCTIONS
        for shape, axis in SHAPES
    ]
    wide = np.dtype(np.float32) if dtype.itemsize == 2 else dtype
    for name, (case, actual, _) in results(dtype.name, cases, target, tmp_path).items():
        (x,), axis = case.operands, case.attributes["axis"]
        with np.errstate(all="ignore"):
            walk = FUNCTIONS[case.attributes["kind"]].accumulate
            wanted = walk(x.astype(wide), axis, wide).astype(dtype)
        assert actual[0].tobytes() == wanted.tobytes(), name


@COMPILED
def test_nan_stays_and_zero_keeps_its_sign(target: Library, tmp_path: Path) -> None:
    x = np.array([-0.0, -0.0, 1.0, np.nan, 2.0, -np.inf, np.inf], np.float32)
    cases = [
        walked(f"{kind} {step}", x[::step], kind, 0)
        for kind in FUNCTIONS
        for step in (1, -1)
    ]
    for name, (case, actual, _) in results("odd", cases, target, tmp_path).items():
        with np.errstate(all="ignore"):
            wanted = FUNCTIONS[case.attributes["kind"]].accumulate(case.operands[0])
        np.testing.assert_array_equal(actual[0], wanted, name)
        numbers = ~np.isnan(wanted)
        signs = np.signbit(actual[0])[numbers], np.signbit(wanted)[numbers]
        np.testing.assert_array_equal(*signs, name)


@COMPILED
@pytest.mark.parametrize("rows", [0, 1, 37])
def test_an_axis_of_any_length_is_walked(
    rows: int, target: Library, tmp_path: Path
) -> None:
    count = Dim("N", 0, 50)

    def write(builder: Builder, x: Value) -> Sequence[Value]:
        first = builder.add(OPS["cumulative"], x, kind="add", axis=0)
        return [*first, *builder.add(OPS["cumulative"], x, kind="add", axis=1)]

    kind = TensorType(DType.F32, (expression(count), 5))
    graph = graph_from("length", (kind,), write, (count,))
    x = drawn((rows, 5), np.dtype(np.float32))
    found, _ = target.load(graph, tmp_path).run([x])
    for axis, actual in enumerate(found):
        np.testing.assert_array_equal(actual, np.cumsum(x, axis))


@COMPILED
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_threads_share_a_large_walk(axis: int, target: Library, tmp_path: Path) -> None:
    x = drawn((17, 300, 101), np.dtype(np.float32))
    graph = graph_of("large", [walked("large", x, "add", axis)])
    (found,), _ = target.load(graph, tmp_path).run([x], threads=3)
    assert found.tobytes() == np.cumsum(x, axis).tobytes()
