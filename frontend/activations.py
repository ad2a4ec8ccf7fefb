"""Elementwise functions that layers take as activation: NNlib's names and definitions.

Half types are computed in float32 and rounded once, at the end.
"""

from collections.abc import Callable
from math import log, pi
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir import functions as ops
from lxc.ir.functions.half import in_float32

Activation = Callable[[Any], Any]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def identity(x: Any) -> Any:
    """Return x; as an activation it adds nothing to the graph."""
    return x


def relu(x: Any) -> Any:
    """Return max(0, x); NaN stays NaN."""
    return ops.maximum(x, 0)


def relu6(x: Any) -> Any:
    """Return min(max(0, x), 6)."""
    return ops.clip(x, 0, 6)


@in_float32
def leakyrelu(x: Any, slope: float = 0.01) -> Any:
    """Return x where it is positive, slope * x elsewhere."""
    return ops.where(ops.greater(x, 0), x, ops.multiply(x, slope))


@in_float32
def rrelu(x: Any, low: float = 1 / 8, high: float = 1 / 3) -> Any:
    """Return leakyrelu with the mean of both slopes, as torch does outside training.

    Differs from NNlib.jl, where every element of every call draws a slope between `low` and
    `high`, because an activation has no key to draw from and layers are pure.
    """
    return leakyrelu(x, (low + high) / 2)


@in_float32
def trelu(x: Any, theta: float = 1.0) -> Any:
    """Return x where it is above theta, 0 elsewhere; NaN stays NaN."""
    return ops.where(ops.less_equal(x, theta), 0, x)


thresholdrelu = trelu


@in_float32
def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where it is positive, alpha * (exp(x) - 1) elsewhere."""
    return ops.where(
        ops.greater(x, 0), x, ops.multiply(ops.expm1(ops.minimum(x, 0)), alpha)
    )


@in_float32
def selu(x: Any) -> Any:
    """Return the self-normalising elu: Klambauer et al., 2017."""
    return ops.multiply(elu(x, SELU_ALPHA), SELU_SCALE)


@in_float32
def celu(x: Any, alpha: float = 1.0) -> Any:
    """Return max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""
    below = ops.multiply(ops.expm1(ops.minimum(ops.divide(x, alpha), 0)), alpha)
    return ops.add(ops.maximum(x, 0), below)


@in_float32
def gelu(x: Any) -> Any:
    """Return NNlib's gelu: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))."""
    inner = ops.multiply(
        ops.add(x, ops.multiply(ops.power(x, 3), 0.044715)), (2 / pi) ** 0.5
    )
    return ops.multiply(ops.multiply(x, 0.5), ops.add(ops.tanh(inner), 1.0))


gelu_tanh = gelu


@in_float32
def gelu_sigmoid(x: Any) -> Any:
    """Return x * sigmoid(1.702 x), the cheapest of the three forms of gelu."""
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, 1.702)))


@in_float32
def gelu_erf(x: Any) -> Any:
    """Return the exact gelu: 0.5 x (1 + erf(x / sqrt(2)))."""
    return ops.multiply(
        ops.multiply(x, 0.5), ops.add(ops.erf(ops.multiply(x, 0.5**0.5)), 1.0)
    )


@in_float32
def swish(x: Any) -> Any:
    """Return x * sigmoid(x)."""
    return ops.multiply(x, ops.sigmoid(x))


silu = swish


@in_float32
def hardswish(x: Any) -> Any:
    """Return x * hardsigmoid(x)."""
    return ops.multiply(x, hardsigmoid(x))


@in_float32
def lisht(x: Any) -> Any:
    """Return x * tanh(x)."""
    return ops.multiply(x, ops.tanh(x))


@in_float32
def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)) without overflow."""
    return ops.add(ops.maximum(x, 0), ops.log1p(ops.exp(ops.negative(ops.absolute(x)))))


@in_float32
def softsign(x: Any) -> Any:
    """Return x / (1 + |x|)."""
    return ops.divide(x, ops.add(ops.absolute(x), 1))


def hardtanh(x: Any) -> Any:
    """Return x limited to [-1, 1]."""
    return ops.clip(x, -1, 1)


@in_float32
def hardsigmoid(x: Any) -> Any:
    """Return (x + 3) / 6 limited to [0, 1]."""
    return ops.divide(ops.clip(ops.add(x, 3), 0, 6), 6)


@in_float32
def mish(x: Any) -> Any:
    """Return x * tanh(softplus(x))."""
    return ops.multiply(x, ops.tanh(softplus(x)))


@in_float32
def logsigmoid(x: Any) -> Any:
    """Return log(sigmoid(x)) without overflow."""
    return ops.negative(softplus(ops.negative(x)))


@in_float32
def logcosh(x: Any) -> Any:
    """Return log(cosh(x)) without overflow, and precise around 0, where it is x^2 / 2."""
    size = ops.absolute(x)
    slope = ops.tanh(ops.minimum(size, 1))
    near = ops.multiply(ops.log1p(ops.negative(ops.multiply(slope, slope))), -0.5)
    tail = ops.log1p(ops.exp(ops.multiply(size, -2.0)))
    far = ops.subtract(ops.add(size, tail), log(2))
    return ops.where(ops.less(size, 1), near, far)


@in_float32
def tanhshrink(x: Any) -> Any:
    """Return x - tanh(x)."""
    return ops.subtract(x, ops.tanh(x))


@in_float32
def softshrink(x: Any, width: float = 0.5) -> Any:
    """Return x moved towards 0 by `width`, and 0 where it is no further away."""
    return ops.subtract(x, ops.clip(x, -width, width))


@in_float32
def hardshrink(x: Any, width: float = 0.5) -> Any:
    """Return x where it is further than `width` from 0, 0 elsewhere; NaN stays NaN."""
    return ops.where(ops.less_equal(ops.absolute(x), width), 0, x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent, within 2 ULP."""
    return ops.tanh(x)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), within 2 ULP."""
    return ops.sigmoid(x)


def tanh_fast(x: Any) -> Any:
    """Return the hyperbolic tangent, within 8 ULP."""
    return ops.tanh(x, fast=True)


def sigmoid_fast(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), within 8 ULP."""
    return ops.sigmoid(x, fast=True)


FAST: tuple[tuple[Activation, Activation], ...] = (
    (tanh, tanh_fast),
    (np.tanh, tanh_fast),
    (ops.tanh, tanh_fast),
    (sigmoid, sigmoid_fast),
    (ops.sigmoid, sigmoid_fast),
)


def choose(activation: Activation, allow_fast: bool) -> Activation:
    """Return the faster tanh or sigmoid if allowed, any other function as it is."""
    if not callable(activation):
        raise LxcError(
            "LXC-E0101",
            "an activation is a function",
            actual=f"activation: {activation!r}",
            hint="give one of lxc.nn, as nn.relu, or a function of one array",
        )
    if not allow_fast:
        return activation
    # Compared by identity: any callable is allowed, also one that has no hash.
    return next((fast for slow, fast in FAST if slow is activation), activation)
