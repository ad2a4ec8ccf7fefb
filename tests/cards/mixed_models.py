"""Random models that mix convolutions, norms, products, attention and loops."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import numpy as np

import lxc
from lxc import nn, ops
from lxc.ir.types import Array

Stage = Callable[[Any, Any], Any]
"""From a value [N, channels, H, W] and all parameters to another value."""

CHANNELS = (1, 3, 5, 8, 12, 17)
EPSILON = 0.1
"""So much that a rounding never grows where all numbers are nearly the same."""


class MixedModel(nn.Layer):
    """Some stages one after the other, the results of which are outputs too, now and then.

    `cells` are those of the smallest image. If they are `symbolic`, images may have more.
    """

    def __init__(self, seed: int) -> None:
        """Draw the stages."""
        draws = self.draws = Random(seed)
        self.values = np.random.default_rng(seed)
        self.params: dict[str, Array] = {}
        self.channels = self.inputs = draws.choice(CHANNELS)
        self.cells = draws.randint(5, 8), draws.randint(5, 8)
        self.symbolic = draws.random() < 0.4
        kinds = draws.choices(STAGES, k=draws.randint(4, 8))
        self.stages = [convolution(self), *(make(self) for make in kinds)]
        self.shown = draws.randrange(len(self.stages))

    def init_params(self, rng: Any) -> dict[str, Any]:
        """Return the parameters of all stages."""
        return self.params

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return what two of the stages make."""
        made = []
        for stage in self.stages:
            x = stage(x, ps)
            made.append(x)
        return [made[self.shown], x], st

    def spec(self) -> lxc.TensorSpec:
        """Return the type of the input; a batch may be empty."""
        names = zip("HW", self.cells, strict=True)
        cells = [lxc.Dim(name, size, size + 6) for name, size in names]
        sizes = cells if self.symbolic else self.cells
        return lxc.TensorSpec((lxc.Dim("N", 0, 40), self.inputs, *sizes))

    def images(self, count: int, more: int) -> Array:
        """Return images that have so many cells more, if they may."""
        high, wide = (size + more * self.symbolic for size in self.cells)
        shape = (count, self.inputs, high, wide)
        return self.values.standard_normal(shape).astype(np.float32)

    def param(self, *shape: int, terms: int = 1) -> str:
        """Return the name of a new parameter, for sums of so many terms."""
        drawn = self.values.standard_normal(shape) / np.sqrt(terms)
        name = f"p{len(self.params):02}"
        self.params[name] = drawn.astype(np.float32)
        return name

    def weight(self, outputs: int, groups: int, taps: tuple[int, int]) -> str:
        """Return the name of a new kernel; there are so many channels from here on."""
        inputs = self.channels // groups
        self.channels = outputs
        return self.param(outputs, inputs, *taps, terms=inputs * taps[0] * taps[1])


def per_channel(vector: Any) -> Any:
    """Return one number for each channel of images."""
    return ops.reshape(vector, (1, -1, 1, 1))


def convolution(model: MixedModel) -> Stage:
    """Return a convolution that keeps the cells, with what often follows it."""
    draw = model.draws
    taps = draw.choice((1, 2, 3, 3, 5)), draw.choice((1, 3, 3, 4))
    apart = draw.choice((1, 1, 1, 2))
    groups = draw.choice([n for n in (1, 1, 2, 3, 4) if model.channels % n == 0])
    weight = model.weight(groups * draw.choice((1, 3, 8, 9)), groups, taps)
    bias = model.param(model.channels)
    before = [draw.randint(0, (entry - 1) * apart) for entry in taps]
    padding = [
        (low, (entry - 1) * apart - low) for low, entry in zip(before, taps, strict=True)
    ]
    follow = draw.choice((ops.tanh, ops.sigmoid, partial(ops.maximum, 0), ops.positive))
    return lambda x, ps: follow(
        ops.conv(
            x,
            ps[weight],
            strides=(1, 1),
            padding=padding,
            rhs_dilation=(apart, apart),
            groups=groups,
        )
        + per_channel(ps[bias])
    )


def depthwise(model: MixedModel) -> Stage:
    """Return a convolution of every channel alone."""
    groups = model.channels
    weight = model.weight(groups, groups, (3, 5))
    padding = ((1, 1), (2, 2))
    return lambda x, ps: ops.conv(
        x, ps[weight], strides=(1, 1), padding=padding, groups=groups
    )


def level(model: MixedModel) -> Stage:
    """Return a level of a U-Net: down and up again, joined with what it began with."""
    taps, channels = (3, 3), model.channels
    down = model.weight(model.draws.choice((8, 10)), 1, taps)
    up = model.weight(8, 1, (2, 2))
    model.channels += channels

    def stage(x: Any, ps: Any) -> Any:
        small = ops.conv(x, ps[down], strides=(2, 2), padding=((1, 1), (1, 1)))
        whole = ops.conv(
            ops.maximum(small, 0),
            ps[up],
            strides=(1, 1),
            padding=((1, 1), (1, 1)),
            lhs_dilation=(2, 2),
        )
        high, wide = x.shape[2:]
        return ops.concatenate([x, whole[:, :, :high, :wide]], 1)

    return stage if not model.symbolic else residual(model, channels)


def residual(model: MixedModel, channels: int) -> Stage:
    """Return two values that are added and joined, one of them upside down."""
    model.channels = 2 * channels
    return lambda x, _: ops.concatenate([x + ops.flip(x, 2), x - ops.flip(x, (1, 3))], 1)


def norm(model: MixedModel) -> Stage:
    """Return a normalisation of channels, or of groups of them."""
    channels = model.channels
    groups = model.draws.choice([n for n in range(1, channels + 1) if channels % n == 0])
    scale, shift = model.param(channels), model.param(channels)

    def stage(x: Any, ps: Any) -> Any:
        parts = ops.reshape(x, (x.shape[0], groups, channels // groups, *x.shape[2:]))
        apart = parts - ops.mean(parts, (2, 3, 4), keepdims=True)
        spread = ops.mean(ops.square(apart), (2, 3, 4), keepdims=True)
        whole = ops.reshape(apart * ops.rsqrt(spread + EPSILON), x.shape)
        return whole * per_channel(ps[scale]) + per_channel(ps[shift])

    return stage


def squeeze(model: MixedModel) -> Stage:
    """Return a scale for every channel that follows from its mean."""
    weight = model.param(model.channels, model.channels, terms=model.channels)

    def stage(x: Any, ps: Any) -> Any:
        scale = ops.sigmoid(ops.matmul(ops.mean(x, (2, 3)), ps[weight]))
        return x * scale[:, :, None, None]

    return stage


def dense(model: MixedModel) -> Stage:
    """Return a product with the channels of every cell, and a norm of them."""
    outputs = model.draws.choice(CHANNELS)
    weight = model.param(model.channels, outputs, terms=model.channels)
    model.channels = outputs

    def stage(x: Any, ps: Any) -> Any:
        rows = ops.matmul(ops.transpose(x, (0, 2, 3, 1)), ps[weight])
        rows = rows - ops.mean(rows, -1, keepdims=True)
        return ops.transpose(rows, (0, 3, 1, 2))

    return stage


def attention(model: MixedModel) -> Stage:
    """Return attention of the cells of a row to each other."""
    channels = model.channels
    weights = [model.param(channels, channels, terms=channels) for _ in range(3)]

    def stage(x: Any, ps: Any) -> Any:
        rows = ops.transpose(x, (0, 2, 3, 1))
        queries, keys, values = (ops.matmul(rows, ps[weight]) for weight in weights)
        scores = ops.matmul(queries, ops.swapaxes(keys, 2, 3)) * channels**-0.5
        found = ops.matmul(ops.softmax(scores, -1), values)
        return x + ops.transpose(found, (0, 3, 1, 2))

    return stage


def loop(model: MixedModel) -> Stage:
    """Return a loop over the columns of images, with so many units or only a few."""
    channels, units = model.channels, model.draws.choice((9, 40, 260))
    into = model.param(channels, units, terms=channels)
    again = model.param(units, units, terms=units)
    out = model.param(units, channels, terms=units)
    backwards = model.draws.random() < 0.5

    def stage(x: Any, ps: Any) -> Any:
        rows = ops.transpose(ops.mean(x, 2), (2, 0, 1))

        def step(state: Any, row: Any) -> tuple[Any, Any]:
            after = ops.tanh(ops.matmul(row, ps[into]) + ops.matmul(state, ps[again]))
            return after, after

        start = ops.matmul(rows[0], ps[into])
        _, states = ops.scan(step, start, rows, reverse=backwards)
        found = ops.transpose(ops.matmul(states, ps[out]), (1, 2, 0))
        return x + found[:, :, None, :]

    return stage


STAGES: tuple[Callable[[MixedModel], Stage], ...] = (
    convolution,
    convolution,
    convolution,
    depthwise,
    level,
    norm,
    squeeze,
    dense,
    attention,
    loop,
)
