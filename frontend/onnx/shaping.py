"""Operators of ONNX that move elements without computing on them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.operator import Operator, operator_of, unary
from lxc.frontend.onnx.values import Known, entries, whole_numbers
from lxc.ir import functions as ops
from lxc.ir.dim import Size, bounds
from lxc.ir.functions.shape import exact_quotient, remaining_size
from lxc.ir.tensor import shape_of
from lxc.ir.types import count_elements

FAR = 2**31 - 1
"""Exporters write this end, or one further out, for all that there is."""


def reshape(x: Any, shape: Known, *, allowzero: int = 0) -> Any:
    """Return the elements in another shape; 0 keeps a size, -1 is what remains."""
    own, wanted = list(shape_of(x)), list(entries(shape))
    kept = [i for i, entry in enumerate(wanted) if entry == 0 and not allowzero]
    if -1 in wanted:
        # Sizes that are kept are left out of both, for a 0 cannot be divided out.
        total = count_elements([entry for i, entry in enumerate(own) if i not in kept])
        rest = [e for i, e in enumerate(wanted) if i not in kept and e != -1]
        wanted[wanted.index(-1)] = remaining_size(total, count_elements(rest))
    for place in kept:
        wanted[place] = own[place]
    return ops.reshape(x, tuple(wanted))


def transpose(x: Any, *, perm: Sequence[int] | None = None) -> Any:
    """Return x with permuted axes; without `perm` in reverse order."""
    return ops.transpose(x, perm)


def concat(*xs: Any, axis: int) -> Any:
    """Return operands one behind the other."""
    return ops.concatenate(xs, axis)


def split(
    x: Any,
    split: Known = None,
    *,
    axis: int = 0,
    num_outputs: int | None = None,
    output_count: int = 1,
) -> Any:
    """Return parts of x of given sizes, or equal ones of which the last may be smaller."""
    size = shape_of(x)[axis]
    if split is not None:
        places = np.cumsum(whole_numbers(split, "the size of a part")).tolist()
        if places[-1] != size:
            raise LxcError(
                "LXC-E0103",
                "the parts do not fill the axis",
                expected=f"{size} in all",
                actual=f"{places[-1]}",
            )
        return tuple(ops.split(x, places[:-1], axis))
    count = num_outputs or output_count
    if not isinstance(size, int):
        return tuple(ops.split(x, count, axis))
    step = -(-size // count)
    return tuple(ops.split(x, [step * part for part in range(1, count)], axis))


def slice_of(
    x: Any, starts: Known, ends: Known, axes: Known = None, steps: Known = None
) -> Any:
    """Return the elements between two ends along some axes, in steps."""
    first, last = entries(starts), entries(ends)
    along = range(len(first)) if axes is None else whole_numbers(axes, "an axis")
    by = (1,) * len(first) if steps is None else whole_numbers(steps, "a step")
    index: list[Any] = [slice(None)] * x.ndim
    for axis, low, high, step in zip(along, first, last, by, strict=True):
        index[axis] = part_of(shape_of(x)[axis], low, high, step)
    return x[tuple(index)]


def part_of(size: Size, low: Size, high: Size, step: int) -> slice:
    """Return a slice as NumPy has it; of an axis of unknown size, one that it can take.

    ONNX' ends far outside of an axis mean all that there is.
    """
    if isinstance(size, int):
        return slice(low, high, step)
    if step > 0:
        return slice(low, None if is_far(high) or high == size else high, step)
    whole = low in (-1, size, size - 1) or is_far(low)
    return slice(None if whole else low, None if is_far(high) else high, step)


def is_far(end: Size) -> bool:
    """Return whether an end lies outside of every axis."""
    return isinstance(end, int) and abs(end) >= FAR


def squeeze(x: Any, axes: Known = None) -> Any:
    """Return x without axes of size 1: those named, or all."""
    return ops.squeeze(x, None if axes is None else whole_numbers(axes, "an axis"))


def unsqueeze(x: Any, axes: Known) -> Any:
    """Return x with axes of size 1 at places of the result."""
    return ops.expand_dims(x, whole_numbers(axes, "an axis"))


def expand(x: Any, shape: Known) -> Any:
    """Return x repeated to what it and a shape broadcast to."""
    wanted, own = entries(shape), shape_of(x)
    rank = max(len(wanted), len(own))
    pairs = zip(
        (*(1,) * (rank - len(wanted)), *wanted),
        (*(1,) * (rank - len(own)), *own),
        strict=True,
    )
    return ops.broadcast_to(x, tuple(old if new == 1 else new for new, old in pairs))


def tile(x: Any, repeats: Known) -> Any:
    """Return x laid side by side along each axis."""
    return ops.tile(x, entries(repeats))


def pad(
    x: Any,
    pads: Known,
    constant_value: Any = None,
    axes: Known = None,
    *,
    mode: Literal["constant", "reflect", "edge", "wrap"] = "constant",
) -> Any:
    """Return x inside of more entries; where pads are negative, less of it."""
    numbers = entries(pads)
    half = len(numbers) // 2
    along = range(half) if axes is None else whole_numbers(axes, "an axis")
    pairs: list[tuple[Size, Size]] = [(0, 0)] * x.ndim
    for axis, low, high in zip(along, numbers[:half], numbers[half:], strict=True):
        pairs[axis] = (low, high)
    ends = zip(shape_of(x), pairs, strict=True)
    inner = tuple(slice(cut(low), size - cut(high)) for size, (low, high) in ends)
    x = x[inner]
    value = 0 if constant_value is None else ops.reshape(constant_value, ())
    outer = tuple((more(low), more(high)) for low, high in pairs)
    if mode != "constant":
        return ops.pad(x, outer, mode)
    return ops.pad(x, outer, constant_values=value)


def cut(entry: Size) -> Size:
    """Return how many cells a pad leaves out."""
    return -entry if bounds(entry)[1] < 0 else 0


def more(entry: Size) -> Size:
    """Return how many cells a pad adds."""
    return 0 if bounds(entry)[1] < 0 else entry


def flatten(x: Any, *, axis: int = 1) -> Any:
    """Return a matrix: the axes before one as rows, the others as columns."""
    shape = shape_of(x)
    place = axis % x.ndim if axis < 0 else axis
    sizes = (count_elements(shape[:place]), count_elements(shape[place:]))
    return ops.reshape(x, sizes)


def depth_to_space(x: Any, *, blocksize: int, mode: Literal["DCR", "CRD"] = "DCR") -> Any:
    """Return blocks of channels laid out over space."""
    batch, channels, height, width = shape_of(x)
    b, depth = blocksize, exact_quotient(channels, blocksize * blocksize)
    if mode == "DCR":
        y = ops.reshape(x, (batch, b, b, depth, height, width))
        y = ops.transpose(y, (0, 3, 4, 1, 5, 2))
    else:
        y = ops.reshape(x, (batch, depth, b, b, height, width))
        y = ops.transpose(y, (0, 1, 4, 2, 5, 3))
    return ops.reshape(y, (batch, depth, height * b, width * b))


def space_to_depth(x: Any, *, blocksize: int, mode: Literal["DCR", "CRD"] = "DCR") -> Any:
    """Return blocks of space as channels."""
    batch, channels, height, width = shape_of(x)
    b = blocksize
    rows, columns = exact_quotient(height, b), exact_quotient(width, b)
    y = ops.reshape(x, (batch, channels, rows, b, columns, b))
    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    return ops.reshape(ops.transpose(y, order), (batch, channels * b * b, rows, columns))


def triangle(x: Any, k: Known = None, *, upper: int = 1) -> Any:
    """Return matrices with zeros on one side of a diagonal."""
    offset = 0 if k is None else whole_numbers(k, "the diagonal")[0]
    return ops.triu(x, offset) if upper else ops.tril(x, offset)


def crop_or_pad(x: Any, shape: Known, *, axes: Sequence[int] | None = None) -> Any:
    """Return the middle of x in another shape; where x is smaller, inside of zeros."""
    wanted = whole_numbers(shape, "a size to crop to")
    along = range(x.ndim) if axes is None else [axis % x.ndim for axis in axes]
    own = whole_numbers(np.array([shape_of(x)[axis] for axis in along]), "a cropped size")
    pads = np.zeros((2, x.ndim), np.int64)
    for axis, new, old in zip(along, wanted, own, strict=True):
        # Of an odd number the larger part is behind.
        low = (new - old) // 2 if new >= old else -((old - new) // 2)
        pads[:, axis] = low, new - old - low
    return pad(x, pads.ravel())


SHAPING: Mapping[str, Operator] = {
    "CenterCropPad": operator_of(crop_or_pad),
    "Concat": operator_of(concat),
    "DepthToSpace": operator_of(depth_to_space),
    "Expand": operator_of(expand),
    "Flatten": operator_of(flatten),
    "Identity": unary(lambda x: x),
    "Pad": operator_of(pad),
    "Reshape": operator_of(reshape),
    "Slice": operator_of(slice_of),
    "SpaceToDepth": operator_of(space_to_depth),
    "Split": operator_of(split, outputs=2**16),
    "Squeeze": operator_of(squeeze),
    "Tile": operator_of(tile),
    "Transpose": operator_of(transpose),
    "Trilu": operator_of(triangle),
    "Unsqueeze": operator_of(unsqueeze),
}
