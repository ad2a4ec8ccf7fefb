"""Operators of ONNX on quantised numbers: whole numbers with a scale and a zero point.

Products are summed in int32, which is exact. What is quantised is rounded to the nearest
whole number, ties to even, and limited to the range of its type.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.convolution import AutoPad, conv
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.types import element_type
from lxc.frontend.onnx.values import number
from lxc.ir import functions as ops
from lxc.ir.functions.reduce import summing_type
from lxc.ir.tensor import lifted, shape_of

LARGEST_BYTE = 255


def quantize_linear(
    x: Any,
    y_scale: Any,
    y_zero_point: Any = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
    saturate: int = 1,
) -> Any:
    """Return x / scale + zero point as whole numbers."""
    wide = np.dtype(np.float64) if element(y_scale) == np.float64 else np.dtype(np.float32)
    if precision:
        wide = element_type(precision)
    scale = ops.astype(along(x, y_scale, axis, block_size), wide)
    quotient = summing_type(ops.divide(ops.astype(x, wide), scale))
    if y_zero_point is not None:
        kind = element(y_zero_point)
        return limited(quotient, along(x, y_zero_point, axis, block_size), kind)
    return limited(quotient, None, element_type(output_dtype or 2))


def dequantize_linear(
    x: Any,
    x_scale: Any,
    x_zero_point: Any = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
) -> Any:
    """Return (x - zero point) * scale."""
    kind = element_type(output_dtype) if output_dtype else element(x_scale)
    scale = summing_type(along(x, x_scale, axis, block_size))
    zero = along(x, x_zero_point, axis, block_size)
    return ops.astype(ops.multiply(ops.astype(shifted(x, zero), scale.dtype), scale), kind)


def dynamic_quantize_linear(x: Any) -> tuple[Any, Any, Any]:
    """Return x as bytes, with the scale and the zero point that its range asks for."""
    low, high = ops.minimum(ops.min(x), 0), ops.maximum(ops.max(x), 0)
    step = ops.divide(ops.subtract(high, low), np.float32(LARGEST_BYTE))
    # Zeros alone have no range: any scale gives them back.
    scale = ops.where(ops.equal(step, 0), np.float32(1), step)
    zero = limited(ops.divide(ops.negative(low), scale), None, np.dtype(np.uint8))
    return limited(ops.divide(x, scale), zero, np.dtype(np.uint8)), scale, zero


def limited(x: Any, zero: Any, kind: np.dtype[Any]) -> Any:
    """Return x, rounded, plus a zero point, as the nearest numbers of a type."""
    if kind.kind not in "iu":
        raise LxcError("LXC-E0114", "lxc has not all element types", actual=str(kind))
    limits = np.iinfo(kind)
    whole = ops.rint(x)
    moved = whole if zero is None else ops.add(whole, ops.astype(zero, x.dtype))
    return ops.astype(ops.clip(moved, limits.min, limits.max), kind)


def along(x: Any, value: Any, axis: int, block_size: int) -> Any:
    """Return a scale or a zero point in a shape that broadcasts against x.

    One number is for all of x, a vector for an axis; with blocks, each entry is for as many
    neighbours along the axis.
    """
    if value is None or not shape_of(value):
        return value
    shape, place = shape_of(x), axis % len(shape_of(x))
    if block_size:
        length = number(shape[place], "the size of an axis with blocks")
        repeated = ops.repeat(value, min(block_size, length), axis=place)
        return repeated[(slice(None),) * place + (slice(0, length),)]
    if len(shape_of(value)) != 1:
        raise LxcError(
            "LXC-E0103",
            "a scale or a zero point is a number, or a vector along an axis",
            actual=str(list(shape_of(value))),
        )
    return ops.reshape(value, (-1, *(1,) * (len(shape) - place - 1)))


def shifted(x: Any, zero: Any) -> Any:
    """Return x - zero point in int32."""
    wide = ops.astype(x, np.int32)
    return wide if zero is None else ops.subtract(wide, ops.astype(zero, np.int32))


def element(x: Any) -> np.dtype[Any]:
    """Return the element type of an array or a tensor."""
    kind: np.dtype[Any] = x.dtype
    return kind


def matmul_integer(
    a: Any, b: Any, a_zero_point: Any = None, b_zero_point: Any = None
) -> Any:
    """Return the product of two matrices of bytes, each less its zero point."""
    rows = a_zero_point
    if rows is not None and len(shape_of(rows)) == 1:
        rows = ops.reshape(rows, (-1, 1))
    return ops.matmul(shifted(a, rows), shifted(b, b_zero_point))


def conv_integer(
    x: Any,
    weight: Any,
    x_zero_point: Any = None,
    w_zero_point: Any = None,
    *,
    auto_pad: AutoPad = "NOTSET",
    dilations: Sequence[int] | None = None,
    group: int = 1,
    kernel_shape: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Any:
    """Return a convolution of bytes, each less its zero point; edges count as 0."""
    return conv(
        shifted(x, x_zero_point),
        shifted(weight, along(weight, w_zero_point, 0, 0)),
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )


def qlinear_matmul(
    a: Any,
    a_scale: Any,
    a_zero_point: Any,
    b: Any,
    b_scale: Any,
    b_zero_point: Any,
    y_scale: Any,
    y_zero_point: Any,
) -> Any:
    """Return the product of two quantised matrices, quantised again."""
    total = matmul_integer(a, b, a_zero_point, b_zero_point)
    rows = ops.reshape(a_scale, (-1, 1)) if len(shape_of(a_scale)) == 1 else a_scale
    return requantized(total, ops.multiply(rows, b_scale), y_scale, y_zero_point)


def qlinear_conv(
    x: Any,
    x_scale: Any,
    x_zero_point: Any,
    w: Any,
    w_scale: Any,
    w_zero_point: Any,
    y_scale: Any,
    y_zero_point: Any,
    bias: Any = None,
    *,
    auto_pad: AutoPad = "NOTSET",
    dilations: Sequence[int] | None = None,
    group: int = 1,
    kernel_shape: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Any:
    """Return a convolution of quantised numbers, quantised again; the bias is int32."""
    total = conv(
        shifted(x, x_zero_point),
        shifted(w, along(w, w_zero_point, 0, 0)),
        bias,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    scale = ops.multiply(x_scale, along(total, w_scale, 1, 0))
    return requantized(total, scale, y_scale, y_zero_point)


def requantized(total: Any, scale: Any, y_scale: Any, y_zero_point: Any) -> Any:
    """Return sums of products in steps of `scale` as numbers in steps of another one."""
    total, scale, step = lifted((total, scale, y_scale))
    factor = ops.divide(summing_type(scale), summing_type(step))
    return limited(
        ops.multiply(ops.astype(total, factor.dtype), factor),
        y_zero_point,
        element(y_zero_point),
    )


QUANTIZED: Mapping[str, Operator] = {
    "ConvInteger": operator_of(conv_integer),
    "DequantizeLinear": operator_of(dequantize_linear),
    "DynamicQuantizeLinear": operator_of(dynamic_quantize_linear, outputs=3),
    "MatMulInteger": operator_of(matmul_integer),
    "QLinearConv": operator_of(qlinear_conv),
    "QLinearMatMul": operator_of(qlinear_matmul),
    "QuantizeLinear": operator_of(quantize_linear),
}
