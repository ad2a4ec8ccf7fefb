"""Containers, activations and initial values that users get wrong: functions that fail."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc import nn
from lxc.frontend import setup, trace_layer
from lxc.ir import TensorSpec
from tests.errors.wrong_models import traced

WRONG_STRUCTURE: dict[str, Callable[[], object]] = {}


def wrong(model: Callable[[], object]) -> Callable[[], object]:
    """Enter a model into the list under its name."""
    WRONG_STRUCTURE[model.__name__] = model
    return model


def doubled(x: Any) -> Any:
    return x * 2


@wrong
def parallel_gets_a_shorter_tuple() -> object:
    model = nn.Chain(
        nn.BranchLayer(doubled, doubled), nn.Parallel(np.add, doubled, doubled, doubled)
    )
    return traced(model, 4, 2)


@wrong
def pairwise_fusion_gets_a_longer_tuple() -> object:
    model = nn.PairwiseFusion(np.add, doubled)
    return trace_layer(model, (TensorSpec((4, 2)),) * 3, *setup(0, model))


@wrong
def pairwise_fusion_joins_by_a_layer() -> object:
    connection: Any = nn.Dense(2, 2)
    return nn.PairwiseFusion(connection, doubled)


@wrong
def connection_takes_fewer_values() -> object:
    return nn.Parallel(np.subtract, doubled, doubled, doubled)


@wrong
def connection_is_no_function() -> object:
    connection: Any = "add"
    return nn.SkipConnection(doubled, connection)


@wrong
def branches_of_nothing() -> object:
    return nn.BranchLayer()


@wrong
def child_stands_twice_in_a_chain() -> object:
    return nn.Chain(doubled, np.tanh)[[0, 0]]


@wrong
def children_are_chosen_by_fractions() -> object:
    places: Any = [0.5]
    return nn.Chain(doubled, np.tanh)[places]


@wrong
def children_are_named_and_unnamed() -> object:
    return nn.Chain(doubled, last=np.tanh)


@wrong
def activation_is_no_function() -> object:
    activation: Any = 5
    return nn.Dense(64, 2, activation)


@wrong
def initial_weight_has_another_shape() -> object:
    def halves(rng: np.random.Generator, *shape: int) -> Any:
        return np.full(shape[:1], 0.5, np.float32)

    return setup(0, nn.Dense(4, 2, init_weight=halves))


@wrong
def class_stands_for_a_layer() -> object:
    return nn.Chain(doubled, nn.FlattenLayer)


@wrong
def reshape_leaves_two_sizes_open() -> object:
    return nn.ReshapeLayer(-1, -1)


@wrong
def parameters_lack_a_weight() -> object:
    model = nn.Chain(nn.Dense(2, 3), nn.Dense(3, 2))
    ps, st = setup(0, model)
    ps = {**ps, "layer_2": {"bias": ps["layer_2"]["bias"]}}
    return trace_layer(model, TensorSpec((4, 2)), ps, st)


@wrong
def layer_gets_a_list() -> object:
    model = nn.Chain(nn.BranchLayer(doubled, doubled), nn.Dense(2, 3))
    return trace_layer(model, TensorSpec((4, 2)), *setup(0, model))


@wrong
def weight_is_transposed() -> object:
    model = nn.Chain(nn.Dense(2, 3), nn.Dense(3, 2))
    ps, st = setup(0, model)
    ps = {**ps, "layer_1": {**ps["layer_1"], "weight": ps["layer_1"]["weight"].T}}
    return model(np.zeros((1, 2), np.float32), ps, st)


@wrong
def setting_stands_for_the_parameters() -> object:
    class Own(nn.Layer):
        def __init__(self) -> None:
            self.init_params: Any = True

    return setup(0, nn.Chain(nn.Dense(2, 2), Own()))
