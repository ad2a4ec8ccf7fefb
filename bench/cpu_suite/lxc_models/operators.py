"""Single operators and small feed-forward models from lxc's layers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lxc import nn, ops

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": nn.relu,
    "tanh": nn.tanh,
    "sigmoid": nn.sigmoid,
    "gelu": nn.gelu_erf,
    "none": nn.identity,
}
Model = tuple[nn.Layer, Any, Any]


def dense(ps: Any, st: Any, in_features: int, out_features: int) -> Model:
    """Return one dense layer."""
    return nn.Dense(in_features, out_features), ps, st


def convolution(
    ps: Any,
    st: Any,
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    pad: int = 0,
    groups: int = 1,
    rank: int = 2,
    activation: str = "none",
) -> Model:
    """Return one convolution."""
    layer = nn.CrossCor(
        (kernel,) * rank,
        inputs,
        outputs,
        ACTIVATIONS[activation],
        stride=stride,
        pad=pad,
        groups=groups,
    )
    return layer, ps["conv"], st["conv"]


def perceptron(
    ps: Any, st: Any, sizes: Sequence[int], activation: str = "relu", last: str = "none"
) -> Model:
    """Return a chain of dense layers."""
    count = len(sizes) - 1
    names = [activation] * (count - 1) + [last]
    layers = [nn.Dense(sizes[i], sizes[i + 1], ACTIVATIONS[names[i]]) for i in range(count)]
    if count == 1:
        return layers[0], ps["dense"][0], {}
    ps = {f"layer_{i + 1}": ps["dense"][i] for i in range(count)}
    return nn.Chain(*layers), ps, {name: {} for name in ps}


def elementwise(ps: Any, st: Any, function: str) -> Model:
    """Return a function of every element."""
    return nn.WrappedFunction(ACTIVATIONS[function]), ps, st


def softmax(ps: Any, st: Any) -> Model:
    """Return the softmax of the last axis."""
    return nn.WrappedFunction(lambda x: ops.softmax(x, -1)), ps, st


def layer_norm(ps: Any, st: Any, normalized_shape: int) -> Model:
    """Return the norm of the last axis."""
    return nn.LayerNorm(normalized_shape, dims=-1, affine=True), ps, st


def affine(ps: Any, st: Any, features: int) -> Model:
    """Return a factor and a summand for each feature."""
    return nn.Scale(features), {"weight": ps["scale"], "bias": ps["bias"]}, st


def max_pool(ps: Any, st: Any, kernel_size: int) -> Model:
    """Return the maxima of windows."""
    return nn.MaxPool((kernel_size, kernel_size)), ps, st


def mean_embedding(ps: Any, st: Any, vocab: int, features: int) -> Model:
    """Return the mean of the rows of a table."""
    layer = nn.Chain(
        nn.Embedding(vocab, features), nn.WrappedFunction(lambda x: ops.mean(x, 1))
    )
    return (
        layer,
        {"layer_1": ps["embedding"], "layer_2": {}},
        {"layer_1": {}, "layer_2": {}},
    )


@dataclass(frozen=True)
class Residual(nn.Layer):
    """A skip around two dense layers, and a norm behind it."""

    features: int
    hidden: int

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return norm(x + down(relu(up(x))))."""
        y, _ = nn.Dense(self.features, self.hidden, nn.relu)(x, ps["up"], {})
        y, _ = nn.Dense(self.hidden, self.features)(y, ps["down"], {})
        return nn.LayerNorm(self.features, dims=-1, affine=True)(x + y, ps["norm"], {})[
            0
        ], st


def residual(ps: Any, st: Any, features: int, hidden: int) -> Model:
    """Return a small residual block."""
    return Residual(features, hidden), ps, st
