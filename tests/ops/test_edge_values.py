"""Numbers and shapes at the edges: roundings, negative constants, no elements, zeros."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.builder import Builder
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, TensorType, dtype_of
from tests.ops.cases import Case, results
from tests.ops.graphs import graph_from
from tests.targets.backends import Backend, everything

SIGNED = (np.int8, np.int16, np.int32, np.int64)
UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)
WITH_CONSTANT = ("add", "subtract", "multiply", "maximum", "less", "bitwise_xor")
CLOSE_TO_TIES = [
    (np.float64, np.float16, 1 + 2**-11 + 2**-40, 1 + 2**-10),
    (np.float64, np.float16, 65519.999, 65504),
    (np.float64, np.float16, 65520, np.inf),
    (np.float64, np.float16, 2**-25 * (1 + 2**-30), 2**-24),
    (np.float64, ml_dtypes.bfloat16, 1 + 2**-8 + 2**-40, 1 + 2**-7),
    (np.float64, ml_dtypes.bfloat16, -(2**-134) * (1 + 2**-30), -(2**-133)),
    (np.float64, ml_dtypes.bfloat16, -np.inf, -np.inf),
    (np.float64, np.float16, np.nan, np.nan),
    (np.int32, ml_dtypes.bfloat16, 2**30 + 2**22 + 1, 2**30 + 2**23),
    (np.uint32, ml_dtypes.bfloat16, 2**31 + 2**23 + 1, 2**31 + 2**24),
    (np.int64, ml_dtypes.bfloat16, 2**62 + 2**54 + 1, 2**62 + 2**55),
    (np.int64, ml_dtypes.bfloat16, -(2**62) - 2**54 - 1, -(2**62) - 2**55),
    (np.int64, ml_dtypes.bfloat16, -(2**63), -(2**63)),
    (np.uint64, ml_dtypes.bfloat16, 2**63 + 2**55 + 1, 2**63 + 2**56),
    (np.int64, np.float16, -2049, -2048),
    (np.int64, np.float16, 2**40, np.inf),
]


@pytest.mark.parametrize("target", [b for b in everything() if b.id != "interpreter-f64"])
def test_casts_to_half_types_round_once(target: Backend, tmp_path: Path) -> None:
    cases = [
        Case(str(n), "cast", (np.full(19, x, source),), {"dtype": dtype_of(np.dtype(half))})
        for n, (source, half, x, _) in enumerate(CLOSE_TO_TIES)
    ]
    found = [actual for _, actual, _ in results("casts", cases, target, tmp_path).values()]
    for (actual,), (source, half, x, wanted) in zip(found, CLOSE_TO_TIES, strict=True):
        message = f"{source.__name__} {x} to {half.__name__}"
        np.testing.assert_array_equal(
            actual.astype(np.float64), np.full(19, wanted), err_msg=message
        )


@pytest.mark.parametrize("kind", [*SIGNED, *UNSIGNED], ids=lambda kind: kind.__name__)
def test_integers_wrap_with_constants_of_every_size(
    kind: type[np.integer[Any]], target: Backend, tmp_path: Path
) -> None:
    limits = np.iinfo(kind)
    numbers = [kind(n) for n in (limits.min, limits.max, limits.max - 1, 1, 0)]
    numbers += [kind(-1)] if limits.min else []

    def combined(builder: Builder, x: Value) -> Sequence[Value]:
        constants = [builder.array(np.full(19, n)) for n in numbers]
        made = [(op, y) for op in WITH_CONSTANT for y in constants]
        return [builder.add(OPS[op], x, y)[0] for op, y in made]

    graph = graph_from("wrap", (TensorType(dtype_of(np.dtype(kind)), (19,)),), combined)
    x = np.resize(np.array([limits.min, limits.max, 0, 1, 77], kind), 19)
    found, _ = target.load(graph, tmp_path).run([x])
    made = [(op, n) for op in WITH_CONSTANT for n in numbers]
    for (op, number), actual in zip(made, found, strict=True):
        wanted = getattr(np, op)(x, np.full(19, number))
        np.testing.assert_array_equal(actual, wanted, err_msg=f"{op} {number}")


def test_reductions_of_nothing_give_their_identity(target: Backend, tmp_path: Path) -> None:
    x = np.zeros((5, 0), np.float32)
    cases = [
        Case(f"{kind} {axes}", "reduce", (x,), {"kind": kind, "axes": axes})
        for kind in ("add", "multiply", "max", "min")
        for axes in ((0, 1), (1,))
    ]
    axes = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (1,), "rhs_contract": (0,)}
    cases.append(Case("dot", "dot_general", (x, np.zeros((0, 7), np.float32)), axes))
    for name, (_, actual, exact) in results("empty", cases, target, tmp_path).items():
        np.testing.assert_array_equal(actual[0], exact[0], err_msg=name)


def test_large_arrays_are_joined_with_an_empty_one(target: Backend, tmp_path: Path) -> None:
    pair = (np.zeros((0, 200000), np.float32), np.ones((2, 200000), np.float32))
    case = Case("join", "concat", pair, {"axis": 0})
    _, (actual,), _ = results("joined", [case], target, tmp_path)["join"]
    np.testing.assert_array_equal(actual, pair[1])


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=lambda kind: kind.__name__)
def test_zeros_have_the_signs_that_numpy_gives(
    kind: type, target: Backend, tmp_path: Path
) -> None:
    x: Array = np.resize(np.array([0.0, -0.0, 5.0, -5.0, 0.5], kind), 20)
    y: Array = np.repeat(np.array([5.0, -5.0, np.inf, -2.5], kind), 5)
    cases = [Case(op, op, (x, y)) for op in ("remainder", "floor_divide", "fmod")]
    cases.append(Case("sign", "sign", (x,)))
    for name, (_, actual, exact) in results("zeros", cases, target, tmp_path).items():
        np.testing.assert_array_equal(actual[0], exact[0], err_msg=name)
        signs = np.signbit(actual[0]), np.signbit(exact[0])
        np.testing.assert_array_equal(*signs, err_msg=name)
