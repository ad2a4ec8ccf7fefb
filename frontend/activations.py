"""Elementwise functions that layers take as activation: NNlib's names and definitions."""

from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np

from lxc.ir import functions as ops

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


def leakyrelu(x: Any, slope: float = 0.01) -> Any:
    """Return max(slope * x, x) for a slope between 0 and 1."""
    return ops.maximum(ops.multiply(x, slope), x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where it is positive, alpha * (exp(x) - 1) elsewhere."""
    return ops.where(
        ops.greater(x, 0), x, ops.multiply(ops.expm1(ops.minimum(x, 0)), alpha)
    )


def selu(x: Any) -> Any:
    """Return the self-normalising elu: Klambauer et al., 2017."""
    return ops.multiply(elu(x, SELU_ALPHA), SELU_SCALE)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """Return max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""
    below = ops.multiply(ops.expm1(ops.minimum(ops.divide(x, alpha), 0)), alpha)
    return ops.add(ops.maximum(x, 0), below)


def gelu(x: Any) -> Any:
    """Return NNlib's gelu: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))."""
    inner = ops.multiply(
        ops.add(x, ops.multiply(ops.power(x, 3), 0.044715)), (2 / pi) ** 0.5
    )
    return ops.multiply(ops.multiply(x, 0.5), ops.add(ops.tanh(inner), 1.0))


def gelu_erf(x: Any) -> Any:
    """Return the exact gelu: 0.5 x (1 + erf(x / sqrt(2)))."""
    return ops.multiply(
        ops.multiply(x, 0.5), ops.add(ops.erf(ops.multiply(x, 0.5**0.5)), 1.0)
    )


def swish(x: Any) -> Any:
    """Return x * sigmoid(x)."""
    return ops.multiply(x, ops.sigmoid(x))


silu = swish


def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)) without overflow."""
    return ops.add(ops.maximum(x, 0), ops.log1p(ops.exp(ops.negative(ops.absolute(x)))))


def softsign(x: Any) -> Any:
    """Return x / (1 + |x|)."""
    return ops.divide(x, ops.add(ops.absolute(x), 1))


def hardtanh(x: Any) -> Any:
    """Return x limited to [-1, 1]."""
    return ops.clip(x, -1, 1)


def hardsigmoid(x: Any) -> Any:
    """Return (x + 3) / 6 limited to [0, 1]."""
    return ops.divide(ops.clip(ops.add(x, 3), 0, 6), 6)


def mish(x: Any) -> Any:
    """Return x * tanh(softplus(x))."""
    return ops.multiply(x, ops.tanh(softplus(x)))


def logsigmoid(x: Any) -> Any:
    """Return log(sigmoid(x)) without overflow."""
    return ops.negative(softplus(ops.negative(x)))


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


FAST: dict[Any, Activation] = {tanh: tanh_fast, np.tanh: tanh_fast, sigmoid: sigmoid_fast}


def choose(activation: Activation, allow_fast: bool) -> Activation:
    """Return the faster tanh or sigmoid if allowed, any other function as it is."""
    return FAST.get(activation, activation) if allow_fast else activation
