"""Calls of functions that move, join, find and combine elements, to compare with NumPy."""

from typing import Any

import numpy as np

from tests.ir.function_cases import Case, Table

RNG = np.random.default_rng(1)
F = RNG.normal(size=(3, 4)).astype(np.float32)
T = RNG.normal(size=(2, 3, 5)).astype(np.float32)
V = RNG.normal(size=(5,)).astype(np.float32)
W = RNG.normal(size=(3,)).astype(np.float64)
H = F.astype(np.float16)
I = RNG.integers(-9, 10, (3, 4)).astype(np.int32)  # noqa: E741 - short names keep the table
K = RNG.integers(-3, 4, (2, 3, 5))
P = RNG.integers(0, 3, (7,)).astype(np.int16)
B = RNG.normal(size=(3, 4)) > 0
U = RNG.integers(0, 99, (3, 4)).astype(np.uint8)
N = np.where(B, F, np.nan).astype(np.float32)
S = np.sort(V)
EVERY = (F, H, I, B, U)


def called(table: Table, name: str, arrays: tuple[Any, ...], *calls: str) -> None:
    """Add a case for each list of arguments; arrays stand there as x, y and z.

    Sources are text so that one line is one call. `like` is the first array.
    """
    for text in calls:
        code = compile(f"m.{name}({text})", f"<{name}>", "eval")

        def call(m: Any, *xs: Any, code: Any = code) -> Any:
            return eval(code, {"m": m, "np": np}, dict(zip("xyz", xs, strict=False)))

        table.add(name, arrays, call)


def gather_cases(table: Table) -> None:
    """Add functions that read at indices."""
    for axis in ("None", "0", "1", "-1"):
        called(table, "take", (F, P), f"x, y % 3, {axis}", f"x, y - 2, {axis}, mode='wrap'")
        called(table, "take", (F, P), f"x, y * 4 - 3, {axis}, mode='clip'")
    called(table, "take", (B, P), "x, y, axis=0", "x, [[0, -1], [2, 1]], 1", "x, 2, 0")
    called(table, "take", (I, P.astype(np.uint64)), "x, y, axis=0")
    called(table, "take", (F, B[0]), "x, y, axis=1")
    places = np.argsort(F, 1)
    called(table, "take_along_axis", (F, places), "x, y, 1", "x, y - 4, axis=1")
    called(table, "take_along_axis", (F, places[:, :2]), "x, y, -1")
    called(table, "take_along_axis", (F, places[:1] % 3), "x, y, 0")
    called(table, "take_along_axis", (F, P % 3), "x, y, None")
    called(table, "choose", (P, T[0].T[0], W), "x[:3], [y, z, 3]", "x[:3] % 2, [y, z]")
    called(table, "choose", (P, W), "x[0:3] * 5, [y, 1.5, 2], mode='clip'")
    called(table, "choose", (P, W), "x[0:3] - 5, [y, 1.5, 2], mode='wrap'")
    called(table, "select", (B, F, I), "[x, y > 0], [z, y]", "[x], [z], 7")


def axis_cases(table: Table) -> None:
    """Add functions that turn and add axes."""
    for x in (np.float32(2.0), V, F, T):
        for rank in (1, 2, 3):
            called(table, f"atleast_{rank}d", (np.asarray(x),), "x")
    called(table, "atleast_2d", (V, F), "x, y")
    called(table, "broadcast_arrays", (F, W[:, None], I[:, :1]), "x, y, z", "x")
    called(table, "moveaxis", (T,), "x, (0, 1), (-1, 0)", "x, 2, 0", "x, [0], [1]")
    called(table, "rollaxis", (T,), "x, 2", "x, 0, 3", "x, 1, 2", "x, -1, -2")
    called(table, "matrix_transpose", (T,), "x")
    called(table, "fliplr", (F,), "x")
    called(table, "flipud", (V,), "x")
    for k in range(-1, 5):
        called(table, "rot90", (T,), f"x, {k}", f"x, {k}, (2, 1)")


def joining_cases(table: Table) -> None:
    """Add functions that join and take apart."""
    for name in ("hstack", "vstack", "dstack", "column_stack"):
        called(table, name, (F, I), "[x, y]", "(x, x, y)")
        called(table, name, (V, V), "[x, y]")
    called(table, "hstack", (F, I), "[x, y], dtype=np.float64")
    called(table, "block", (F, I, V), "[[x, y], [y, x]]", "[x, y]", "z", "[z, 1, z]")
    called(table, "block", (T,), "[[[x], [x]], [[x], [x]]]")
    called(table, "append", (F, I), "x, y", "x, y, 0", "x, y, axis=1", "x, [1, 2]")
    for places in ("1", "[0, 2]", "-1", "slice(None, None, 2)"):
        called(table, "delete", (F,), f"x, {places}, 1", f"x, {places}")
    called(table, "concatenate", (F, I), "[x, y], None")
    called(table, "array_split", (T,), "x, 2, 2", "x, 3, axis=2", "x, 4, 1", "x, [1], 2")
    called(table, "split", (T,), "x, [1, 3, 9], 2", "x, [-2], 2", "x, [3, 1], 2")
    called(table, "hsplit", (F,), "x, 2", "x, [1, 3]")
    called(table, "hsplit", (V,), "x, [2]")
    called(table, "vsplit", (F,), "x, 3")
    called(table, "dsplit", (T,), "x, [2, 3]")
    called(table, "unstack", (T,), "x", "x, axis=-1")


def repeating_cases(table: Table) -> None:
    """Add functions that repeat, shift and surround."""
    called(table, "tile", (F,), "x, 2", "x, (2, 1)", "x, (3, 1, 2)", "x, (1, 0)")
    called(table, "tile", (T,), "x, 2", "x, [2, 2]")
    called(table, "repeat", (F,), "x, 3", "x, 2, axis=1", "x, 0, 0", "x, [1, 0, 2], 0")
    for shift in ("1", "-2", "7", "0"):
        called(table, "roll", (F,), f"x, {shift}", f"x, {shift}, 1", f"x, {shift}, (0, 1)")
    called(table, "roll", (T,), "x, (1, 2), (0, 2)", "x, (1, 2), 2")
    called(table, "roll", (F, np.array(2)), "x, y, 1")
    widths = (
        "1",
        "(1, 2)",
        "((1, 0), (0, 2))",
        "((2, 1),)",
        "[(0, 1), (2, 2)]",
        "0",
        "(2,)",
    )
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
        for width in widths:
            called(table, "pad", (F,), f"x, {width}, mode='{mode}'")
        called(table, "pad", (I,), f"x, ((9, 5), (0, 11)), '{mode}'")
        called(table, "pad", (B,), f"x, {{-1: (1, 2)}}, '{mode}'")
    called(table, "pad", (F,), "x, 2, constant_values=((1, 2), (3, 4))")
    called(table, "pad", (F,), "x, 2, constant_values=(1, 2)")


def creation_cases(table: Table) -> None:
    """Add functions that make arrays, for a model and without."""
    called(table, "zeros", (F,), "(2, 3), like=x", "4, np.int32, like=x")
    called(table, "ones", (F,), "(2, 3), np.float16, like=x", "(), like=x")
    called(table, "full", (F,), "(2, 3), 7, like=x", "2, 1.5, np.float32, like=x")
    called(table, "full", (F,), "(3, 3), True, like=x")
    called(table, "arange", (F,), "5, like=x", "2, 9, like=x", "9, 2, -3, like=x")
    called(table, "arange", (F,), "0, 1, 0.3, like=x", "4, dtype=np.float32, like=x")
    called(table, "linspace", (F, I), "x, y, 5", "x, y, 4, endpoint=False", "x, 1, 1")
    called(table, "linspace", (F, I), "x, y, 7, axis=-1", "y, 2 * y, 5, dtype=np.int64")
    called(table, "eye", (F,), "3, like=x", "3, 4, 1, like=x", "4, 2, -1, int, like=x")
    called(table, "identity", (F,), "3, np.float32, like=x")
    called(table, "tri", (F,), "3, like=x", "3, 5, 1, like=x", "4, 3, -2, bool, like=x")
    for k in (-2, -1, 0, 1, 3):
        called(table, "tril", (T,), f"x, {k}")
        called(table, "triu", (T,), f"x, {k}")
        called(table, "diag", (V,), f"x, {k}")
        called(table, "diag", (F,), f"x, {k}")
        called(table, "diagonal", (T,), f"x, {k}", f"x, {k}, 0, 2", f"x, {k}, -1, 1")
        called(table, "trace", (T,), f"x, {k}", f"x, {k}, 2, 1")
    called(table, "tril", (V,), "x")
    called(table, "triu", (B,), "x")
    called(table, "trace", (I,), "x", "x, dtype=np.int16")
    called(table, "diagflat", (F,), "x", "x, 1")
    called(table, "meshgrid", (V, W, P), "x, y", "x, y, z, indexing='ij'", "x")
    called(table, "meshgrid", (V, W, P), "x, y, z, sparse=True", "x, y, z")


def search_cases(table: Table) -> None:
    """Add functions that find places."""
    ties = np.array([[1, 3, 3, 0], [2, 2, 2, 2], [0, -1, -1, 5]])
    for name in ("argmax", "argmin"):
        for x in (*EVERY, N, ties, ties * np.float16(1), -ties * np.float64(0)):
            called(table, name, (x,), "x", "x, 0", "x, axis=1", "x, -1, keepdims=True")
        called(table, name, (T,), "x, keepdims=True", "x, 1")
    edges = np.array([S[0], S[2], np.nan, np.inf, -np.inf, 9], np.float32)
    for side in ("left", "right"):
        called(table, "searchsorted", (S, edges), f"x, y, '{side}'", f"x, 0.1, '{side}'")
        called(table, "searchsorted", (np.arange(5), I), f"x, y, side='{side}'")
    for right in (False, True):
        called(table, "digitize", (I,), f"x, [-3, 0, 0, 4], {right}")
        called(table, "digitize", (I,), f"x, [4, 0, -3], right={right}")
    called(table, "isin", (I, P), "x, y", "x, [1, 2], invert=True", "x, 3")
    for axis in ("None", "0", "1"):
        called(table, "count_nonzero", (I,), f"x, {axis}", f"x, {axis}, keepdims=True")
        called(table, "count_nonzero", (B,), f"x, {axis}")


def reduction_cases(table: Table) -> None:
    """Add reductions with every option."""
    for name in ("sum", "prod", "max", "min", "all", "any", "mean"):
        called(table, name, (F, B), "x, where=y, axis=1" + LIMITS.get(name, ""))
        called(table, name, (B,), "x", "x, 0", "x, 1, keepdims=True")
    for name in ("sum", "prod", "max", "min"):
        called(table, name, (F,), "x, initial=2", "x, axis=0, initial=-1.5")
        called(table, name, (I,), "x, (0, 1), initial=2")
    for name in ("sum", "prod", "mean"):
        called(table, name, (I,), "x, dtype=np.float32", "x, 0, np.float64")
    for name in ("var", "std"):
        for x in (F, I, H):
            called(table, name, (x,), "x", "x, 1", "x, 0, ddof=1", "x, 1, keepdims=True")
        called(table, name, (F, B), "x, correction=1", "x, dtype=np.float64", "x, where=y")
    for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd"):
        called(table, name, (N,), "x", "x, 0", "x, axis=1, keepdims=True")
        called(table, name, (I,), "x, 0")
        called(table, name, (np.full((2, 3), np.nan, np.float32),), "x, 1")
    called(table, "nanvar", (N,), "x, 1, ddof=1")
    called(table, "ptp", (F,), "x", "x, 0", "x, axis=1, keepdims=True")
    called(table, "average", (F, W), "x", "x, 0", "x, 0, y", "x, 0, y, returned=True")
    called(table, "average", (I, I * I), "x, weights=y", "x, 1, y, keepdims=True")
    called(table, "average", (T, T[:, 0] ** 2), "x, (0, 2), y")


LIMITS = {"max": ", initial=-9", "min": ", initial=9"}
"""What NumPy asks for where elements are left out of a maximum."""


def cumulative_cases(table: Table) -> None:
    """Add functions of neighbours along an axis."""
    for name in ("cumsum", "cumprod"):
        for x in (*EVERY, T):
            called(table, name, (x,), "x", "x, 0", "x, axis=-1")
        called(table, name, (I,), "x, 1, np.float32", "x, dtype=np.int8")
        called(table, f"nan{name}", (N,), "x", "x, 1")
        called(table, f"nan{name}", (I,), "x, 1")
    for name in ("cumulative_sum", "cumulative_prod"):
        called(table, name, (V,), "x", "x, include_initial=True")
        called(table, name, (I,), "x, axis=1, include_initial=True", "x, axis=0")
    for x in (F, I, B):
        called(table, "diff", (x,), "x", "x, 2", "x, axis=0", "x, 5", "x, 0")
    called(table, "diff", (F, W), "x, prepend=0", "x, append=1, axis=0", "y, 1, -1, y, y")
    called(table, "ediff1d", (F,), "x")
    called(table, "trapezoid", (F, V), "x", "x, dx=0.5", "x, axis=0", "x, y[:4]")


def cases() -> list[Case]:
    """Return all cases."""
    table = Table()
    for add in (
        gather_cases,
        axis_cases,
        joining_cases,
        repeating_cases,
        creation_cases,
        search_cases,
        reduction_cases,
        cumulative_cases,
    ):
        add(table)
    return table.cases
