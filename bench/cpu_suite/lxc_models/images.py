"""Networks for images from lxc's layers; the trees have the paths of torch's modules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cpu_suite.lxc_models.operators import Model
from lxc import nn, ops

Activation = Callable[[Any], Any]


@dataclass(frozen=True)
class Filter(nn.Layer):
    """A convolution without bias, a norm and an activation: entry `number` of the trees."""

    number: str
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    groups: int = 1
    activation: Activation = nn.relu

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the filtered x."""
        conv = nn.CrossCor(
            (self.kernel, self.kernel),
            self.inputs,
            self.outputs,
            stride=self.stride,
            pad=self.kernel // 2,
            groups=self.groups,
            use_bias=False,
        )
        y, _ = conv(x, ps[f"conv{self.number}"], {})
        norm = nn.BatchNorm(self.outputs, self.activation)
        name = f"norm{self.number}"
        return norm(y, ps[name], st[name])[0], st


@dataclass(frozen=True)
class Block(nn.Layer):
    """Filters in a row, and a skip around them that is filtered where shapes change."""

    filters: tuple[Filter, ...]
    skip: Filter | None = None

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return relu(filters(x) + skip(x))."""
        kept = x if self.skip is None else self.skip(x, ps, st)[0]
        for part in self.filters:
            x, _ = part(x, ps, st)
        return nn.relu(x + kept), st


def basic(inputs: int, width: int, stride: int) -> Block:
    """Return the block of ResNet-18."""
    filters = (
        Filter("1", inputs, width, 3, stride),
        Filter("2", width, width, 3, activation=nn.identity),
    )
    return Block(filters, skip_of(inputs, width, stride))


def bottleneck(inputs: int, width: int, stride: int) -> Block:
    """Return the block of ResNet-50."""
    filters = (
        Filter("1", inputs, width, 1),
        Filter("2", width, width, 3, stride),
        Filter("3", width, 4 * width, 1, activation=nn.identity),
    )
    return Block(filters, skip_of(inputs, 4 * width, stride))


def skip_of(inputs: int, outputs: int, stride: int) -> Filter | None:
    """Return the filter of a skip, if it needs one."""
    if stride == 1 and inputs == outputs:
        return None
    return Filter("0", inputs, outputs, 1, stride, activation=nn.identity)


BLOCKS = {"basic": (basic, 1), "bottleneck": (bottleneck, 4)}


@dataclass(frozen=True)
class Classifier(nn.Layer):
    """A first filter, a pool, blocks, perhaps a last filter, a mean and a dense layer."""

    first: Filter
    pool: bool
    blocks: tuple[nn.Layer, ...]
    last: Filter | None
    features: int

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the logits."""
        x, _ = self.first(x, ps, st)
        if self.pool:
            x, _ = nn.MaxPool((3, 3), stride=2, pad=1)(x, {}, {})
        for place, block in enumerate(self.blocks):
            x, _ = block(x, ps["blocks"][place], st["blocks"][place])
        if self.last is not None:
            names = {"conv1": ps["last"], "norm1": ps["last_norm"]}
            x, _ = self.last(x, names, {"norm1": st["last_norm"]})
        return nn.Dense(self.features, 1000)(ops.mean(x, (2, 3)), ps["head"], {})[0], st


def resnet(ps: Any, st: Any, block: str, depths: Sequence[int]) -> Model:
    """Return a residual network."""
    make, growth = BLOCKS[block]
    blocks: list[nn.Layer] = []
    inputs = 64
    for stage, depth in enumerate(depths):
        for place in range(depth):
            width = 64 * 2**stage
            blocks.append(make(inputs, width, 2 if stage and not place else 1))
            inputs = width * growth
    first = Filter("", 3, 64, 7, 2)
    return Classifier(first, True, tuple(blocks), None, inputs), ps, st


@dataclass(frozen=True)
class Inverted(nn.Layer):
    """An inverted residual: widen, filter each channel, narrow."""

    filters: tuple[Filter, ...]
    skips: bool

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the block of x."""
        y = x
        for part in self.filters:
            y, _ = part(y, ps, st)
        return (x + y if self.skips else y), st


def inverted(inputs: int, outputs: int, stride: int, widening: int) -> Inverted:
    """Return a block of MobileNetV2."""
    hidden = inputs * widening
    widen = (Filter("1", inputs, hidden, 1, activation=nn.relu6),)
    rest = (
        Filter("2", hidden, hidden, 3, stride, hidden, nn.relu6),
        Filter("3", hidden, outputs, 1, activation=nn.identity),
    )
    skips = stride == 1 and inputs == outputs
    return Inverted((widen if widening != 1 else ()) + rest, skips)


def mobilenet(ps: Any, st: Any, stages: Sequence[tuple[int, int, int, int]]) -> Model:
    """Return MobileNetV2."""
    blocks: list[nn.Layer] = []
    inputs = 32
    for widening, width, depth, stride in stages:
        for place in range(depth):
            blocks.append(inverted(inputs, width, 1 if place else stride, widening))
            inputs = width
    first = Filter("", 3, 32, 3, 2, activation=nn.relu6)
    last = Filter("1", inputs, 1280, 1, activation=nn.relu6)
    return Classifier(first, False, tuple(blocks), last, 1280), ps, st


@dataclass(frozen=True)
class Double(nn.Layer):
    """Two convolutions with norms."""

    inputs: int
    width: int

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the convolved x."""
        x, _ = Filter("1", self.inputs, self.width, 3)(x, ps, st)
        return Filter("2", self.width, self.width, 3)(x, ps, st)


@dataclass(frozen=True)
class UNet(nn.Layer):
    """A U-Net with the channels of its levels."""

    widths: tuple[int, ...]
    classes: int

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return a score per pixel and class."""
        kept = []
        for place, width in enumerate(self.widths):
            if place:
                kept.append(x)
                x, _ = nn.MaxPool((2, 2))(x, {}, {})
            level = Double(x.shape[1], width)
            x, _ = level(x, ps["down"][place], st["down"][place])
        for place, width in enumerate(self.widths[-2::-1]):
            up = nn.ConvTranspose((2, 2), 2 * width, width, stride=2)
            y, _ = up(x, ps["up"][place], {})
            level = Double(2 * width, width)
            both = ops.concatenate([kept.pop(), y], 1)
            x, _ = level(both, ps["join"][place], st["join"][place])
        return nn.CrossCor((1, 1), self.widths[0], self.classes)(x, ps["head"], {})[0], st


def unet(ps: Any, st: Any, width: int, levels: int, classes: int) -> Model:
    """Return a U-Net; `ConvTranspose` turns its kernels, and torch's does not."""
    turned = [
        {**up, "weight": np.ascontiguousarray(up["weight"][:, :, ::-1, ::-1])}
        for up in ps["up"]
    ]
    widths = tuple(width * 2**level for level in range(levels))
    return UNet(widths, classes), {**ps, "up": turned}, st


def digits(ps: Any, st: Any, width: int) -> Model:
    """Return a very small network for very small images."""
    chain = nn.Chain(
        nn.CrossCor((3, 3), 1, width, nn.relu, pad=1),
        nn.MaxPool((2, 2)),
        nn.FlattenLayer(),
        nn.Dense(width * 16, 10),
    )
    ps = {"layer_1": ps["conv"], "layer_2": {}, "layer_3": {}, "layer_4": ps["head"]}
    return chain, ps, {name: {} for name in ps}
