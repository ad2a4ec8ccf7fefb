"""Calls of public functions to compare with NumPy: names, arrays, how they are called."""

from collections.abc import Callable
from typing import Any

import numpy as np

RNG = np.random.default_rng(0)
F = RNG.normal(size=(3, 4)).astype(np.float32)
G = RNG.normal(size=(4,)).astype(np.float32)
I = RNG.integers(-5, 6, (3, 4)).astype(np.int32)  # noqa: E741 - short names keep the table
J = RNG.integers(1, 4, (3, 1)).astype(np.int16)
B = RNG.normal(size=(3, 4)) > 0
H = F.astype(np.float16)
D = F.astype(np.float64)
U = RNG.integers(0, 9, (3, 4)).astype(np.uint8)

UNARY = "absolute ceil cos exp expm1 floor negative positive rint sign sin square tanh"
UNARY_POSITIVE = "log log1p reciprocal sqrt"
BINARY = "add subtract multiply maximum minimum equal not_equal less less_equal greater"
BINARY += " greater_equal divide"
BITS = "bitwise_and bitwise_or bitwise_xor"
LOGIC = "logical_and logical_or logical_xor"
REDUCTIONS = "sum max min prod mean all any"

Case = tuple[str, tuple[Any, ...], Callable[..., Any]]
"""Name, arrays, and how a module of functions is called on them."""


class Table:
    """A growing list of cases."""

    def __init__(self) -> None:
        """Start empty."""
        self.cases: list[Case] = []

    def add(
        self, name: str, arrays: tuple[Any, ...], call: Callable[..., Any] | None = None
    ) -> None:
        """Add a case; without `call` the function is called on the arrays alone."""
        self.cases.append((name, arrays, call or (lambda m, *xs: getattr(m, name)(*xs))))


def unary_cases(table: Table) -> None:
    """Add functions of one operand."""
    add = table.add
    for name in UNARY.split():
        floats: tuple[Any, ...] = (F, D, H)
        for x in floats if name != "positive" else (F, I):
            add(name, (x,))
    for name in UNARY_POSITIVE.split():
        add(name, (np.abs(F) + 1,))
    for name in ("absolute", "negative", "sign", "square"):
        add(name, (I,))
    for name in ("exp", "floor", "ceil", "sqrt", "tanh", "rint"):
        for x in (np.abs(I), J, U, U.astype(np.int64)):
            add(name, (x,))


def binary_cases(table: Table) -> None:
    """Add functions of two operands."""
    add = table.add
    for name in BINARY.split():
        for x, y in ((F, G), (F, F.T[:, :3].T), (I, J), (F, I), (H, F), (D, F), (U, I)):
            add(name, (x, y))
    for name in ("floor_divide", "remainder", "power"):
        add(name, (F, np.abs(G) + 1) if name != "power" else (np.abs(F), G))
    for exponent in (0, 1, 2, 4, 5, -1, 0.5):
        add("power", (np.abs(F) + 1,), lambda m, x, y=exponent: m.power(x, y))
    for exponent in (0, 1, 3, 7):
        add("power", (I,), lambda m, x, y=exponent: m.power(x, y))
    add("floor_divide", (I, J))
    add("remainder", (I, J))
    for name in BITS.split():
        add(name, (I, J))
        add(name, (B, ~B))
    for name in LOGIC.split():
        add(name, (I, F))
        add(name, (B, ~B))
    add("logical_not", (I,))
    add("logical_not", (B,))
    add("invert", (I,))
    add("left_shift", (I, J))
    add("right_shift", (I, J))


def choosing_cases(table: Table) -> None:
    """Add functions that choose, convert and fill."""
    add = table.add
    add("isnan", (np.where(B, F, np.nan).astype(np.float32),))
    add("where", (B, F, G))
    add("where", (I, F, I))
    add("clip", (F,), lambda m, x: m.clip(x, -0.5, 0.5))
    add("clip", (F, G), lambda m, x, y: m.clip(x, y, None))
    add("astype", (F,), lambda m, x: m.astype(x, np.int32))
    add("astype", (F,), lambda m, x: m.astype(x, np.float16))
    for name in ("full_like", "zeros_like", "ones_like"):
        extra = (3,) if name == "full_like" else ()
        add(name, (F,), lambda m, x, n=name, e=extra: getattr(m, n)(x, *e))
        add(name, (I,), lambda m, x, n=name, e=extra: getattr(m, n)(x, *e))


def reduction_cases(table: Table) -> None:
    """Add reductions."""
    add = table.add
    for name in REDUCTIONS.split():
        for axis in (None, 0, -1, (0, 1)):
            add(name, (F,), lambda m, x, n=name, a=axis: getattr(m, n)(x, axis=a))
            add(name, (I,), lambda m, x, n=name, a=axis: getattr(m, n)(x, axis=a))
        add(name, (F,), lambda m, x, n=name: getattr(m, n)(x, axis=1, keepdims=True))
    add("sum", (B,))
    add("sum", (U,))


def product_cases(table: Table) -> None:
    """Add products."""
    add = table.add
    for name in ("matmul", "dot"):
        add(name, (I, I.T))
        add(name, (I, I[0]))
        add(name, (I[:, 0], I))
        add(name, (I[0], I[1]))
    add("matmul", (np.stack([I, I]), np.stack([I.T, I.T])))
    add("matmul", (np.stack([I, I]), I.T))
    add("matmul", (I, np.stack([I.T, I.T])))
    add("matmul", (I[0], np.stack([I.T, I.T])))
    add("matmul", (I, np.float32(2) * I.T))
    add("tensordot", (I, I), lambda m, x, y: m.tensordot(x, y, 2))
    add("tensordot", (I, I), lambda m, x, y: m.tensordot(x, y, ((0,), (0,))))


def shape_cases(table: Table) -> None:
    """Add functions that move elements."""
    add = table.add
    add("reshape", (F,), lambda m, x: m.reshape(x, (2, -1)))
    add("reshape", (F,), lambda m, x: m.reshape(x, -1))
    add("ravel", (F,))
    add("transpose", (F,))
    add("transpose", (F,), lambda m, x: m.transpose(x, (1, 0)))
    add("swapaxes", (F,), lambda m, x: m.swapaxes(x, 0, -1))
    add("moveaxis", (F,), lambda m, x: m.moveaxis(x, -1, 0))
    add("broadcast_to", (G,), lambda m, x: m.broadcast_to(x, (2, 3, 4)))
    add("expand_dims", (F,), lambda m, x: m.expand_dims(x, 1))
    add("expand_dims", (F,), lambda m, x: m.expand_dims(x, (0, -1)))
    add("squeeze", (F[:, None, :1],), lambda m, x: m.squeeze(x))
    add("squeeze", (F[:, None, :1],), lambda m, x: m.squeeze(x, 1))
    add("flip", (F,), lambda m, x: m.flip(x))
    add("flip", (F,), lambda m, x: m.flip(x, 1))
    add("concatenate", (F, I), lambda m, x, y: m.concatenate([x, y], 1))
    add("stack", (F, F), lambda m, x, y: m.stack([x, y], -1))
    add("split", (F,), lambda m, x: m.split(x, 2, axis=1))
    add("split", (F,), lambda m, x: m.split(x, [1, 3], axis=1))
    add("pad", (F,), lambda m, x: m.pad(x, 1))
    add("pad", (F,), lambda m, x: m.pad(x, (1, 2)))
    add("pad", (F,), lambda m, x: m.pad(x, ((1, 0), (0, 2)), constant_values=5))


def cases() -> list[Case]:
    """Return all cases."""
    table = Table()
    unary_cases(table)
    binary_cases(table)
    choosing_cases(table)
    reduction_cases(table)
    product_cases(table)
    shape_cases(table)
    return table.cases
