"""NumPy's functions of diagonals and triangles of matrices."""

from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Size, size
from lxc.ir.dispatch import makes
from lxc.ir.functions.counting import axis_length, counter
from lxc.ir.functions.elementwise import add, astype, equal, less_equal, multiply, where
from lxc.ir.functions.padding import pad
from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.functions.reduce import sum
from lxc.ir.functions.shape import axis_of, expand_dims, moveaxis, narrow, reshape
from lxc.ir.ops import shape as ops
from lxc.ir.ops.gather import gather
from lxc.ir.tensor import apply, implements, shape_of


def places(like: Any, rows: Size, columns: Size, offset: int) -> tuple[Any, Any]:
    """Return for each element of a matrix its row, moved by `offset`, and its column."""
    shape = (rows, columns)
    return add(counter(like, shape, 0), offset), counter(like, shape, 1)


@makes(np.eye)
def eye(
    N: Any,  # noqa: N803 - NumPy's name
    M: Any = None,  # noqa: N803 - NumPy's name
    k: int = 0,
    dtype: Any = float,
    *,
    like: Any = None,
) -> Any:
    """Return N rows and M columns with ones on the k-th diagonal and zeros elsewhere."""
    return astype(equal(*places(like, size(N), size(N if M is None else M), k)), dtype)


@makes(np.identity)
def identity(n: Any, dtype: Any = float, *, like: Any = None) -> Any:
    """Return n rows and columns with ones on the diagonal and zeros elsewhere."""
    return eye(n, dtype=float if dtype is None else dtype, like=like)


@makes(np.tri)
def tri(
    N: Any,  # noqa: N803 - NumPy's name
    M: Any = None,  # noqa: N803 - NumPy's name
    k: int = 0,
    dtype: Any = float,
    *,
    like: Any = None,
) -> Any:
    """Return N rows and M columns with ones on and below the k-th diagonal, else zeros."""
    row, column = places(like, size(N), size(N if M is None else M), k)
    return astype(less_equal(column, row), dtype)


@implements(np.tril)
def tril(x: Any, k: int = 0) -> Any:
    """Return matrices with zeros above the k-th diagonal."""
    x = as_operand(x, common_type((x,)))
    rows, columns = (shape_of(x) * 2)[-2:]
    row, column = places(x, rows, columns, k)
    return where(less_equal(column, row), x, np.zeros((), x.dtype))


@implements(np.triu)
def triu(x: Any, k: int = 0) -> Any:
    """Return matrices with zeros below the k-th diagonal."""
    x = as_operand(x, common_type((x,)))
    rows, columns = (shape_of(x) * 2)[-2:]
    row, column = places(x, rows, columns, k)
    return where(less_equal(row, column), x, np.zeros((), x.dtype))


@implements(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonals of the matrices along two axes, as the last axis."""
    x = as_operand(x, common_type((x,)))
    rank = len(shape_of(x))
    first, second = axis_of(axis1, rank), axis_of(axis2, rank)
    if first == second:
        raise LxcError("LXC-E0103", "a diagonal lies along two different axes")
    x = moveaxis(x, (first, second), (-2, -1))
    x = skipped(skipped(x, rank - 1, offset), rank - 2, -offset)
    *outer, rows, columns = shape_of(x)
    if isinstance(rows, int) and isinstance(columns, int):
        rows = columns = min(rows, columns)
        x = narrow(narrow(x, rank - 2, 0, rows), rank - 1, 0, rows)
    elif rows != columns:
        raise LxcError(
            "LXC-E0103",
            "the length of the diagonal is not known",
            expected="two known sizes, or twice the same",
            actual=f"{rows} and {columns}",
        )
    flat = reshape(x, (*outer, rows * columns))
    if isinstance(rows, int):
        return every(flat, rows + 1)
    length = axis_length(x, rank - 1)
    place = multiply(counter(x, (rows,), 0), add(length, 1))
    return apply(gather, flat, place, axis=rank - 2)


def skipped(x: Any, axis: int, count: int) -> Any:
    """Return `x` without the first entries of an axis; a negative count leaves all."""
    entry = shape_of(x)[axis]
    if count <= 0:
        return x
    return narrow(x, axis, min(count, entry) if isinstance(entry, int) else count, entry)


def every(x: Any, step: int) -> Any:
    """Return every entry of the last axis at a multiple of `step`."""
    shape = shape_of(x)
    steps = (*(1,) * (len(shape) - 1), step)
    return apply(ops.slice, x, start=(0,) * len(shape), stop=shape, step=steps)


@implements(np.trace)
def trace(
    x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None
) -> Any:
    """Return the sums of the diagonals along two axes."""
    return sum(diagonal(x, offset, axis1, axis2), -1, dtype)


@implements(np.diag)
def diag(x: Any, k: int = 0) -> Any:
    """Return the k-th diagonal of a matrix, or the matrix with a vector on its diagonal."""
    x = as_operand(x, common_type((x,)))
    shape = shape_of(x)
    if len(shape) == 2:
        return diagonal(x, k)
    if len(shape) != 1:
        raise LxcError("LXC-E0103", "diag takes a vector or a matrix", actual=str(shape))
    whole = pad(x, ((max(-k, 0), max(k, 0)),))
    count = shape[0] + abs(k)
    on_diagonal = equal(*places(x, count, count, k))
    return where(on_diagonal, expand_dims(whole, 1), np.zeros((), x.dtype))


@implements(np.diagflat)
def diagflat(x: Any, k: int = 0) -> Any:
    """Return the matrix with all elements of `x` on its k-th diagonal."""
    return diag(reshape(x, (-1,)), k)
