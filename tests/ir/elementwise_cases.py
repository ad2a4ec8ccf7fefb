"""Calls of elementwise functions on edge values of many types, to compare with NumPy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from lxc.ir.types import Array

BF16 = np.dtype(ml_dtypes.bfloat16)
FLOATS: tuple[np.dtype[Any], ...] = tuple(
    map(np.dtype, (np.float32, np.float64, np.float16, BF16))
)
INTEGERS: tuple[np.dtype[Any], ...] = tuple(
    map(np.dtype, (np.int32, np.int64, np.int8, np.uint8, np.int16))
)
BOOL = np.dtype(np.bool_)
NUMBERS = (*FLOATS, *INTEGERS)
EVERY = (*NUMBERS, BOOL)

EDGES = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 3.5, 2.0, 10.0, -45.0, 0.3, -0.7, 180.0),
    *(np.nan, np.inf, -np.inf, 1e-3, -1e-3, 1e-40, -3e-45, 88.0, -100.0, 0.999, 1.001),
)
WHOLE = (0, 1, -1, 2, 3, -3, 7, -7, 10, 100, 45, -45, 127, -128)


def edges(dtype: np.dtype[Any]) -> Array:
    """Return special numbers of a type, and the ends of its range."""
    with np.errstate(all="ignore"):
        if dtype == BOOL:
            return np.array([False, True, True])
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            largest = np.array([limits.max], dtype)
            return np.concatenate([np.array(WHOLE).astype(dtype), largest])
        largest = np.nextafter(np.full(1, np.inf, dtype), np.zeros(1, dtype))
        return np.concatenate([np.array(EDGES).astype(dtype), largest, -largest])


def pairs(dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return a column and a row of special numbers: broadcasting meets them all."""
    values = edges(dtype)
    return values[:, None], values[::-1]


@dataclass(frozen=True)
class Case:
    """A call of a function of a module on arrays.

    `near` is how many units in the last place NumPy's result may be away, `floor` a number
    below which a difference does not count (where numbers cancel), both in the type of the
    result; without `near`, all must be equal. `signed` says that zeros have NumPy's signs.
    """

    name: str
    arrays: tuple[Array, ...]
    call: Callable[..., Any]
    near: float = 0
    floor: float = 0
    signed: bool = True

    @property
    def label(self) -> str:
        """What the case is called in a report."""
        return "-".join((self.name, *(array.dtype.name for array in self.arrays)))


class Table:
    """A growing list of cases."""

    def __init__(self) -> None:
        """Start empty."""
        self.cases: list[Case] = []

    def unary(self, names: str, dtypes: tuple[np.dtype[Any], ...], **options: Any) -> None:
        """Add functions of one operand."""
        for name in names.split():
            for dtype in dtypes:
                self.call(name, lambda f, x: f(x), edges(dtype), **options)

    def binary(self, names: str, dtypes: tuple[np.dtype[Any], ...], **options: Any) -> None:
        """Add functions of two operands of one type, which are broadcast."""
        for name in names.split():
            for dtype in dtypes:
                self.call(name, lambda f, x, y: f(x, y), *pairs(dtype), **options)

    def call(
        self, name: str, call: Callable[..., Any], *arrays: Array, **options: Any
    ) -> None:
        """Add a call of one function, which `call` gets first."""
        whole = Case(name, arrays, lambda m, *xs: call(getattr(m, name), *xs), **options)
        self.cases.append(whole)


FUNCTIONS = "cbrt cos cosh exp exp2 expm1 log log10 log1p log2 sin sinh sqrt tan tanh"
FUNCTIONS += " acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan"
FUNCTIONS += " atanh arccos arccosh arcsin"
ANGLES = "arctan2 atan2 hypot"
EQUALITY = "equal not_equal less less_equal greater greater_equal"
LOGICAL = "logical_and logical_or logical_xor"
BITS = "bitwise_and bitwise_or bitwise_xor"


def function_cases(table: Table) -> None:
    """Add what becomes a float, and is rounded."""
    table.unary(FUNCTIONS, EVERY, near=3)
    table.binary(ANGLES, NUMBERS, near=3)
    table.binary("logaddexp logaddexp2", NUMBERS, near=4, floor=4.0)
    table.unary("degrees radians deg2rad rad2deg", (*FLOATS[:3], *INTEGERS), near=3)
    table.unary("sinc", (*FLOATS[:2], *INTEGERS, BOOL), near=4, floor=2.0)
    table.binary("float_power", NUMBERS, near=2)
    table.binary("divide true_divide", EVERY)
    table.binary("copysign", NUMBERS)
    table.binary("heaviside", NUMBERS)
    table.unary("fabs", EVERY)
    table.unary("reciprocal", FLOATS)
    table.call("reciprocal", lambda f, x: f(x), np.array([1, -1, 2, -3, 100], np.int32))


def arithmetic_cases(table: Table) -> None:
    """Add arithmetic that keeps the type."""
    table.unary("absolute abs square", EVERY)
    table.unary("negative", (*FLOATS, *INTEGERS[:3]))
    table.unary("sign", (*FLOATS, *INTEGERS[:3]), signed=False)
    table.unary("positive", NUMBERS)
    table.binary("add multiply", EVERY)
    table.binary("subtract", NUMBERS)
    table.binary("maximum minimum fmax fmin", EVERY, signed=False)
    table.binary("remainder mod floor_divide fmod", FLOATS, near=1)
    for dtype in (*INTEGERS, BOOL):
        x, y = pairs(dtype)
        nonzero = y[y != 0]
        for name in ("remainder", "mod", "floor_divide", "fmod", "divmod"):
            table.call(name, lambda f, x, y: f(x, y), x, nonzero)
    table.binary("divmod", FLOATS[:2], near=1)
    table.call("power", lambda f, x: f(x, 13), edges(INTEGERS[0]))
    table.call("pow", lambda f, x: f(x, np.int64(3)), edges(INTEGERS[2]))
    table.call("pow", lambda f, x: f(x, np.int64(2)), edges(BOOL))
    for exponent in (2, 3.0, -1, 0.5, 0):
        # NumPy's roots of what is below zero are another thing in half types.
        for dtype in FLOATS[: 2 if exponent == 0.5 else 3]:
            table.call("power", lambda f, x, y=exponent: f(x, y), edges(dtype), near=2)
    table.binary("power", FLOATS, near=2)


def limit_cases(table: Table) -> None:
    """Add choices and limits."""
    for dtype in (*FLOATS[:3], *INTEGERS[:3]):
        x, y = edges(dtype), edges(dtype)[::-1]
        table.call("clip", lambda f, x: f(x, 1, 3), x, signed=False)
        table.call("clip", lambda f, x: f(x, None, 2), x, signed=False)
        table.call("clip", lambda f, x: f(x, a_min=-1, a_max=None), x, signed=False)
        table.call("clip", lambda f, x: f(x, min=1, max=2), x, signed=False)
        table.call("clip", lambda f, x, y: f(x[:, None], y, None), x, y, signed=False)
        table.call("where", lambda f, x, y: f(x[:, None] > 1, x, y[:, None]), x, y)
        table.call("where", lambda f, x: f(x > 1, x, 0), x)
        table.call("where", lambda f, x: f(x, 1, 2.5), x)
    table.call("clip", lambda f, x: f(x, -5, 300), edges(np.dtype(np.uint8)))
    table.call("clip", lambda f, x: f(x, 0.5, 2.5), edges(INTEGERS[0]))
    table.call("clip", lambda f, x: f(x), edges(INTEGERS[0]))


def rounding_cases(table: Table) -> None:
    """Add functions that round."""
    table.unary("floor ceil trunc rint round around", EVERY)
    table.unary("fix", NUMBERS)
    for dtype in FLOATS[:3]:
        for decimals in (-2, -1, 1, 2):
            x = np.array([0.125, -2.675, 1234.5, -0.0, 15, 25, np.nan, -np.inf], dtype)
            table.call("round", lambda f, x, d=decimals: f(x, decimals=d), x, near=1)
    for dtype in INTEGERS:
        for decimals in (-2, -1, 1):
            x = np.array([15, 25, 35, 101, 4, 0], dtype)
            table.call("round", lambda f, x, d=decimals: f(x, d), x)
    table.unary("modf", (*FLOATS, INTEGERS[0]))


def comparison_cases(table: Table) -> None:
    """Add what answers yes or no."""
    table.binary(f"{EQUALITY} {LOGICAL}", EVERY)
    table.unary("logical_not isfinite isinf isnan", EVERY)
    table.unary("signbit", (*FLOATS, *INTEGERS))
    table.unary("isposinf isneginf", (*FLOATS, INTEGERS[0]))
    for name in EQUALITY.split():
        for number in (300, -300, 10**30, 2.5):
            for small in (np.uint8, np.int8, np.int32):
                x = edges(np.dtype(small))
                table.call(name, lambda f, x, y=number: f(x, y), x)
                table.call(name, lambda f, x, y=number: f(y, x), x)
    for dtype in (*FLOATS[:3], INTEGERS[0]):
        x, y = pairs(dtype)
        for near in (0.0, 0.5):
            table.call("isclose", lambda f, x, y, r=near: f(x, y, rtol=r), x, y)
        table.call("isclose", lambda f, x, y: f(x, y, atol=0.3, equal_nan=True), x, y)
        table.call("isclose", lambda f, x: f(x, 1.0), x)
    same = edges(FLOATS[0])[:12]
    for other in (same, same + np.float32(1e-6), same[:5], same + 1):
        table.call("array_equal", lambda f, x, y: f(x, y), same, other)
        if len(other) == len(same):
            table.call("allclose", lambda f, x, y: f(x, y), same, other)
    table.call("array_equal", lambda f, x, y: f(x, y, True), *[edges(FLOATS[0])] * 2)


def bit_cases(table: Table) -> None:
    """Add functions of bits; counts of shifts are also negative and too large."""
    table.binary(BITS, (*INTEGERS, BOOL))
    table.unary("invert bitwise_not bitwise_invert", (*INTEGERS, BOOL))
    for dtype in INTEGERS:
        x, _ = pairs(dtype)
        counts = np.array([0, 1, 5, 7, 8, 15, 31, 32, 63, 64, 100]).astype(dtype)
        if dtype.kind == "i":
            counts = np.append(counts, np.array([-1, -7], dtype))
        for name in ("left_shift", "right_shift"):
            table.call(name, lambda f, x, y: f(x, y), x, counts)
            table.call(f"bitwise_{name}", lambda f, x: f(x, 3), x)
            table.call(name, lambda f, x: f(x, 100), x)


def conversion_cases(table: Table) -> None:
    """Add functions that convert and fill."""
    for dtype in (*FLOATS[:3], INTEGERS[0], BOOL):
        x = edges(dtype)
        table.call("nan_to_num", lambda f, x: f(x), x)
        table.call("copy", lambda f, x: f(x), x)
    x = edges(FLOATS[0])
    table.call("nan_to_num", lambda f, x: f(x, nan=7, posinf=np.float64(3), neginf=-1), x)
    table.call("full_like", lambda f, x, y: f(x, y), x, np.array(3))
    table.call("full_like", lambda f, x: f(x, 2.7, dtype=np.int32, shape=(2, 3)), x)
    for name in ("zeros_like", "ones_like"):
        table.call(name, lambda f, x: f(x, np.int16, shape=4), x)
    table.call("astype", lambda f, x: f(x, np.float64, copy=False), x)


def elementwise_cases() -> list[Case]:
    """Return all cases."""
    table = Table()
    for add in (
        function_cases,
        arithmetic_cases,
        limit_cases,
        rounding_cases,
        comparison_cases,
        bit_cases,
        conversion_cases,
    ):
        add(table)
    return table.cases
