"""Extents of an axis: a number, the name of a dimension, or an expression over extents.

In JSON the prefix form `["+", a, b]`, `["*", a, b]`, `["//", a, b]` stands for an
expression; in Python it is a tuple of the same items. `//` rounds towards minus infinity.
Every value an extent can take within the bounds of its dimensions fits in 64 bits:
`interval` refuses others, so that compiled code may compute with `int64_t`.
"""

from collections.abc import Mapping
from typing import Any

from lxc.errors import LxcError

Extent = int | str | tuple[str, "Extent", "Extent"]

OPERATORS = ("+", "*", "//")
LARGEST = 2**62
DEEPEST = 64


def from_json(value: Any, depth: int = 0) -> Extent:
    """Read an extent from parsed JSON; anything of another form is a coded error."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, list) and len(value) == 3 and depth < DEEPEST:
        operator, left, right = value
        if operator in OPERATORS:
            return operator, from_json(left, depth + 1), from_json(right, depth + 1)
    raise LxcError("LXC-E0402", "an entry of a shape is not a number, a dimension or a sum")


def to_json(extent: Extent) -> Any:
    """Return what `from_json` reads back."""
    if isinstance(extent, tuple):
        operator, left, right = extent
        return [operator, to_json(left), to_json(right)]
    return extent


def evaluate(extent: Extent, dims: Mapping[str, int]) -> int:
    """Return the number that `extent` stands for, given a value for each dimension."""
    if isinstance(extent, int):
        return extent
    if isinstance(extent, str):
        return dims[extent]
    operator, left, right = extent
    a, b = evaluate(left, dims), evaluate(right, dims)
    if operator == "+":
        return a + b
    return a * b if operator == "*" else a // b


def names(extent: Extent) -> set[str]:
    """Return the names of the dimensions that `extent` depends on."""
    if isinstance(extent, int):
        return set()
    if isinstance(extent, str):
        return {extent}
    return names(extent[1]) | names(extent[2])


def interval(extent: Extent, ranges: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """Return bounds of every value of `extent` and refuse what 64 bits may not hold."""
    if isinstance(extent, int):
        low, high = extent, extent
    elif isinstance(extent, str):
        if extent not in ranges:
            raise LxcError("LXC-E0402", f"the dimension {extent[:40]!r} is not declared")
        low, high = ranges[extent]
    else:
        low, high = combine(
            extent[0], interval(extent[1], ranges), interval(extent[2], ranges)
        )
    if max(-low, high) > LARGEST:
        raise LxcError("LXC-E0402", f"the extent {show(extent)} does not fit in 64 bits")
    return low, high


def combine(operator: str, a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Return the interval of an operation on two intervals."""
    if operator == "+":
        return a[0] + b[0], a[1] + b[1]
    if operator == "*":
        corners = [x * y for x in a for y in b]
        return min(corners), max(corners)
    if b[0] < 1:
        raise LxcError("LXC-E0402", "the divisor of an extent can be zero or negative")
    corners = [x // y for x in a for y in b]
    return min(corners), max(corners)


def show(extent: Extent) -> str:
    """Return `extent` as people write it: `N * 4 + 1`."""
    if not isinstance(extent, tuple):
        return str(extent)
    operator, left, right = extent
    return f"{within(left, operator)} {operator} {within(right, operator)}"


def within(extent: Extent, operator: str) -> str:
    """Return one side of an operation, in parentheses where they are needed."""
    text = show(extent)
    same = isinstance(extent, tuple) and extent[0] == operator and operator != "//"
    return text if same or not isinstance(extent, tuple) else f"({text})"
