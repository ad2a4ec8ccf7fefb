"""Ops whose operands are one value: NaN, infinities and zeros must not be folded away."""

from collections.abc import Sequence
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, size
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, TensorType, dtype_of
from tests.ops.graphs import graph_from
from tests.targets.backends import Backend

FLOATS = (np.float32, np.float64, np.float16, ml_dtypes.bfloat16)
BINARY = (
    *("add", "subtract", "multiply", "divide", "maximum", "minimum", "remainder"),
    *("floor_divide", "equal", "not_equal", "less", "less_equal"),
)
VALUES = (0.0, -0.0, 1.0, -2.5, np.nan, np.inf, -np.inf)


def both_sides_same(builder: Builder, x: Value) -> Sequence[Value]:
    """Return every op on x and x, on exp(x) twice, and the sum and the square of x - x."""
    (grown,) = builder.add(OPS["exp"], x)
    results = [builder.add(OPS[op], y, y)[0] for y in (x, grown) for op in BINARY]
    (zero,) = builder.add(OPS["subtract"], x, x)
    results += builder.add(OPS["reduce"], zero, kind="add", axes=(0,))
    (square,) = builder.add(
        OPS["dot_general"],
        zero,
        zero,
        lhs_batch=(),
        rhs_batch=(),
        lhs_contract=(0,),
        rhs_contract=(0,),
    )
    return [*results, square]


@pytest.mark.parametrize("length", [19, Dim("N", 0, 64)], ids=["fixed", "any"])
@pytest.mark.parametrize("kind", FLOATS, ids=lambda kind: np.dtype(kind).name)
def test_an_op_on_one_value_twice_gives_what_ieee_says(
    kind: type, length: int | Dim, target: Backend, tmp_path: Path
) -> None:
    dims = (length,) if isinstance(length, Dim) else ()
    typed = TensorType(dtype_of(np.dtype(kind)), (size(length),))
    graph = graph_from("same", (typed,), both_sides_same, dims)
    x: Array = np.resize(np.array(VALUES), 19).astype(kind)
    found, _ = target.load(graph, tmp_path).run([x])
    names = [*BINARY, *(f"{op} of exp" for op in BINARY), "sum", "square"]
    with np.errstate(all="ignore"):
        for name, value, wanted in zip(names, found, expected(x), strict=True):
            actual = value.astype(wanted.dtype)
            np.testing.assert_allclose(actual, wanted, rtol=1e-2, err_msg=name)


def expected(x: Array) -> list[Array]:
    """Return the results in the order of the graph, from NumPy."""
    wide = x.astype(np.float64)
    numpy = {op: getattr(np, op) for op in BINARY}
    results = [numpy[op](y, y) for y in (wide, np.exp(wide)) for op in BINARY]
    return [*results, np.array(np.nan), np.array(np.nan)]


@pytest.mark.parametrize("kind", FLOATS[:2], ids=lambda kind: np.dtype(kind).name)
def test_a_counter_divided_by_a_counter_starts_with_nan(
    kind: type, target: Backend, tmp_path: Path
) -> None:
    def divided(builder: Builder) -> Sequence[Value]:
        dtype = dtype_of(np.dtype(kind))
        counters = [
            builder.add(OPS["iota"], dtype=dtype, shape=(5,), axis=0)[0] for _ in range(2)
        ]
        return builder.add(OPS["divide"], *counters)

    (found,), _ = target.load(graph_from("counters", (), divided), tmp_path).run([])
    np.testing.assert_array_equal(found, [np.nan, 1, 1, 1, 1])
