"""Elementwise ops on special values and drawn ones, in every type, on every back end."""

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.op import OPS
from lxc.ir.types import Array, dtype_of, type_of_array
from tests.ops.cases import Case, check_close, results
from tests.targets.backends import Backend, Interpreter

FLOATS: tuple[np.dtype[Any], ...] = (
    np.dtype(np.float32),
    np.dtype(np.float64),
    np.dtype(np.float16),
    np.dtype(ml_dtypes.bfloat16),
)
INTEGERS: tuple[np.dtype[Any], ...] = tuple(
    np.dtype(name)
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
)
EXACT_UNARY = ("negate", "absolute", "sign", "sqrt", "floor", "ceil", "round")
CLOSE_UNARY = (
    *("exp", "expm1", "log", "log1p", "sin", "cos", "erf", "tanh", "logistic", "rsqrt"),
    *("exp2", "log2", "log10", "cbrt", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "arcsinh", "arccosh", "arctanh"),
)
EXACT_BINARY = (
    *("add", "subtract", "multiply", "divide", "maximum", "minimum", "copysign", "fmod"),
)
CLOSE_BINARY = ("floor_divide", "remainder", "power", "arctan2", "hypot")
COMPARISONS = ("equal", "not_equal", "less", "less_equal")
FAST = ("tanh", "logistic")
BITWISE = ("bitwise_and", "bitwise_or", "bitwise_xor")
SPECIAL = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, 1e-3, -1e-3),
    *(np.nan, np.inf, -np.inf, 88.0, -88.0, 104.0, -104.0, 89.5, -87.5, 1e-40, -1e-42),
)


def floats(dtype: np.dtype[Any], seed: int) -> Array:
    """Return special values and drawn ones of several magnitudes."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal(170) * np.repeat([1e-4, 0.3, 1, 3, 30], 34)
    with np.errstate(all="ignore"):
        return np.concatenate([np.array(SPECIAL), drawn]).astype(dtype)


def pairs(values: Array) -> tuple[Array, Array]:
    """Return all pairs of the first values, and each value with another one."""
    first = values[:23]
    x = np.concatenate([np.repeat(first, len(first)), values])
    y = np.concatenate([np.tile(first, len(first)), values[::-1]])
    return x, y


def integers(dtype: np.dtype[Any]) -> Array:
    """Return the ends of the type, small numbers and drawn ones."""
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(7)
    drawn = rng.integers(limits.min, limits.max, 40, dtype, endpoint=True)
    small = np.arange(-3 if limits.min else 0, 9).astype(dtype)
    return np.concatenate([np.array([limits.min, limits.max], dtype), small, drawn])


def float_cases(dtype: np.dtype[Any]) -> list[Case]:
    """Return every op that takes floats; half types round once, after float32."""
    x = floats(dtype, 1)
    pair = pairs(x)
    near = 2.0 if dtype.itemsize > 2 else 0.6
    cases = [Case(op, op, (x,)) for op in EXACT_UNARY]
    cases += [Case(op, op, (x,), ulps=near) for op in CLOSE_UNARY]
    cases += [Case(op, op, pair) for op in (*EXACT_BINARY, *COMPARISONS)]
    cases += [Case(op, op, pair, ulps=near) for op in CLOSE_BINARY]
    condition = np.arange(len(x)) % 3 == 0
    cases += [Case("select", "select", (condition, x, x[::-1].copy()))]
    fast = {"fast": True}
    return [*cases, *(Case(f"{op} fast", op, (x,), fast, ulps=8) for op in FAST)]


def integer_cases(dtype: np.dtype[Any]) -> list[Case]:
    """Return every op that takes integers."""
    x = integers(dtype)
    y = np.concatenate([np.roll(x, 5), np.roll(x, 1), np.zeros_like(x), x])
    pair = (np.tile(x, 4), y)
    shifts = (np.arange(len(x)) % (8 * dtype.itemsize)).astype(dtype)
    unary = ("negate", "absolute", "sign", "bitwise_not")
    binary = (
        "add",
        "subtract",
        "multiply",
        "maximum",
        "minimum",
        "floor_divide",
        "remainder",
        "fmod",
    )
    cases = [Case(op, op, (x,)) for op in unary]
    cases += [Case(op, op, pair) for op in (*binary, *COMPARISONS, *BITWISE)]
    cases += [Case(op, op, (x, shifts)) for op in ("shift_left", "shift_right")]
    return [*cases, Case("select", "select", (x > 3, x, x[::-1].copy()))]


def bool_cases(dtype: np.dtype[Any]) -> list[Case]:
    """Return every op that takes bools, on all pairs."""
    x, y = np.tile([False, True], 35), np.tile(np.repeat([False, True], 2), 18)[:70]
    binary = (*COMPARISONS, *BITWISE, "maximum", "minimum")
    cases = [Case(op, op, (x, y)) for op in binary]
    cases.append(Case("select", "select", (np.roll(x, 3), x, y)))
    return [*cases, Case("bitwise_not", "bitwise_not", (x,))]


def cast_cases(dtype: np.dtype[Any]) -> list[Case]:
    """Return a cast to `dtype` from every type, of numbers that fit."""
    whole = np.arange(40) % 23
    cases = []
    for source in (*FLOATS, *INTEGERS, np.dtype(np.bool_)):
        x = whole.astype(source)
        if source.kind == "f" and dtype.kind == "f":
            x = floats(source, 3)
        name, wanted = f"from {source.name}", {"dtype": dtype_of(dtype)}
        # From 64 bits to a half type the number goes through float32: two roundings.
        cases.append(Case(name, "cast", (x,), wanted, ulps=0.51))
    return cases


def all_cases() -> dict[str, list[Case]]:
    """Return the cases of every type, by the name of the graph that holds them."""
    found = {dtype.name: float_cases(dtype) for dtype in FLOATS}
    found |= {dtype.name: integer_cases(dtype) for dtype in INTEGERS}
    found["bool"] = bool_cases(np.dtype(np.bool_))
    every = (*FLOATS, *INTEGERS, np.dtype(np.bool_))
    return found | {f"to_{dtype.name}": cast_cases(dtype) for dtype in every}


ALL = all_cases()


@pytest.mark.parametrize("kind", ALL)
def test_elementwise_ops_are_as_exact_as_promised(
    kind: str, target: Backend, tmp_path: Path
) -> None:
    for case, actual, exact in results(kind, ALL[kind], target, tmp_path).values():
        dtype = case_dtype(case)
        try:
            # NumPy computes half types in half types and some functions less exactly.
            ulps = 4.0 if isinstance(target, Interpreter) else case.ulps
            check_close(actual[0], exact[0], dtype, ulps)
        except AssertionError as failure:
            raise AssertionError(f"{case.name}: {failure}") from None


def case_dtype(case: Case) -> np.dtype[Any]:
    """Return the element type of a case's result."""
    types = tuple(type_of_array(array) for array in case.operands)
    (result,) = OPS[case.op].infer(types, {**OPS[case.op].defaults, **case.attributes})
    return result.dtype.numpy


def test_every_elementwise_op_has_a_case() -> None:
    tried = {case.op for cases in ALL.values() for case in cases}
    assert {name for name, op in OPS.items() if op.kind == "elementwise"} <= tried
