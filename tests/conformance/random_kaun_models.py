"""Strategies for compositions of all of Kaun's layers.

Shapes are those of one sample: the batch axis in front is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

import lxc
from lxc import kaun

Shape = tuple[int, ...]
Draw = Callable[[st.SearchStrategy[Any]], Any]
Made = tuple[Any, Shape]

DEEPEST = 4
LARGEST = 64
"""The most elements of a sample; layers that would make more are not drawn."""

BATCH = lxc.Dim("N", 1, 6)
VOCABULARY = 7
FLAGS = st.booleans()
SIZES = st.integers(1, 4)
RATES = st.sampled_from([0.0, 0.5])
PADDINGS = st.sampled_from(["same", "valid", "causal"])
PLAIN = st.sampled_from(
    [kaun.relu, kaun.gelu, kaun.silu, kaun.tanh, kaun.sigmoid, kaun.flatten]
)


@dataclass(frozen=True)
class RandomModel:
    """A model, one sample of its input, and whether its context has a mask."""

    layer: Any
    shape: Shape
    ids: bool
    masked: bool
    training: bool
    seed: int

    def specs(self) -> tuple[Any, Any, Any]:
        """Return the types of input, key and context."""
        dtype = "int32" if self.ids else "float32"
        x = lxc.TensorSpec((BATCH, *self.shape), dtype)
        mask = lxc.TensorSpec((BATCH, self.shape[0]), "int32") if self.masked else None
        return x, lxc.TensorSpec((2,), "uint32"), context(mask)

    def arguments(self, count: int, seed: int) -> tuple[Any, Any, Any]:
        """Return a batch, a key and a context."""
        rng = np.random.default_rng(seed)
        shape = (count, *self.shape)
        if self.ids:
            x: Any = rng.integers(0, VOCABULARY, shape, np.int32)
        else:
            x = rng.standard_normal(shape, np.float32)
        mask = rng.integers(0, 2, shape[:2], np.int32) if self.masked else None
        return x, rng.integers(0, 2**32, 2, dtype=np.uint32), context(mask)


def context(mask: Any) -> kaun.Context | None:
    """Return a context with a mask, if there is one."""
    return None if mask is None else kaun.Context.empty.set(kaun.attention_mask_key, mask)


def linear(draw: Draw, shape: Shape) -> Made:
    """Return an affine map of the last axis."""
    size = draw(SIZES)
    return kaun.linear(shape[-1], size), (*shape[:-1], size)


def norm(draw: Draw, shape: Shape) -> Made:
    """Return a normalisation."""
    make, size = draw(
        st.sampled_from(
            [
                (kaun.layer_norm, shape[-1]),
                (kaun.rms_norm, shape[-1]),
                (kaun.batch_norm, shape[0]),
            ]
        )
    )
    return make(size), shape


def plain(draw: Draw, shape: Shape) -> Made:
    """Return a layer without options."""
    make = draw(PLAIN)
    return make(), (prod(shape),) if make is kaun.flatten else shape


def dropout(draw: Draw, shape: Shape) -> Made:
    """Return random zeros."""
    return kaun.dropout(draw(RATES)), shape


def conv1d(draw: Draw, shape: Shape) -> Made:
    """Return a convolution of a sequence with any options."""
    channels, size = shape
    taps, stride, dilation, out = (draw(st.integers(1, 3)) for _ in range(4))
    padding, reach = draw(PADDINGS), dilation * (taps - 1) + 1
    if padding == "valid" and reach > size:
        padding = "same"
    cells = (size - reach) // stride if padding == "valid" else (size - 1) // stride
    made = kaun.conv1d(channels, out, taps, stride, dilation, padding)
    return made, (out, cells + 1)


def attention(draw: Draw, shape: Shape) -> Made:
    """Return attention with any options."""
    size = shape[1]
    heads = draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))
    groups = draw(st.sampled_from([n for n in range(1, heads + 1) if heads % n == 0]))
    turns = draw(FLAGS) and size // heads % 2 == 0
    made = kaun.multi_head_attention(
        size, heads, groups, draw(RATES), draw(FLAGS), turns, rope_theta=100.0
    )
    return made, shape


def conv2d(draw: Draw, shape: Shape) -> Made:
    """Return a convolution of images."""
    channels, taps = draw(SIZES), (draw(SIZES), draw(SIZES))
    return kaun.conv2d(shape[0], channels, taps), (channels, *shape[1:])


def pool(draw: Draw, shape: Shape) -> Made:
    """Return a pool of images."""
    make = draw(st.sampled_from([kaun.max_pool2d, kaun.avg_pool2d]))
    window = tuple(draw(st.integers(1, min(size, 3))) for size in shape[1:])
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    sizes = zip(shape[1:], window, stride, strict=True)
    cells = ((size - taps) // step + 1 for size, taps, step in sizes)
    return make(window, stride), (shape[0], *cells)


ANY = (linear, norm, plain, dropout)
BY_RANK = {1: ANY, 2: (*ANY, conv1d, attention, attention), 3: (*ANY, conv2d, pool)}


def residual(inner: Any) -> kaun.Layer:
    """Return a layer of one's own that adds what another makes of its input."""

    def apply(
        params: Any, state: Any, dtype: Any, training: bool, rngs: Any, ctx: Any, x: Any
    ) -> Any:
        y, state = inner.apply(params, state, dtype, training, rngs, ctx, x)
        return x + y, state

    return kaun.Layer(inner.init, apply)


def any_layer(draw: Draw, shape: Shape, depth: int) -> Made:
    """Return a layer with at most `depth` levels below it."""
    if depth and draw(FLAGS):
        return container(draw, shape, depth)
    made, after = draw(st.sampled_from(BY_RANK[len(shape)]))(draw, shape)
    return (made, after) if prod(after) <= LARGEST else (kaun.relu(), shape)


def container(draw: Draw, shape: Shape, depth: int) -> Made:
    """Return layers one after the other."""
    count, layers, start = draw(st.integers(0, 3)), [], shape
    for _ in range(count):
        made, shape = any_layer(draw, shape, depth - 1)
        layers.append(made)
    whole = kaun.compose(*layers) if count == 2 and draw(FLAGS) else kaun.sequential(layers)
    return (residual(whole) if shape == start and draw(FLAGS) else whole), shape


@st.composite
def models(draw: Draw) -> RandomModel:
    """Draw a model."""
    kind = draw(st.sampled_from(["ids", "mask", "plain"]))
    rank = 2 if kind == "mask" else draw(st.integers(1, 2 if kind == "ids" else 3))
    shape = tuple(draw(st.lists(SIZES, min_size=rank, max_size=rank)))
    depth = draw(st.integers(1, DEEPEST))
    if kind == "ids":
        table = kaun.embedding(VOCABULARY, 4, draw(FLAGS))
        layer: Any = kaun.compose(table, container(draw, (*shape, 4), depth)[0])
    elif kind == "mask":
        # Only here is it certain that the mask has the length of the sequence.
        first, _ = attention(draw, shape)
        layer = kaun.sequential([first, without_context(container(draw, shape, depth)[0])])
    else:
        layer, _ = container(draw, shape, depth)
    ids, masked = kind == "ids", kind == "mask"
    return RandomModel(layer, shape, ids, masked, draw(FLAGS), draw(st.integers(0, 99)))


def without_context(inner: Any) -> kaun.Layer:
    """Return a layer that hands no context on."""

    def apply(
        params: Any, state: Any, dtype: Any, training: bool, rngs: Any, ctx: Any, x: Any
    ) -> Any:
        return inner.apply(params, state, dtype, training, rngs, None, x)

    return kaun.Layer(inner.init, apply)
