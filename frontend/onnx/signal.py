"""Operators of ONNX on signals: windows and Fourier transforms, as products of matrices.

A complex number is a pair along the last axis.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.making import check_elements
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.types import element_type
from lxc.frontend.onnx.values import Known, number, whole_numbers
from lxc.ir import functions as ops
from lxc.ir.functions.reduce import summing_type
from lxc.ir.functions.shape import narrow
from lxc.ir.tensor import lifted, shape_of
from lxc.ir.types import Array


def dft(
    x: Any,
    dft_length: Known = None,
    axis: Known = None,
    *,
    inverse: int = 0,
    onesided: int = 0,
    opset: int,
) -> Any:
    """Return the Fourier transform of x along one axis, or the inverse of one."""
    given = (1 if opset < 20 else -2) if axis is None else int(np.asarray(axis).item())
    place = given % x.ndim
    size, parts = (number(entry, "the size of a signal") for entry in check_parts(x, place))
    # Half of a spectrum stands for all of it.
    length = 2 * (size - 1) if inverse and onesided else size
    if dft_length is not None:
        (length,) = whole_numbers(dft_length, "the length of a transform")
    read = length // 2 + 1 if inverse and onesided else length
    y = fitted(summing_type(x), place, size, read)
    factors = factors_of(length, parts, bool(inverse), bool(onesided))
    rows = ops.moveaxis(y, place, -2)
    spectrum = ops.tensordot(rows, factors.astype(y.dtype), ((-2, -1), (0, 1)))
    return ops.astype(ops.moveaxis(spectrum, -2, place), x.dtype)


def check_parts(x: Any, place: int) -> tuple[Any, Any]:
    """Return the sizes of an axis and of the last one, which holds one number or a pair."""
    parts = shape_of(x)[-1]
    if place == x.ndim - 1 or parts not in (1, 2):
        raise LxcError(
            "LXC-E0103",
            "the last axis of a signal holds real numbers, or pairs for complex ones",
            expected="[..., N, 1] or [..., N, 2], transformed along another axis",
            actual=f"{list(shape_of(x))}, transformed along axis {place}",
        )
    return shape_of(x)[place], parts


def fitted(x: Any, axis: int, size: int, length: int) -> Any:
    """Return x cut off behind `length` entries of an axis, or with zeros up to there."""
    if length <= size:
        return narrow(x, axis, 0, length)
    pairs = [(0, length - size if place == axis else 0) for place in range(x.ndim)]
    return ops.pad(x, tuple(pairs))


def factors_of(length: int, parts: int, inverse: bool, onesided: bool) -> Array:
    """Return the factors [entry read, its part, entry, its part] of a transform."""
    if length < 1:
        raise LxcError("LXC-E0103", "a transform has at least one entry")
    half = length // 2 + 1
    read = half if inverse and onesided else length
    made = half if onesided and not inverse else length
    check_elements((read, parts, made, 2))
    turns = np.outer(np.arange(read), np.arange(made)) % length / length
    angle = (2 if inverse else -2) * np.pi * turns
    real, imaginary = np.cos(angle), np.sin(angle)
    factors = np.stack(
        [np.stack([real, imaginary], -1), np.stack([-imaginary, real], -1)], 1
    )
    if inverse:
        factors /= length
    if inverse and onesided:
        # The other half is the conjugate: twice the real part, but for what has no twin.
        twins = np.full((read, 1, 1, 1), 2.0)
        twins[0] = 1
        if length % 2 == 0:
            twins[-1] = 1
        factors = (factors * twins)[..., :1]
    return np.asarray(factors[:, :parts])


def stft(
    signal: Any,
    frame_step: Known,
    window: Any = None,
    frame_length: Known = None,
    *,
    onesided: int = 1,
) -> Any:
    """Return the transforms of frames of a signal [N, T, 1], each times a window."""
    (step,) = whole_numbers(frame_step, "the step between frames")
    if frame_length is not None:
        (length,) = whole_numbers(frame_length, "the length of a frame")
    else:
        framed = shape_of(signal)[1] if window is None else shape_of(window)[0]
        length = number(framed, "the length of a frame")
    parts = number(check_parts(signal, 1)[1], "the parts of a signal")
    factors = factors_of(length, parts, inverse=False, onesided=bool(onesided))
    bins = factors.shape[2]
    kernel: Any = factors.transpose(2, 3, 1, 0).reshape(2 * bins, parts, length)
    x = summing_type(signal)
    kernel = kernel.astype(x.dtype)
    if window is not None:
        x, window, kernel = lifted((x, window, kernel))
        kernel = ops.multiply(kernel, summing_type(window))
    # Every frame is a place of a convolution, every part of a frequency a channel.
    y = ops.conv(ops.swapaxes(x, 1, 2), kernel, strides=(step,), padding=[(0, 0)])
    batch, _, frames = shape_of(y)
    split = ops.reshape(y, (batch, bins, 2, frames))
    return ops.astype(ops.transpose(split, (0, 3, 1, 2)), signal.dtype)


def cosines(*weights: float) -> Operator:
    """Return the operator of a window that is a sum of cosines with alternating signs."""

    def window(size: Known, *, output_datatype: int = 1, periodic: int = 1) -> Any:
        (count,) = whole_numbers(size, "the size of a window")
        check_elements((count,))
        steps = count if periodic else count - 1
        angle = 2 * np.pi * np.arange(count) / max(steps, 1)
        y = sum_of(weights, angle)
        return y.astype(element_type(output_datatype))

    return operator_of(window)


def sum_of(weights: Sequence[float], angle: Array) -> Array:
    """Return the sum of cosines of an angle's multiples, with alternating signs."""
    terms = [(-1) ** i * w * np.cos(i * angle) for i, w in enumerate(weights)]
    return np.asarray(np.sum(terms, 0))


HAMMING = 25 / 46
SIGNALS: Mapping[str, Operator] = {
    "BlackmanWindow": cosines(0.42, 0.5, 0.08),
    "DFT": operator_of(dft),
    "HammingWindow": cosines(HAMMING, 1 - HAMMING),
    "HannWindow": cosines(0.5, 0.5),
    "STFT": operator_of(stft),
}
