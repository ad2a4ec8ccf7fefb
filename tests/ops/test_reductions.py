"""Reductions on odd sizes, in every type that they take, on every back end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.agreement import relative_error
from lxc.ir.op import OPS
from lxc.ir.types import Array
from tests.ops.cases import Case, results
from tests.ops.packed_cases import packed_cases
from tests.ops.paired_cases import paired_cases
from tests.targets.backends import Backend

HALF: tuple[np.dtype[Any], ...] = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))
FLOATS: tuple[np.dtype[Any], ...] = (np.dtype(np.float32), np.dtype(np.float64), *HALF)
ERRORS = {"float32": 2e-6, "float64": 1e-14, "float16": 6e-4, "bfloat16": 4.5e-3}
"""The rounding of the result, and in float32 that of a sum of a few hundred terms."""


WORKING = {
    "attention",
    "staged_conv",
    "stretched_conv",
    "winograd_conv",
    "winograd_row_conv",
}
"""Ops that need scratch memory besides their operands; they have tests of their own."""


def drawn(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    if dtype.kind == "b":
        return rng.integers(0, 12, shape) > 0
    if dtype.kind in "iu":
        return rng.integers(0, 100, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def reductions(dtype: np.dtype[Any], kinds: tuple[str, ...]) -> list[Case]:
    """Return reductions and pools along many axes."""
    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        *(((5, n), (1,)) for n in (1, 3, 17, 33, 131)),
        *(((3, 7, n), (0, 1)) for n in (1, 3, 17, 33)),
        *(((5, 3, 9), axes) for axes in ((), (0,), (1,), (0, 2), (0, 1, 2))),
        ((7,), (0,)),
        ((4, 0), (1,)),
    ]
    cases = []
    for kind in kinds:
        for shape, axes in shapes:
            given = {"kind": kind, "axes": axes}
            x = drawn(shape, dtype)
            x = (
                x
                if kind != "multiply" or dtype.kind != "f"
                else np.abs(x) ** np.array(0.1, dtype)
            )
            cases.append(
                Case(f"{kind} {shape} {axes}", "reduce", (x.astype(dtype),), given)
            )
        for window, strides in (((2, 2), (2, 2)), ((3, 3), (1, 2)), ((9, 11), (1, 1))):
            pool = {
                "kind": kind,
                "window": (1, 1, *window),
                "strides": (1, 1, *strides),
                "padding": ((0, 0),) * 4,
            }
            x = drawn((2, 3, 9, 11), dtype)
            cases.append(
                Case(f"pool {kind} {window} {strides}", "reduce_window", (x,), pool)
            )
    return cases


def dot(
    left: tuple[int, ...],
    right: tuple[int, ...],
    dtype: np.dtype[Any],
    **axes: tuple[int, ...],
) -> Case:
    """Return a product; axes that are not named are empty."""
    names = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    given = {name: axes.get(name, ()) for name in names}
    operands = (drawn(left, dtype, 1), drawn(right, dtype, 2))
    return Case(f"dot {left} {right} {axes}", "dot_general", operands, given)


def products(dtype: np.dtype[Any]) -> list[Case]:
    """Return products of matrices with every order of axes."""
    plain: dict[str, tuple[int, ...]] = {"lhs_contract": (1,), "rhs_contract": (0,)}
    turned: dict[str, tuple[int, ...]] = {"lhs_contract": (1,), "rhs_contract": (1,)}
    batch: dict[str, tuple[int, ...]] = {
        "lhs_batch": (0,),
        "rhs_batch": (0,),
        "lhs_contract": (2,),
        "rhs_contract": (1,),
    }
    cases = [
        dot((m, k), (k, n), dtype, **plain)
        for m, k, n in ((1, 33, 17), (7, 1, 3), (13, 65, 97), (3, 17, 1), (33, 3, 64))
    ]
    cases += [dot((7, 33), (10, 33), dtype, **turned), dot((9, 0), (0, 5), dtype, **plain)]
    cases += [
        dot((3, 7, 33), (3, 33, 5), dtype, **batch),
        dot((33,), (33, 4), dtype, lhs_contract=(0,), rhs_contract=(0,)),
    ]
    cases += [dot((6, 9), (9,), dtype, **plain), dot((5,), (6,), dtype)]
    cases += [dot((4, 3, 5), (5, 3, 8), dtype, lhs_contract=(1, 2), rhs_contract=(1, 0))]
    return cases


def conv(
    x: tuple[int, ...], weight: tuple[int, ...], dtype: np.dtype[Any], **given: Any
) -> Case:
    """Return a convolution; what is not given is plain."""
    rank = len(x) - 2
    attributes: Mapping[str, Any] = {
        "strides": (1,) * rank,
        "padding": ((0, 0),) * rank,
        "lhs_dilation": (1,) * rank,
        "rhs_dilation": (1,) * rank,
        "groups": 1,
        **given,
    }
    operands = (drawn(x, dtype, 3), drawn(weight, dtype, 4))
    return Case(f"conv {x} {weight} {given}", "conv", operands, attributes)


def convolutions(dtype: np.dtype[Any]) -> list[Case]:
    """Return convolutions of one to three dimensions with every option."""
    return [
        conv((2, 3, 17), (5, 3, 4), dtype, strides=(3,)),
        conv((2, 3, 9, 10), (3, 3, 3, 20), dtype, weight_order="io"),
        conv((1, 4, 9, 10), (3, 2, 2, 34), dtype, groups=2, weight_order="io"),
        conv((2, 3, 9, 10), (5, 3, 3, 2), dtype, rhs_dilation=(2, 1), strides=(1, 2)),
        conv((2, 3, 7, 7), (4, 3, 3, 3), dtype, padding=((1, 0), (2, 3))),
        conv(
            (1, 3, 4, 5), (4, 3, 3, 3), dtype, lhs_dilation=(2, 3), padding=((2, 2), (1, 1))
        ),
        conv((2, 6, 8, 33), (6, 1, 3, 3), dtype, groups=6),
        conv((2, 6, 8, 9), (12, 1, 3, 3), dtype, groups=6),
        conv((1, 2, 5, 6, 7), (3, 2, 2, 3, 2), dtype),
    ]


NUMBERS = ("add", "multiply", "max", "min")


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: str(dtype.name))
def test_float_reductions_are_close(
    dtype: np.dtype[Any], target: Backend, tmp_path: Path
) -> None:
    kinds = NUMBERS if dtype == np.float32 else ("add", "max")
    cases = [*reductions(dtype, kinds), *products(dtype), *convolutions(dtype)]
    cases += packed_cases(dtype, drawn)
    if dtype != np.float32:
        cases = cases[::2]
    for name, (_, actual, exact) in results(dtype.name, cases, target, tmp_path).items():
        error = relative_error(actual[0], exact[0].astype(dtype))
        assert error <= ERRORS[dtype.name], name


@pytest.mark.parametrize("name", ["int32", "int64", "uint8"])
def test_integer_reductions_are_exact_and_wrap(
    name: str, target: Backend, tmp_path: Path
) -> None:
    dtype = np.dtype(name)
    kinds = ("add", "max", "min") if name == "uint8" else NUMBERS
    cases = [
        *reductions(dtype, kinds)[::3],
        *products(dtype)[::2],
        *convolutions(dtype)[::2],
        *packed_cases(dtype, drawn)[::2],
    ]
    for case, (_, actual, exact) in results(name, cases, target, tmp_path).items():
        np.testing.assert_array_equal(actual[0], exact[0].astype(dtype), case)


def test_bool_reductions_are_exact(target: Backend, tmp_path: Path) -> None:
    cases = reductions(np.dtype(np.bool_), ("and", "or"))
    for name, (_, actual, exact) in results("bools", cases, target, tmp_path).items():
        np.testing.assert_array_equal(actual[0], exact[0], name)


def test_nan_goes_through_every_reduction(target: Backend, tmp_path: Path) -> None:
    cases = []
    for place in (0, 5, 32):
        x = drawn((3, 33), np.dtype(np.float32))
        x[1, place] = np.nan
        for kind in NUMBERS:
            for axes in ((1,), (0,)):
                name, given = f"{kind} {place} {axes}", {"kind": kind, "axes": axes}
                cases.append(Case(name, "reduce", (x,), given))
    for name, (_, actual, exact) in results("nans", cases, target, tmp_path).items():
        np.testing.assert_array_equal(np.isnan(actual[0]), np.isnan(exact[0]), name)


def test_every_reduction_has_a_case() -> None:
    dtype = np.dtype(np.float32)
    cases = [*reductions(dtype, NUMBERS), *products(dtype), *convolutions(dtype)]
    cases += [*packed_cases(dtype, drawn), *paired_cases(drawn)]
    tried = {case.op for case in cases} | WORKING
    assert {name for name, op in OPS.items() if op.kind == "reduction"} <= tried
