"""Ops that move elements, on odd sizes and in types of every width, on every back end."""

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.op import OPS
from lxc.ir.types import Array, DType
from tests.ops.cases import Case, results
from tests.targets.backends import Backend

F32 = np.dtype(np.float32)
TYPES: tuple[np.dtype[Any], ...] = (
    F32,
    np.dtype(np.float64),
    np.dtype(np.float16),
    np.dtype(ml_dtypes.bfloat16),
    np.dtype(np.int8),
    np.dtype(np.int64),
    np.dtype(np.uint32),
    np.dtype(np.bool_),
)


def drawn(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 100, shape).astype(dtype)


def padded(shape: tuple[int, ...], dtype: np.dtype[Any], *sides: tuple[int, ...]) -> Case:
    """Return a pad by the given low, high and interior amounts."""
    low, high, interior = sides
    operands = (drawn(shape, dtype), np.array(1, dtype))
    attributes = {"low": low, "high": high, "interior": interior}
    return Case(f"pad {shape} {sides}", "pad", operands, attributes)


def cases_of(dtype: np.dtype[Any]) -> list[Case]:
    """Return every view, source and join in one type."""
    x = drawn((3, 5, 33), dtype)
    wanted = DType({v.numpy: k for k, v in DType.__members__.items()}[dtype].lower())
    numbers = tuple(drawn((7,), dtype).tolist())
    start, stop, step = (1, 0, 2), (3, 5, 33), (1, 2, 3)
    cases = [
        Case("reshape", "reshape", (x,), {"shape": (11, 45)}),
        Case("reverse", "reverse", (x,), {"axes": (0, 2)}),
        Case("slice", "slice", (x,), {"start": start, "stop": stop, "step": step}),
        Case("broadcast", "broadcast", (x[0],), {"shape": (2, 5, 4, 33), "axes": (1, 3)}),
        Case("stretch", "broadcast", (x[:, :1],), {"shape": (3, 4, 33), "axes": (0, 1, 2)}),
        Case(
            "scalar",
            "broadcast",
            (np.array(x[0, 0, 0], dtype),),
            {"shape": (35,), "axes": ()},
        ),
        padded((3, 17), dtype, (0, 1), (2, 3), (0, 0)),
        padded((2, 3, 1), dtype, (1, 0, 2), (0, 1, 1), (0, 2, 0)),
        padded((2, 6), dtype, (0, 3), (0, 0), (0, 1)),
        padded((2, 0), dtype, (0, 3), (1, 0), (0, 0)),
        padded((2, 0), dtype, (0, 3), (1, 0), (2, 3)),
        Case("concat", "concat", (x, x[:, :1], x[:, 3:]), {"axis": 1}),
        Case("concat last", "concat", (x[:, :, :1], x[:, :, 1:]), {"axis": 2}),
        Case(
            "constant", "constant", (), {"dtype": wanted, "shape": (7,), "value": numbers}
        ),
    ]
    for order in ((0, 2, 1), (2, 1, 0), (1, 0, 2)):
        cases.append(Case(f"transpose {order}", "transpose", (x,), {"permutation": order}))
    if dtype.kind != "b":
        place = {"dtype": wanted, "shape": (4, 19), "axis": 1}
        cases.append(Case("iota", "iota", (), place))
    return cases


@pytest.mark.parametrize("dtype", TYPES, ids=lambda dtype: str(dtype.name))
def test_views_return_the_very_elements(
    dtype: np.dtype[Any], target: Backend, tmp_path: Path
) -> None:
    found = results(f"views_{dtype.name}", cases_of(dtype), target, tmp_path)
    for name, (_, actual, exact) in found.items():
        np.testing.assert_array_equal(actual[0].astype("f8"), exact[0].astype("f8"), name)


def test_random_ops_equal_the_reference_bit_by_bit(target: Backend, tmp_path: Path) -> None:
    key = np.array([0x13198A2E, 0x03707344], np.uint32)
    shapes: list[tuple[int, ...]] = [(), (1,), (2,), (3,), (33,), (7, 37), (1000,)]
    cases = [Case(f"bits {s}", "random_bits", (key,), {"shape": s}) for s in shapes]
    cases += [Case(f"split {n}", "random_split", (key,), {"count": n}) for n in (1, 2, 19)]
    for name, (_, actual, exact) in results("random", cases, target, tmp_path).items():
        np.testing.assert_array_equal(actual[0], exact[0], name)


def test_every_view_and_source_has_a_case() -> None:
    tried = {case.op for case in cases_of(F32)}
    assert {name for name, op in OPS.items() if op.kind in ("view", "source")} <= tried
