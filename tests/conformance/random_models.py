"""Strategies for models of all layers, in containers nested up to four deep."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

import lxc
from lxc import nn
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.optional import has_missing
from lxc.tree import map_leaves
from tests.conformance.random_leaves import LARGEST, Draw, Shape, leaf

DEEPEST = 4
BATCH = lxc.Dim("N", 2, 6)
VOCABULARY = 7
JOINS = st.sampled_from([np.add, np.maximum, np.minimum])
PAIRS = st.sampled_from([np.add, np.subtract, np.minimum])
COUNTS = st.integers(1, 3)
NAMES = ("b", "a", "connection")

Container = Callable[[Draw, Shape, int], Any]


@dataclass(frozen=True)
class RandomModel:
    """A model and what one sample of its input is: numbers of a shape, or ids."""

    layer: Any
    shape: Shape
    ids: bool
    seed: int
    mode: str

    def spec(self) -> lxc.TensorSpec:
        """Return the type of the input."""
        return lxc.TensorSpec((BATCH, *self.shape), "int32" if self.ids else "float32")

    def inputs(self, count: int, seed: int) -> Any:
        """Return a batch."""
        rng = np.random.default_rng(seed)
        if self.ids:
            return rng.integers(0, VOCABULARY, (count, *self.shape), np.int32)
        return rng.standard_normal((count, *self.shape), np.float32)

    def trees(self) -> tuple[Any, Any]:
        """Return parameters, none of them zero, and state in the mode."""
        ps, state = lxc.setup(self.seed, self.layer)
        rng = np.random.default_rng(self.seed)
        moved = map_leaves(lambda leaf: moved_a_little(leaf, rng), ps)
        return moved, lxc.trainmode(state) if self.mode == "train" else lxc.testmode(state)

    def batches(self) -> tuple[int, ...]:
        """Return sizes of batches for one call after the other."""
        # What a call leaves in an entry that was None has the size of its batch.
        return (4, 4, 4) if has_missing(self.trees()[1]) else (3, 6, 2)


def moved_a_little(leaf: Any, rng: np.random.Generator) -> Any:
    """Return a parameter with noise, so that biases are not zero."""
    return leaf + rng.uniform(0.1, 0.3, leaf.shape).astype(leaf.dtype)


@st.composite
def models(draw: Draw) -> RandomModel:
    """Draw a model."""
    ids = draw(st.integers(0, 7)) == 0
    rank = draw(st.integers(1, 2 if ids else 3))
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=rank, max_size=rank)))
    depth = draw(st.integers(1, DEEPEST))
    if ids:
        table = nn.Embedding(VOCABULARY, 3)
        body = container(draw, (*shape, 3), depth)
        layer: Any = nn.Chain(table, body)
    else:
        layer = container(draw, shape, depth)
    mode = draw(st.sampled_from(["train", "test"]))
    return RandomModel(as_layer(layer), shape, ids, draw(st.integers(0, 99)), mode)


def container(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return a container for the shape with `depth` levels below it at most."""
    return draw(st.sampled_from(CONTAINERS))(draw, shape, depth - 1)


def any_layer(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return a leaf or a container."""
    if depth > 0 and draw(st.integers(0, 2)):
        return container(draw, shape, depth)
    made = leaf(draw, shape)
    # A layer that makes a lot out of its input is given up for the input itself.
    return made if prod(shape_after(made, shape)) <= LARGEST else nn.NoOpLayer()


def shape_after(layer: Any, shape: Shape) -> Shape:
    """Return the shape of one sample of the output."""
    model = as_layer(layer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y, _ = model(np.ones((2, *shape), np.float32), *lxc.setup(0, model))
    found: Shape = np.shape(y)[1:]
    return found


def fitted(draw: Draw, shape: Shape, wanted: Shape, depth: int) -> Any:
    """Return a layer from one shape to another."""
    inner = any_layer(draw, shape, depth)
    made = shape_after(inner, shape)
    if made == wanted:
        return inner
    dense = nn.Dense(prod(made), prod(wanted))
    return nn.Chain(inner, nn.FlattenLayer(), dense, nn.ReshapeLayer(wanted))


def alike(draw: Draw, shape: Shape, depth: int, count: int) -> list[Any]:
    """Return several layers whose outputs have one shape."""
    first = any_layer(draw, shape, depth)
    wanted = shape_after(first, shape)
    return [first, *(fitted(draw, shape, wanted, depth) for _ in range(count - 1))]


def named_or_not(draw: Draw, make: Callable[..., Any], layers: list[Any]) -> Any:
    """Return a container of layers by place or by keyword."""
    if draw(st.booleans()):
        return make(**dict(zip(NAMES, layers, strict=False)))
    return make(*layers)


def chain(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return layers one after the other."""
    layers = []
    for _ in range(draw(COUNTS)):
        if not 1 <= len(shape) <= 3:
            break
        layers.append(any_layer(draw, shape, depth))
        shape = shape_after(layers[-1], shape)
    if draw(st.booleans()):
        return nn.Chain(*layers, disable_optimizations=draw(st.booleans()))
    return named_or_not(draw, nn.Chain, layers)


def skip(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return a layer joined with its input by a function or a layer."""
    inner = fitted(draw, shape, shape, depth)
    if draw(st.booleans()):
        return nn.SkipConnection(inner, draw(PAIRS))
    other = fitted(draw, shape, shape, depth)
    join = nn.Parallel(draw(PAIRS), other, nn.NoOpLayer())
    return nn.SkipConnection(inner, join)


def parallel(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return layers side by side, joined by a function or a layer."""
    layers = alike(draw, shape, depth, draw(COUNTS))
    join = draw(JOINS)
    if draw(st.booleans()):
        join = nn.Chain(lambda outputs: outputs[0] - outputs[-1] / 2, nn.tanh)
    return named_or_not(draw, lambda *a, **k: nn.Parallel(join, *a, **k), layers)


def branch(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return branches whose tuple is split again by a Parallel."""
    first, second = alike(draw, shape, depth, 2)
    between = shape_after(first, shape)
    if not 1 <= len(between) <= 3:
        return nn.Chain(nn.BranchLayer(first, second), lambda pair: pair[0] - pair[1])
    third, fourth = alike(draw, between, depth, 2)
    branches = named_or_not(draw, nn.BranchLayer, [first, second])
    return nn.Chain(branches, nn.Parallel(draw(PAIRS), third, fourth))


def pairwise(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return layers in a row that see one input each time, or a tuple of them."""
    layers = [fitted(draw, shape, shape, depth) for _ in range(draw(COUNTS))]
    join = draw(PAIRS)
    fusion = named_or_not(draw, lambda *a, **k: nn.PairwiseFusion(join, *a, **k), layers)
    if draw(st.booleans()):
        return fusion
    inputs = [nn.NoOpLayer(), *(nn.Scale(shape) for _ in layers)]
    return nn.Chain(nn.BranchLayer(*inputs), fusion)


def maxout(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return the largest of several layers."""
    return named_or_not(draw, nn.Maxout, alike(draw, shape, depth, draw(COUNTS)))


def frozen(draw: Draw, shape: Shape, depth: int) -> Any:
    """Return a layer with its parameters in the state."""
    return nn.FrozenLayer(as_layer(any_layer(draw, shape, depth)))


CONTAINERS: tuple[Container, ...] = (
    chain,
    skip,
    parallel,
    branch,
    pairwise,
    maxout,
    frozen,
)
