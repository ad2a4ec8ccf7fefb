"""Elementwise operators of ONNX on numbers and bools."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Literal

import numpy as np

from lxc.frontend.onnx.operator import Operator, binary, operator_of, unary
from lxc.frontend.onnx.types import element_type
from lxc.ir import functions as ops


def is_integer(x: Any) -> bool:
    """Return whether the elements are integers."""
    return x.dtype.kind in "iu"


def divide(x: Any, y: Any) -> Any:
    """Return the quotient; that of integers is truncated."""
    if not is_integer(x):
        return ops.divide(x, y)
    if x.dtype.kind == "u":
        return ops.floor_divide(x, y)
    return ops.floor_divide(ops.subtract(x, ops.fmod(x, y)), y)


def power(x: Any, y: Any) -> Any:
    """Return x to the power y, in the type of x."""
    exponent = float(y.reshape(())) if isinstance(y, np.ndarray) and y.size == 1 else y
    if isinstance(exponent, float) and y.ndim > x.ndim:
        x = ops.reshape(x, (*(1,) * (y.ndim - x.ndim), *x.shape))
    if is_integer(x):
        wide = ops.power(ops.astype(x, np.float64), exponent)
        return ops.astype(wide, x.dtype)
    if not isinstance(exponent, float):
        exponent = ops.astype(y, x.dtype)
    return ops.power(x, exponent)


def modulo(x: Any, y: Any, *, fmod: int = 0) -> Any:
    """Return the remainder, with the sign of y, or with `fmod` that of x."""
    return ops.fmod(x, y) if fmod else ops.remainder(x, y)


def bit_shift(x: Any, y: Any, *, direction: Literal["LEFT", "RIGHT"]) -> Any:
    """Return x with its bits moved by y places."""
    return ops.left_shift(x, y) if direction == "LEFT" else ops.right_shift(x, y)


def is_infinite(x: Any, *, detect_negative: int = 1, detect_positive: int = 1) -> Any:
    """Return where x is infinite with a sign that is looked for."""
    signs = (detect_negative, detect_positive)
    if all(signs):
        return ops.isinf(x)
    if not any(signs):
        return ops.astype(ops.zeros_like(x), np.bool_)
    return ops.isneginf(x) if detect_negative else ops.isposinf(x)


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """Return x limited to [min, max]; NaN stays NaN, and max wins over min."""
    if min is not None:
        x = ops.maximum(x, scalar(min))
    return x if max is None else ops.minimum(x, scalar(max))


def scalar(x: Any) -> Any:
    """Return the only element of x without axes."""
    return ops.reshape(x, ())


def cast(x: Any, *, to: int, saturate: int = 1, round_mode: Literal["up"] = "up") -> Any:
    """Return x with elements of another type."""
    return ops.astype(x, element_type(to))


def cast_like(
    x: Any, target_type: Any, *, saturate: int = 1, round_mode: Literal["up"] = "up"
) -> Any:
    """Return x with elements of the type of another value."""
    return ops.astype(x, target_type.dtype)


def folded(function: Callable[[Any, Any], Any]) -> Operator:
    """Return the operator that takes any number of operands, two at a time."""

    def apply(*xs: Any) -> Any:
        return reduce(function, xs)

    return operator_of(apply)


def mean(*xs: Any) -> Any:
    """Return the mean of operands, element by element."""
    return ops.divide(reduce(ops.add, xs), len(xs))


def sign(x: Any) -> Any:
    """Return -1, 0 or 1; NaN stays NaN."""
    return ops.astype(ops.sign(x), x.dtype)


ELEMENTWISE: Mapping[str, Operator] = {
    "Abs": unary(ops.absolute),
    "Acos": unary(ops.arccos),
    "Acosh": unary(ops.arccosh),
    "Add": binary(ops.add),
    "And": binary(ops.logical_and),
    "Asin": unary(ops.arcsin),
    "Asinh": unary(ops.arcsinh),
    "Atan": unary(ops.arctan),
    "Atanh": unary(ops.arctanh),
    "BitShift": operator_of(bit_shift),
    "BitwiseAnd": binary(ops.bitwise_and),
    "BitwiseNot": unary(ops.bitwise_not),
    "BitwiseOr": binary(ops.bitwise_or),
    "BitwiseXor": binary(ops.bitwise_xor),
    "Cast": operator_of(cast),
    "CastLike": operator_of(cast_like),
    "Ceil": unary(ops.ceil),
    "Clip": operator_of(clip),
    "Cos": unary(ops.cos),
    "Cosh": unary(ops.cosh),
    "Div": operator_of(divide),
    "Equal": binary(ops.equal),
    "Erf": unary(ops.erf),
    "Exp": unary(ops.exp),
    "Floor": unary(ops.floor),
    "Greater": binary(ops.greater),
    "GreaterOrEqual": binary(ops.greater_equal),
    "IsInf": operator_of(is_infinite),
    "IsNaN": unary(ops.isnan),
    "Less": binary(ops.less),
    "LessOrEqual": binary(ops.less_equal),
    "Log": unary(ops.log),
    "Max": folded(ops.maximum),
    "Mean": operator_of(mean),
    "Min": folded(ops.minimum),
    "Mod": operator_of(modulo),
    "Mul": binary(ops.multiply),
    "Neg": unary(ops.negative),
    "Not": unary(ops.logical_not),
    "Or": binary(ops.logical_or),
    "Pow": operator_of(power),
    "Reciprocal": unary(ops.reciprocal),
    "Round": unary(ops.rint),
    "Sign": operator_of(sign),
    "Sin": unary(ops.sin),
    "Sinh": unary(ops.sinh),
    "Sqrt": unary(ops.sqrt),
    "Sub": binary(ops.subtract),
    "Sum": folded(ops.add),
    "Tan": unary(ops.tan),
    "Tanh": unary(ops.tanh),
    "Where": operator_of(lambda condition, x, y: ops.where(condition, x, y)),
    "Xor": binary(ops.logical_xor),
}
