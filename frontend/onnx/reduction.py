"""Reductions of ONNX along axes, and running sums."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.values import Known, whole_numbers
from lxc.ir import functions as ops
from lxc.ir.functions.reduce import summing_type

Reduce: TypeAlias = Callable[[Any, tuple[int, ...] | None, bool], Any]


def reduction(function: Reduce) -> Operator:
    """Return the operator that reduces along axes, given as an input or an attribute."""

    def apply(
        data: Any, axes: Known = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
    ) -> Any:
        along = () if axes is None else whole_numbers(axes, "an axis")
        chosen = along if along or noop_with_empty_axes else None
        result = function(data, chosen, bool(keepdims))
        return ops.astype(result, data.dtype)

    return operator_of(apply)


def total(x: Any, axes: Any, keepdims: bool) -> Any:
    """Return sums, in the type of x."""
    return ops.sum(x, axes, x.dtype, keepdims=keepdims)


def product(x: Any, axes: Any, keepdims: bool) -> Any:
    """Return products, in the type of x."""
    return ops.prod(x, axes, x.dtype, keepdims=keepdims)


def squares(x: Any, axes: Any, keepdims: bool) -> Any:
    """Return sums of squares, float32 for half types."""
    wide = summing_type(x)
    return total(ops.multiply(wide, wide), axes, keepdims)


def norm(x: Any, axes: Any, keepdims: bool) -> Any:
    """Return roots of sums of squares."""
    return ops.sqrt(squares(as_floats(x), axes, keepdims))


def as_floats(x: Any) -> Any:
    """Return floats as they are, integers as float64."""
    return x if x.dtype.kind not in "iu" else ops.astype(x, np.float64)


REDUCTIONS: Mapping[str, Operator] = {
    "ReduceL1": reduction(lambda x, axes, keep: total(ops.absolute(x), axes, keep)),
    "ReduceL2": reduction(norm),
    "ReduceLogSum": reduction(
        lambda x, axes, keep: ops.log(total(as_floats(summing_type(x)), axes, keep))
    ),
    "ReduceLogSumExp": reduction(
        lambda x, axes, keep: ops.logsumexp(summing_type(x), axes, keepdims=keep)
    ),
    "ReduceMax": reduction(lambda x, axes, keep: ops.max(x, axes, keepdims=keep)),
    "ReduceMean": reduction(lambda x, axes, keep: ops.mean(x, axes, keepdims=keep)),
    "ReduceMin": reduction(lambda x, axes, keep: ops.min(x, axes, keepdims=keep)),
    "ReduceProd": reduction(product),
    "ReduceSum": reduction(total),
    "ReduceSumSquare": reduction(squares),
}


def place(function: Callable[..., Any]) -> Operator:
    """Return the operator that says where the extreme along an axis stands."""

    def apply(
        data: Any, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
    ) -> Any:
        if not select_last_index:
            return function(data, axis, keepdims=bool(keepdims))
        found = function(ops.flip(data, axis), axis, keepdims=bool(keepdims))
        last = np.asarray(data.shape[axis] - 1, np.int64)
        return ops.subtract(last, found)

    return operator_of(apply)


def running(function: Callable[..., Any], neutral: int) -> Operator:
    """Return the operator of all partial results along an axis."""

    def apply(x: Any, axis: Known, *, exclusive: int = 0, reverse: int = 0) -> Any:
        (along,) = whole_numbers(axis, "the axis")
        y = ops.flip(x, along) if reverse else x
        if exclusive:
            sizes = [1 if i == along % x.ndim else n for i, n in enumerate(x.shape)]
            first = ops.full(tuple(sizes), neutral, x.dtype)
            rest = [slice(None)] * x.ndim
            rest[along] = slice(0, x.shape[along] - 1)
            y = ops.concatenate([first, y[tuple(rest)]], along)
        y = function(y, along, x.dtype)
        return ops.flip(y, along) if reverse else y

    return operator_of(apply)


PLACES: Mapping[str, Operator] = {
    "ArgMax": place(ops.argmax),
    "ArgMin": place(ops.argmin),
    "CumProd": running(ops.cumprod, 1),
    "CumSum": running(ops.cumsum, 0),
}
