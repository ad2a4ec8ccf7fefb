"""NumPy's pad: entries around an array, constant or repeated from the array itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lxc.errors import LxcError, one_of
from lxc.ir.dim import Dim, Size, bounds, size
from lxc.ir.functions.gather import take
from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.functions.shape import axis_of, broadcast_to, concatenate, flip, narrow
from lxc.ir.ops import shape as ops
from lxc.ir.tensor import Tensor, apply, implements, shape_of

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")
Pair = tuple[Size, Size]


@implements(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """Return `x` inside of more entries, axis by axis.

    `pad_width` is n, (before, after), one pair per axis or a dict of pairs by axis. The
    modes: "constant" puts `constant_values` there, "edge" the last entry, "reflect" and
    "symmetric" the entries mirrored without and with the last one, "wrap" those from the
    other end.
    """
    if mode not in MODES:
        raise LxcError(
            "LXC-E0103", f"there is no padding mode {mode!r}", hint=f"it is {one_of(MODES)}"
        )
    x = as_operand(x, common_type((x,)))
    rank = len(shape_of(x))
    pairs = [(size(low), size(high)) for low, high in pairs_of(pad_width, rank)]
    if mode == "constant":
        return pad_constant(x, pairs, constant_values)
    for axis, pair in enumerate(pairs):
        if pair != (0, 0):
            x = pad_axis(x, axis, pair, mode)
    return x


def pairs_of(given: Any, rank: int) -> list[tuple[Any, Any]]:
    """Return one pair per axis, as NumPy reads numbers, pairs and dicts."""
    if isinstance(given, Mapping):
        named = {axis_of(axis, rank): pair for axis, pair in given.items()}
        return [pair_of(named.get(axis, 0)) for axis in range(rank)]
    listed = list(given) if isinstance(given, tuple | list | np.ndarray) else [given]
    if len(listed) == 2 and not any(
        isinstance(n, tuple | list | np.ndarray) for n in listed
    ):
        listed = [tuple(listed)]
    pairs = [pair_of(entry) for entry in listed]
    if len(pairs) not in (1, rank):
        raise LxcError(
            "LXC-E0103",
            "padding needs one pair, or one for each axis",
            expected=f"{rank} pairs",
            actual=f"{len(pairs)} pairs",
        )
    return pairs * rank if len(pairs) == 1 else pairs


def pair_of(entry: Any) -> tuple[Any, Any]:
    """Return before and after of one axis."""
    if isinstance(entry, tuple | list | np.ndarray):
        low, high = (*entry, *entry) if len(entry) == 1 else entry
        return plain(low), plain(high)
    return plain(entry), plain(entry)


def plain(number: Any) -> Any:
    """Return a NumPy integer as a Python one, anything else as it is."""
    return int(number) if isinstance(number, np.integer) else number


def pad_constant(x: Any, pairs: list[Pair], values: Any) -> Any:
    """Return `x` inside of numbers; later axes fill the corners."""
    rank = len(pairs)
    several = isinstance(values, tuple | list | np.ndarray) and np.size(values) != 1
    if several or isinstance(values, Mapping):
        for axis, numbers in enumerate(pairs_of(values, rank)):
            for end, number in enumerate(numbers):
                sides: list[Pair] = [(0, 0)] * rank
                sides[axis] = (pairs[axis][0], 0) if end == 0 else (0, pairs[axis][1])
                x = pad_constant(x, sides, number)
        return x
    number = values if isinstance(values, Tensor) else np.reshape(np.asarray(values), ())
    value = as_operand(number, x.dtype)
    low, high = (tuple(pair[end] for pair in pairs) for end in (0, 1))
    return apply(ops.pad, x, value, low=low, high=high, interior=(0,) * rank)


def pad_axis(x: Any, axis: int, pair: Pair, mode: str) -> Any:
    """Return `x` with some of its own entries around it along one axis."""
    entry = shape_of(x)[axis]
    most = max(bounds(count)[1] for count in pair)
    needed = {"edge": 1, "reflect": most + 1}.get(mode, most)
    if bounds(entry)[0] < needed and isinstance(entry, int):
        if entry == 0 or not all(isinstance(count, int) for count in pair):
            raise LxcError(
                "LXC-E0103", f"axis {axis} of size {entry} has too few entries for {mode!r}"
            )
        return take(x, repeated_places(entry, pair, mode), axis)
    before, after = (part(x, axis, pair[end], mode, end) for end in (0, 1))
    return concatenate([before, x, after], axis)


def repeated_places(entry: int, pair: Any, mode: Any) -> Any:
    """Return which entry stands at each place of an axis that is padded far."""
    return np.pad(np.arange(entry), pair, mode=mode)


def part(x: Any, axis: int, count: Size | Dim, mode: str, end: int) -> Any:
    """Return the entries before (`end` 0) or after (`end` 1) an axis."""
    entry, count = shape_of(x)[axis], size(count)
    if mode == "edge":
        last = narrow(x, axis, 0, 1) if end == 0 else narrow(x, axis, entry - 1, entry)
        sizes = shape_of(x)
        return broadcast_to(last, (*sizes[:axis], count, *sizes[axis + 1 :]))
    if mode == "wrap":
        low = entry - count if end == 0 else 0
        return narrow(x, axis, low, low + count)
    skip = 1 if mode == "reflect" else 0
    low = skip if end == 0 else entry - count - skip
    return flip(narrow(x, axis, low, low + count), axis)
