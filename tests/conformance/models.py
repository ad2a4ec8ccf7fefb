"""Small models that together hold every layer of both families, in groups.

The layers of a group stand side by side, each with an input of its own, so that one
artifact covers all of them. The batch is called N.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from lxc import kaun, nn, ops
from tests.conformance.feeds import floats, ids

Samples = Mapping[str, tuple[Any, Any]]
"""Layers and their inputs, by name."""


def linear() -> Samples:
    vector, row = floats("N", 5), floats("N", 7)
    return {
        "dense": (nn.Dense(5, 19, nn.tanh), vector),
        "dense_on_images": (nn.Dense(5, 3, use_bias=False), floats("N", 3, 2, 5)),
        "bilinear": (nn.Bilinear((5, 7), 3, nn.relu), (vector, row)),
        "scale": (nn.Scale(5, activation=nn.sigmoid), vector),
        "embedding": (nn.Embedding(9, 4), ids(9, "N", 6)),
        "long_ids": (nn.Embedding(9, 4), ids(9, "N", dtype="int64")),
        "weight_norm": (nn.WeightNorm(nn.Dense(5, 3), ("weight",)), vector),
        "maxout": (nn.Maxout(nn.Dense(5, 3), nn.Dense(5, 3)), vector),
        "frozen": (nn.FrozenLayer(nn.Dense(5, 3)), vector),
    }


def structure() -> Samples:
    image, vector = floats("N", 6, 4, 2), floats("N", 5)
    pair = nn.Parallel(ops.multiply, nn.Dense(5, 3), nn.Dense(7, 3))
    return {
        "chain": (nn.Chain(nn.Dense(5, 8, nn.gelu), nn.Dense(8, 3)), vector),
        "named": (nn.Chain(first=nn.Dense(5, 8), second=nn.Dense(8, 3)), vector),
        "skip": (nn.SkipConnection(nn.Dense(5, 5), ops.subtract), vector),
        "branch": (nn.BranchLayer(nn.Dense(5, 3), nn.NoOpLayer()), vector),
        "parallel": (pair, (vector, floats("N", 7))),
        "fusion": (nn.PairwiseFusion(ops.add, nn.Dense(5, 5), nn.NoOpLayer()), vector),
        "flatten": (nn.FlattenLayer(), image),
        "reshape": (nn.ReshapeLayer(8, 3, 2), image),
        "select": (nn.SelectDim(1, 2), image),
        "softmax": (nn.WrappedFunction(ops.softmax), floats("N", 33)),
        "spread": (nn.WrappedFunction(lambda x: ops.std(x, 1)), floats("N", 33)),
    }


def convolution() -> Samples:
    image = floats("N", 4, 7, 6)
    around: dict[str, Any] = {"stride": (2, 1), "pad": (1, 0, 2, 1), "dilation": (1, 2)}
    return {
        "conv": (nn.Conv((3, 2), 4, 6, nn.relu, **around), image),
        "line": (nn.Conv((3,), 4, 17, pad=nn.SamePad()), floats("N", 4, 20)),
        "volume": (nn.Conv((2, 2, 2), 2, 3), floats("N", 2, 4, 3, 5)),
        "groups": (nn.Conv((2, 2), 4, 6, groups=2), image),
        "depthwise": (nn.Conv((3, 3), 4, 8, groups=4), image),
        "crosscor": (nn.CrossCor((3, 3), 4, 5, nn.tanh), image),
        "transposed": (nn.ConvTranspose((3, 3), 4, 5, stride=2, pad=1), image),
        "shuffle": (nn.PixelShuffle(2), image),
        "nearest": (nn.Upsample("nearest", scale=2), image),
        "linear": (nn.Upsample("bilinear", size=(9, 11)), image),
    }


def pooling() -> Samples:
    image = floats("N", 3, 7, 6)
    return {
        "max": (nn.MaxPool((2, 2), pad=1), image),
        "mean": (nn.MeanPool((3, 2), stride=(1, 2), pad=(1, 0)), image),
        "adaptive_max": (nn.AdaptiveMaxPool((3, 4)), image),
        "adaptive_mean": (nn.AdaptiveMeanPool((3, 4)), image),
        "global_max": (nn.GlobalMaxPool(), image),
        "global_mean": (nn.GlobalMeanPool(), image),
    }


def norms() -> Samples:
    vector, image = floats("N", 6), floats("N", 6, 3, 5)
    return {
        "batch": (nn.BatchNorm(6, nn.relu), image),
        "untracked": (nn.BatchNorm(6, track_stats=False, affine=False), image),
        "behind": (nn.Chain(nn.Conv((3, 3), 6, 4), nn.BatchNorm(4)), image),
        "group": (nn.GroupNorm(6, 3, nn.swish), image),
        "instance": (nn.InstanceNorm(6), image),
        "layer": (nn.LayerNorm((6,), affine=True), vector),
        "layer_of_images": (nn.LayerNorm((6, 3, 5), affine=True), image),
    }


def random() -> Samples:
    image = floats("N", 6, 3, 5)
    return {
        "dropout": (nn.Dropout(0.5), image),
        "shared": (nn.Dropout(0.25, dims=1), image),
        "alpha": (nn.AlphaDropout(0.5), image),
        "hidden": (nn.VariationalHiddenDropout(0.5), image),
    }


def recurrent() -> Samples:
    step, steps = floats("N", 5), floats("N", 6, 5)
    return {
        "rnn": (nn.RNNCell(5, 3), step),
        "lstm": (nn.LSTMCell(5, 3), step),
        "gru": (nn.GRUCell(5, 3), step),
        "last": (nn.Recurrence(nn.LSTMCell(5, 3, train_state=True)), steps),
        "all": (nn.Recurrence(nn.GRUCell(5, 3), return_sequence=True), steps),
        "stateful": (nn.StatefulRecurrentCell(nn.RNNCell(5, 3)), step),
    }


LUX = {
    one.__name__: one
    for one in (linear, structure, convolution, pooling, norms, random, recurrent)
}
LUX_RUNS = [
    *((group, "test") for group in LUX),
    *((group, "train") for group in ("norms", "random")),
]
"""Every group in the modes that make a difference."""


def lux_model(name: str) -> tuple[Any, Any]:
    """Return the model of a group, and its inputs."""
    samples = LUX[name]()
    layers = {key: layer for key, (layer, _) in samples.items()}
    return nn.Parallel(None, **layers), tuple(feed for _, feed in samples.values())


def kaun_layers() -> Samples:
    vector, image = floats("N", 6), floats("N", 2, 6, 4)
    return {
        "linear": (kaun.linear(6, 5), vector),
        "relu": (kaun.relu(), vector),
        "gelu": (kaun.gelu(), vector),
        "silu": (kaun.silu(), vector),
        "tanh": (kaun.tanh(), vector),
        "sigmoid": (kaun.sigmoid(), vector),
        "conv2d": (kaun.conv2d(2, 3), image),
        "max_pool2d": (kaun.max_pool2d(2), image),
        "avg_pool2d": (kaun.avg_pool2d((3, 2)), image),
        "flatten": (kaun.flatten(), image),
        "layer_norm": (kaun.layer_norm(6), vector),
        "rms_norm": (kaun.rms_norm(6), vector),
        "batch_norm": (kaun.batch_norm(2), image),
        "dropout": (kaun.dropout(0.5), image),
        "sequential": (kaun.sequential([kaun.linear(6, 4), kaun.gelu()]), vector),
        "compose": (kaun.compose(kaun.linear(6, 4), kaun.dropout(0.5)), vector),
    }


def kaun_sequences() -> Samples:
    line, tokens = floats("N", 2, 9), floats("N", 5, 8)
    return {
        "same": (kaun.conv1d(2, 3), line),
        "causal": (kaun.conv1d(2, 3, dilation=2, padding="causal"), line),
        "valid": (kaun.conv1d(2, 3, stride=2, padding="valid"), line),
        "embedding": (kaun.embedding(9, 4), ids(9, "N", 5)),
        "attention": (
            kaun.multi_head_attention(8, 4, 2, dropout=0.5, is_causal=True, rope=True),
            tokens,
        ),
        "plain_attention": (kaun.multi_head_attention(8, 2), tokens),
    }


KAUN = {"kaun_layers": kaun_layers, "kaun_sequences": kaun_sequences}
KAUN_RUNS = [*((group, True) for group in KAUN), ("kaun_layers", False)]
"""Every group in training, and where that makes a difference outside of it."""


class SideBySide:
    """Layers of the Kaun family, each on its own entry of a tuple."""

    def __init__(self, layers: tuple[Any, ...]) -> None:
        self.layers = layers

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Any:
        parts = [layer.init(dtype, rng) for layer in self.layers]
        params, state = [part.params for part in parts], [part.state for part in parts]
        return kaun.make_vars(params, state, dtype)

    def apply(
        self,
        params: Any,
        state: Any,
        dtype: np.dtype[Any],
        training: bool,
        rngs: Any,
        ctx: Any,
        x: Any,
    ) -> tuple[Any, Any]:
        results = [
            layer.apply(*own, dtype, training, rngs, ctx, part)
            for layer, *own, part in zip(self.layers, params, state, x, strict=True)
        ]
        return tuple(y for y, _ in results), [after for _, after in results]


def kaun_model(name: str) -> tuple[Any, Any]:
    """Return the model of a group, and its inputs."""
    samples = KAUN[name]()
    made = SideBySide(tuple(layer for layer, _ in samples.values()))
    return kaun.Layer(made.init, made.apply), tuple(feed for _, feed in samples.values())


def layers_in(item: Any) -> Iterator[str]:
    """Yield the kinds of a layer and of all layers inside of it."""
    if isinstance(item, nn.Layer):
        yield type(item).__name__
    if isinstance(item, dict):
        item = tuple(item.values())
    if isinstance(item, tuple | list):
        for one in item:
            yield from layers_in(one)
    elif is_dataclass(item):
        for one in fields(item):
            yield from layers_in(getattr(item, one.name))
