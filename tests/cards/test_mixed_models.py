"""Models of many kinds of layers at once, on a card: any batch, also an empty one."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn, ops
from lxc.ir.agreement import agreement, summed_terms
from lxc.ir.evaluate import evaluate
from lxc.ir.node import walk
from tests.cards.mixed_models import MixedModel
from tests.emulation.machines import cards
from tests.targets.test_recurrent import tensor_graph

ORDINARY = (4, 9)
SLOW = range(10, 200)
BATCHES = ((3, 0), (9, 0), (2, 3), (0, 1))
"""Samples, and how many cells they have beyond the fewest."""


def compiled(model: Any, spec: Any, ps: Any) -> Any:
    """Return a model for the card."""
    with cards():
        return lxc.compile(model, spec, ps, {}, target="cuda")


def check_model(seed: int) -> None:
    """Compare a model with the reference, and samples with the same ones among others."""
    model = MixedModel(seed)
    ps = model.params
    graph = tensor_graph(model, model.spec(), ps, {})
    terms = sum(map(summed_terms, walk(graph.nodes)))
    on_card = compiled(model, model.spec(), ps)
    for count, more in BATCHES:
        x = model.images(count, more)
        found = [np.asarray(one) for one in on_card(x, ps, {})[0]]
        narrow, _ = evaluate(graph, [x], [*ps.values()])
        exact, _ = evaluate(graph, [x], [*ps.values()], wide=True)
        for actual, near, true in zip(found, narrow, exact, strict=True):
            close = agreement(actual, near, true, terms)
            assert close.holds, f"{x.shape}: {close}"
        some = np.ascontiguousarray(x[1:2])
        for whole, part in zip(found, on_card(some, ps, {})[0], strict=True):
            np.testing.assert_array_equal(whole[1:2], np.asarray(part))


@pytest.mark.parametrize("seed", ORDINARY)
def test_a_mixed_model_is_what_it_means(seed: int) -> None:
    check_model(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SLOW)
def test_many_mixed_models_are_what_they_mean(seed: int) -> None:
    check_model(seed)


def check_function(function: Any, spec: lxc.TensorSpec, *shapes: tuple[int, ...]) -> None:
    """Compare a function of an array with what NumPy makes of it, exactly."""
    model = nn.WrappedFunction(function)
    on_card = compiled(model, spec, {})
    for shape in shapes:
        x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) % 7
        found, _ = on_card(x, {}, {})
        np.testing.assert_array_equal(np.asarray(found), function(x))


FEW = np.arange(27, dtype=np.float32).reshape(9, 3) % 4
TAPS = np.arange(72, dtype=np.float32).reshape(4, 2, 3, 3) % 5


def convolved(x: Any) -> Any:
    """Return a convolution of images of two channels."""
    return ops.conv(x, TAPS, strides=(1, 1), padding=((1, 1), (1, 1)))


@pytest.mark.parametrize(
    ("function", "sample"),
    [
        (lambda x: ops.matmul(x, FEW), (20, 9)),
        (lambda x: ops.matmul(ops.reshape(x, (-1, 9)), FEW), (20, 9)),
        (convolved, (2, 6, 5)),
    ],
    ids=["product", "product of one axis", "convolution"],
)
def test_a_batch_may_be_empty_where_one_sample_has_many_rows(
    function: Any, sample: tuple[int, ...]
) -> None:
    spec = lxc.TensorSpec((lxc.Dim("N", 0, 5), *sample))
    check_function(function, spec, *((count, *sample) for count in (0, 1, 5)))


def test_nothing_is_joined_with_arrays_of_any_size() -> None:
    spec = lxc.TensorSpec((lxc.Dim("N", 0, 5), lxc.Dim("L", 1, 9), lxc.Dim("M", 1, 9)))

    def padded(x: Any) -> Any:
        return ops.pad(x, ((0, 0), (1, 0), (0, 2)), "edge")

    check_function(padded, spec, (2, 3, 4), (0, 1, 1), (5, 9, 1))
