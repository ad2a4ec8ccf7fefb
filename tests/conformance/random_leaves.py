"""Strategies for layers without children, for an input of a given shape.

Shapes are those of one sample: the batch axis in front is left out. Sizes stay small.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

import lxc
from lxc import nn

Shape = tuple[int, ...]
Draw = Callable[[st.SearchStrategy[Any]], Any]
Leaf = Callable[[Draw, Shape], Any]

LARGEST = 64
"""The most elements of a sample; layers that would make more are not drawn."""

SIZES = st.integers(1, 5)
FLAGS = st.booleans()
AXES = (None, 0, -1)


def centred(x: Any) -> Any:
    return x - lxc.ops.mean(x, -1, keepdims=True)


FUNCTIONS = st.sampled_from(
    (
        nn.identity,
        nn.relu,
        nn.tanh,
        nn.sigmoid,
        nn.gelu,
        nn.softplus,
        nn.hardtanh,
        np.sin,
        np.negative,
        np.abs,
        centred,
    )
)


def dense(draw: Draw, shape: Shape) -> Any:
    """Return an affine map of the last axis."""
    return nn.Dense(shape[-1], draw(SIZES), draw(FUNCTIONS), use_bias=draw(FLAGS))


def weight_norm(draw: Draw, shape: Shape) -> Any:
    """Return an affine map with a normalised weight."""
    dims = draw(st.sampled_from([None, (0,), ((0, 1),)]))
    return nn.WeightNorm(dense(draw, shape), ("weight",), dims)


def frozen(draw: Draw, shape: Shape) -> Any:
    """Return an affine map with parameters in its state."""
    return nn.FrozenLayer(dense(draw, shape), draw(st.sampled_from([None, ("weight",)])))


def scale(draw: Draw, shape: Shape) -> Any:
    """Return a factor and an offset per element of some axes."""
    behind = draw(st.integers(0, len(shape) - 1))
    return nn.Scale(shape[behind:], draw(FUNCTIONS), use_bias=draw(FLAGS))


def layer_norm(draw: Draw, shape: Shape) -> Any:
    """Return a normalisation over one axis, or all of them and the batch."""
    dims = draw(st.sampled_from([None, -1, len(shape)]))
    return nn.LayerNorm(shape, draw(FUNCTIONS), dims=dims, affine=draw(FLAGS))


def batch_norm(draw: Draw, shape: Shape) -> Any:
    """Return a normalisation of channels over the batch."""
    options = {name: draw(FLAGS) for name in ("affine", "track_stats")}
    return nn.BatchNorm(shape[0], draw(FUNCTIONS), **options)


def random_mask(draw: Draw, shape: Shape) -> Any:
    """Return one of the layers that drop elements."""
    kind = draw(st.sampled_from([nn.Dropout, nn.VariationalHiddenDropout]))
    if draw(FLAGS):
        return nn.AlphaDropout(draw(st.sampled_from([0.0, 0.5])))
    return kind(draw(st.sampled_from([0.0, 0.3])), dims=draw(st.sampled_from([None, 1])))


def function(draw: Draw, shape: Shape) -> Any:
    """Return a function, a no-op or a function of three arguments."""
    chosen = draw(FUNCTIONS)
    return draw(
        st.sampled_from(
            [chosen, nn.NoOpLayer(), lambda x, ps, st: (chosen(x), st), nn.FlattenLayer()]
        )
    )


def reshape(draw: Draw, shape: Shape) -> Any:
    """Return another view of the elements."""
    count = prod(shape)
    first = draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0]))
    return nn.ReshapeLayer(first, count // first)


def bilinear(draw: Draw, shape: Shape) -> Any:
    """Return products of the elements of the last axis."""
    return nn.Bilinear(shape[-1], draw(SIZES), draw(FUNCTIONS), use_bias=draw(FLAGS))


def cell(draw: Draw, size: int) -> Any:
    """Return a recurrent cell."""
    kind = draw(st.sampled_from([nn.RNNCell, nn.LSTMCell, nn.GRUCell]))
    return kind(size, draw(SIZES), train_state=draw(FLAGS), use_bias=draw(FLAGS))


def stateful_cell(draw: Draw, shape: Shape) -> Any:
    """Return a cell that keeps its carry in the state."""
    return nn.StatefulRecurrentCell(cell(draw, shape[0]))


def recurrence(draw: Draw, shape: Shape) -> Any:
    """Return a cell along a sequence, with its last output or first and last joined."""
    if draw(FLAGS):
        return nn.Recurrence(cell(draw, shape[1]))
    whole = nn.Recurrence(cell(draw, shape[1]), return_sequence=True)
    return nn.Chain(whole, lambda steps: steps[0] - steps[-1])


def convolution(draw: Draw, shape: Shape) -> Any:
    """Return a convolution that fits an image."""
    channels, *cells = shape
    kernel = tuple(draw(st.integers(1, min(3, size))) for size in cells)
    kind = draw(st.sampled_from([nn.Conv, nn.CrossCor, nn.ConvTranspose]))
    groups = draw(st.sampled_from([1, channels]))
    options: dict[str, Any] = {
        "stride": draw(st.integers(1, 2)),
        "pad": draw(st.sampled_from([0, nn.SamePad()])),
        "groups": groups,
        "use_bias": draw(FLAGS),
    }
    outputs = groups * draw(st.integers(1, 2))
    return kind(kernel, channels, outputs, draw(FUNCTIONS), **options)


def pool(draw: Draw, shape: Shape) -> Any:
    """Return a pool that fits an image."""
    cells = shape[1:]
    kind = draw(st.sampled_from([nn.MaxPool, nn.MeanPool]))
    others = [nn.GlobalMaxPool(), nn.GlobalMeanPool()]
    others += [nn.AdaptiveMaxPool(cells), nn.AdaptiveMeanPool((1,) * len(cells))]
    window = tuple(draw(st.integers(1, min(2, size))) for size in cells)
    pad = draw(st.sampled_from([0, nn.SamePad()]))
    usual = kind(window, stride=draw(st.integers(1, 2)), pad=pad)
    return draw(st.sampled_from([usual, *others]))


def image_norm(draw: Draw, shape: Shape) -> Any:
    """Return a normalisation of each sample."""
    if draw(FLAGS):
        return nn.InstanceNorm(shape[0], draw(FUNCTIONS), affine=draw(FLAGS))
    groups = draw(st.sampled_from([n for n in (1, 2, shape[0]) if shape[0] % n == 0]))
    return nn.GroupNorm(shape[0], groups, draw(FUNCTIONS), affine=draw(FLAGS))


def upsample(draw: Draw, shape: Shape) -> Any:
    """Return a larger image."""
    linear = ("linear", "bilinear")[len(shape) - 2]
    return nn.Upsample(draw(st.sampled_from(["nearest", linear])), scale=2)


def select(draw: Draw, shape: Shape) -> Any:
    """Return one entry of an axis behind the batch."""
    axis = draw(st.integers(1, len(shape)))
    return nn.SelectDim(axis, draw(st.integers(0, shape[axis - 1] - 1)))


def shuffle(draw: Draw, shape: Shape) -> Any:
    """Return channels spread over cells, as far as their number allows."""
    factor = 2 if shape[0] % 2 ** (len(shape) - 1) == 0 else 1
    return nn.PixelShuffle(factor)


ANY: tuple[Leaf, ...] = (
    dense,
    weight_norm,
    frozen,
    scale,
    layer_norm,
    batch_norm,
    random_mask,
    function,
    reshape,
    bilinear,
)
ROWS: tuple[Leaf, ...] = (*ANY, stateful_cell)
OF_IMAGES: tuple[Leaf, ...] = (convolution, pool, image_norm, upsample, select, shuffle)
IMAGES: tuple[Leaf, ...] = (*ANY, *OF_IMAGES, *OF_IMAGES)
LINES: tuple[Leaf, ...] = (*IMAGES, recurrence, recurrence)
BY_RANK = {1: ROWS, 2: LINES, 3: IMAGES}


def leaf(draw: Draw, shape: Shape) -> Any:
    """Return a layer for the shape, by a draw."""
    return draw(st.sampled_from(BY_RANK[len(shape)]))(draw, shape)
