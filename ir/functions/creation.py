"""NumPy's functions that make arrays from sizes and numbers.

Without `like` the result is an array. With a traced tensor as `like` it is a tensor of the
same model, and then sizes may be symbolic.
"""

from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Dim, Size, size
from lxc.ir.dispatch import makes
from lxc.ir.functions.counting import counter
from lxc.ir.functions.elementwise import (
    add,
    astype,
    divide,
    equal,
    floor,
    multiply,
    subtract,
    where,
)
from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.functions.shape import (
    axis_of,
    broadcast_to,
    expand_dims,
    moveaxis,
    ravel,
    stack,
)
from lxc.ir.tensor import Tensor, implements, is_symbolic, lifted, shape_of
from lxc.ir.types import count_elements, dtype_of


def made_like(array: Any, like: Any) -> Any:
    """Return an array as it is, or as a tensor of the model that `like` belongs to."""
    return lifted((array, like))[0] if isinstance(like, Tensor) else array


def sizes_of(shape: Any) -> tuple[Size, ...]:
    """Return a shape that is given as one size or several."""
    return tuple(map(size, shape if isinstance(shape, tuple | list) else (shape,)))


@makes(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None, *, like: Any = None) -> Any:
    """Return an array of `shape` that repeats `fill_value`."""
    value = fill_value if isinstance(fill_value, Tensor) else np.asarray(fill_value)
    kind = value.dtype if dtype is None else np.dtype(dtype)
    return broadcast_to(made_like(as_operand(value, kind), like), sizes_of(shape))


@makes(np.zeros)
def zeros(shape: Any, dtype: Any = float, *, like: Any = None) -> Any:
    """Return an array of `shape` full of zeros."""
    return full(shape, 0, float if dtype is None else dtype, like=like)


@makes(np.ones)
def ones(shape: Any, dtype: Any = float, *, like: Any = None) -> Any:
    """Return an array of `shape` full of ones."""
    return full(shape, 1, float if dtype is None else dtype, like=like)


@makes(np.arange)
def arange(
    start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, like: Any = None
) -> Any:
    """Return the numbers from `start` up to `stop` in steps; one number is the end.

    With `like` the end may be a symbolic size; then start and step are ints.
    """
    if stop is None:
        start, stop = 0, start
    stop = size(stop) if isinstance(stop, Dim) else stop
    if not is_symbolic(stop):
        plain: Any = np.arange
        return made_like(plain(start, stop, step, dtype), like)
    if not isinstance(like, Tensor) or not isinstance(start, int) or step != 1:
        raise LxcError(
            "LXC-E0103",
            "numbers up to a symbolic size are counted one by one, for a traced tensor",
            expected="start: an int, step: 1, like: a tensor",
            actual=f"start: {start}, step: {step}, like: {like}",
        )
    numbers = add(counter(like, (stop - start,), 0), start)
    return numbers if dtype is None else astype(numbers, dtype)


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    *,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `num` numbers in equal steps from `start` to `stop`, along `axis`."""
    common = common_type((start, stop))
    kind = common if dtype_of(common).is_float else np.dtype(np.float64)
    low, high = (as_operand(end, kind) for end in (start, stop))
    distance = subtract(high, low)
    parts = num - 1 if endpoint and num > 1 else max(num, 1)
    place = np.arange(num).reshape(num, *(1,) * len(shape_of(distance)))
    numbers = multiply(place.astype(kind), divide(distance, as_operand(parts, kind)))
    numbers = add(numbers, low)
    if endpoint and num > 1:
        numbers = where(place == num - 1, expand_dims(high, 0), numbers)
    numbers = moveaxis(numbers, 0, axis)
    if dtype is None:
        return numbers
    return astype(floor(numbers) if np.dtype(dtype).kind in "iu" else numbers, dtype)


@implements(np.meshgrid)
def meshgrid(*xs: Any, indexing: str = "xy", sparse: bool = False) -> tuple[Any, ...]:
    """Return for each vector an array of its numbers along an axis of its own.

    With `indexing` "xy" the first two axes are exchanged. `sparse` leaves the other axes
    at size 1.
    """
    if indexing not in ("xy", "ij"):
        raise LxcError("LXC-E0103", f"there is no indexing {indexing!r}", hint="xy or ij")
    places = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        places[:2] = 1, 0
    vectors = lifted(as_operand(x, common_type((x,))) for x in xs)
    sizes: list[Size] = [1] * len(xs)
    for vector, place in zip(vectors, places, strict=True):
        sizes[place] = count_elements(shape_of(vector))
    grids = []
    for vector, place in zip(vectors, places, strict=True):
        others = tuple(axis for axis in range(len(xs)) if axis != place)
        grid = expand_dims(ravel(vector), others) if others else ravel(vector)
        grids.append(grid if sparse else broadcast_to(grid, tuple(sizes)))
    return tuple(grids)


def indices(dimensions: Any, dtype: Any = int, *, like: Any = None) -> Any:
    """Return the index of every element along each axis, axis by axis."""
    shape = sizes_of(dimensions)
    kind = dtype_of(np.dtype(dtype))
    places = [counter(like, shape, axis, kind) for axis in range(len(shape))]
    return stack(places) if places else np.zeros((0,), np.dtype(dtype))


def one_hot(x: Any, classes: int, *, axis: int = -1, dtype: Any = np.float32) -> Any:
    """Return 1 where the number along a new axis equals x, and 0 elsewhere.

    A number outside of 0..classes-1 gives zeros.
    """
    x = as_operand(x, common_type((x,)))
    spread = expand_dims(x, axis)
    rank = len(shape_of(spread))
    column = [1] * rank
    column[axis_of(axis, rank)] = classes
    return astype(equal(spread, np.arange(classes).reshape(column)), dtype)
