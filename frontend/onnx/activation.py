"""Activations of ONNX, by the functions that layers use."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from lxc.errors import LxcError
from lxc.frontend import activations
from lxc.frontend.onnx.operator import Operator, operator_of, unary
from lxc.frontend.onnx.values import Known
from lxc.ir import functions as ops
from lxc.ir.functions.half import in_float32


def leaky_relu(x: Any, *, alpha: float = 0.01) -> Any:
    """Return x where it is positive, alpha * x elsewhere."""
    return activations.leakyrelu(x, alpha)


def prelu(x: Any, slope: Any) -> Any:
    """Return x where it is not negative, slope * x elsewhere."""
    return ops.where(ops.less(x, 0), ops.multiply(x, slope), x)


def elu(x: Any, *, alpha: float = 1.0) -> Any:
    """Return x where it is positive, alpha * (exp(x) - 1) elsewhere."""
    return activations.elu(x, alpha)


def celu(x: Any, *, alpha: float = 1.0) -> Any:
    """Return max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""
    return activations.celu(x, alpha)


def selu(
    x: Any,
    *,
    alpha: float = activations.SELU_ALPHA,
    gamma: float = activations.SELU_SCALE,
) -> Any:
    """Return gamma * elu(x, alpha)."""
    return ops.astype(ops.multiply(activations.elu(x, alpha), gamma), x.dtype)


@in_float32
def hard_sigmoid(x: Any, *, alpha: float = 0.2, beta: float = 0.5) -> Any:
    """Return alpha * x + beta limited to [0, 1]."""
    return ops.clip(ops.add(ops.multiply(x, alpha), beta), 0, 1)


def gelu(x: Any, *, approximate: Literal["none", "tanh"] = "none") -> Any:
    """Return gelu by erf, or by tanh."""
    if approximate == "tanh":
        return activations.gelu_tanh(x)
    return activations.gelu_erf(x)


@in_float32
def swish(x: Any, *, alpha: float = 1.0) -> Any:
    """Return x * sigmoid(alpha * x)."""
    inner = x if alpha == 1 else ops.multiply(x, alpha)
    return ops.multiply(x, ops.sigmoid(inner))


def thresholded_relu(x: Any, *, alpha: float = 1.0) -> Any:
    """Return x where it is above alpha, 0 elsewhere."""
    return activations.thresholdrelu(x, alpha)


def shrink(x: Any, *, bias: float = 0.0, lambd: float = 0.5) -> Any:
    """Return x moved towards 0 by `bias`, and 0 within `lambd` of it."""
    low, high = ops.add(x, bias), ops.subtract(x, bias)
    inner = ops.where(ops.greater(x, lambd), high, 0)
    return ops.astype(ops.where(ops.less(x, -lambd), low, inner), x.dtype)


def softmax(x: Any, *, axis: int = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along an axis."""
    return ops.softmax(x, axis)


def log_softmax(x: Any, *, axis: int = -1) -> Any:
    """Return the logarithm of the softmax along an axis."""
    return ops.log_softmax(x, axis)


def hardmax(x: Any, *, axis: int = -1) -> Any:
    """Return 1 where the first maximum along an axis stands, and 0 elsewhere."""
    size = x.shape[axis]
    return ops.one_hot(ops.argmax(x, axis), size, axis=axis, dtype=x.dtype)


def dropout(
    x: Any,
    ratio: Known = 0.5,
    training_mode: Known = False,
    *,
    seed: int = 0,
    output_count: int = 1,
) -> Any:
    """Return x, and that all of it is kept: nothing is dropped outside of training."""
    if np.any(training_mode) and np.any(ratio):
        raise LxcError("LXC-E0114", "Dropout is in training mode, which is not imported")
    return (x, ops.equal(ops.zeros_like(x), 0)) if output_count > 1 else x


ACTIVATIONS: Mapping[str, Operator] = {
    "Celu": operator_of(celu),
    "Dropout": operator_of(dropout, outputs=2),
    "Elu": operator_of(elu),
    "Gelu": operator_of(gelu),
    "HardSigmoid": operator_of(hard_sigmoid),
    "HardSwish": unary(activations.hardswish),
    "Hardmax": operator_of(hardmax),
    "LeakyRelu": operator_of(leaky_relu),
    "LogSoftmax": operator_of(log_softmax),
    "Mish": unary(activations.mish),
    "PRelu": operator_of(prelu),
    "Relu": unary(activations.relu),
    "Selu": operator_of(selu),
    "Shrink": operator_of(shrink),
    "Sigmoid": unary(ops.sigmoid),
    "Softmax": operator_of(softmax),
    "Softplus": unary(activations.softplus),
    "Softsign": unary(activations.softsign),
    "Swish": operator_of(swish),
    "ThresholdedRelu": operator_of(thresholded_relu),
}
