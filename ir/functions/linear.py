"""Matrix products and convolutions."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.functions.elementwise import multiply, not_equal
from lxc.ir.functions.promotion import (
    as_operand,
    broadcast_operand,
    broadcast_shapes,
    common_type,
)
from lxc.ir.functions.shape import Axes, axis_of, reshape
from lxc.ir.ops import contract as ops
from lxc.ir.tensor import Operand, apply, implements, lifted, shape_of, type_of


def typed_alike(x: Any, y: Any) -> tuple[Operand, Operand]:
    """Return two operands in their common element type."""
    dtype = common_type((x, y))
    left, right = lifted((as_operand(x, dtype), as_operand(y, dtype)))
    return left, right


def of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a product that also takes bools: whether some pair of elements is true."""

    @wraps(function)
    def product(x: Any, y: Any, *args: Any, **options: Any) -> Any:
        if common_type((x, y)) != np.bool_:
            return function(x, y, *args, **options)
        left, right = (as_operand(operand, np.dtype(np.int64)) for operand in (x, y))
        return not_equal(function(left, right, *args, **options), 0)

    return product


@implements(np.matmul)
@of_numbers
def matmul(x: Any, y: Any) -> Any:
    """Return the matrix product over the last axis of x and the last but one of y.

    Vectors count as a row on the left and a column on the right; leading axes broadcast.
    """
    x, y = typed_alike(x, y)
    left, right = shape_of(x), shape_of(y)
    if not left or not right:
        raise Mismatch(
            "y", "at least one axis", type_of(y), because="matmul takes matrices"
        )
    if len(left) == 1:
        return reshape(matmul(reshape(x, (1, *left)), y), product_shape(left, right))
    if len(right) == 1:
        return reshape(matmul(x, reshape(y, (*right, 1))), product_shape(left, right))
    if len(right) == 2:
        return tensordot(x, y, ((-1,), (0,)))
    batch = broadcast_shapes(left[:-2], right[:-2])
    count = len(batch)
    return apply(
        ops.dot_general,
        broadcast_operand(x, (*batch, *left[-2:])),
        broadcast_operand(y, (*batch, *right[-2:])),
        lhs_batch=tuple(range(count)),
        rhs_batch=tuple(range(count)),
        lhs_contract=(count + 1,),
        rhs_contract=(count,),
    )


def product_shape(left: tuple[Any, ...], right: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the shape of a product with a vector."""
    if len(right) == 1:
        return left[:-1]
    return (*right[:-2], right[-1])


@implements(np.tensordot)
@of_numbers
def tensordot(x: Any, y: Any, axes: int | tuple[Axes, Axes] = 2) -> Any:
    """Return sums of products over pairs of axes: the last n and first n, or named ones."""
    x, y = typed_alike(x, y)
    left_rank, right_rank = len(shape_of(x)), len(shape_of(y))
    if isinstance(axes, int):
        axes = (tuple(range(left_rank - axes, left_rank)), tuple(range(axes)))
    left, right = ((a,) if isinstance(a, int) else a for a in axes)
    return apply(
        ops.dot_general,
        x,
        y,
        lhs_batch=(),
        rhs_batch=(),
        lhs_contract=tuple(axis_of(axis, left_rank) for axis in left),
        rhs_contract=tuple(axis_of(axis, right_rank) for axis in right),
    )


@implements(np.dot)
def dot(x: Any, y: Any) -> Any:
    """Return the product over the last axis of x and the last but one (or only) of y.

    A scalar multiplies every element.
    """
    if not shape_of(x) or not shape_of(y):
        return multiply(x, y)
    return tensordot(x, y, ((-1,), (max(len(shape_of(y)) - 2, 0),)))


def conv(
    x: Any,
    weight: Any,
    *,
    strides: Sequence[int],
    padding: Sequence[tuple[Any, Any]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    groups: int = 1,
) -> Any:
    """Return x [N, C, *spatial] cross-correlated with weight [O, C/groups, *taps]."""
    rank = len(shape_of(weight)) - 2
    return apply(
        ops.conv,
        x,
        weight,
        strides=tuple(strides),
        padding=tuple((low, high) for low, high in padding),
        lhs_dilation=tuple(lhs_dilation or (1,) * rank),
        rhs_dilation=tuple(rhs_dilation or (1,) * rank),
        groups=groups,
    )
