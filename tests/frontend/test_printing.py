"""Layers as text."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lxc import kaun, nn


def identity_first(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.Dense(2, 3), "Dense(2, 3)"),
        (nn.Dense(2, 3, nn.relu), "Dense(2, 3, relu)"),
        (nn.Dense(2, 3, bias=False), "Dense(2, 3, use_bias=False)"),
        (nn.Dense(2, 3, init_weight=nn.ones32), "Dense(2, 3, init_weight=ones32)"),
        (
            nn.Dense(2, 3, init_bias=nn.kaiming_normal),
            "Dense(2, 3, init_bias=kaiming_normal)",
        ),
        (nn.BatchNorm(4, momentum=0.5), "BatchNorm(4, momentum=0.5)"),
        (nn.BatchNorm(4, momentum=0.1), "BatchNorm(4)"),
        (nn.Conv((3, 3), 1, 4, stride=2), "Conv((3, 3), 1, 4, stride=(2, 2))"),
        (nn.MaxPool((2, 2), stride=2), "MaxPool((2, 2))"),
        (nn.MaxPool((2, 2), stride=1), "MaxPool((2, 2), stride=(1, 1))"),
        (nn.ReshapeLayer(2, 3), "ReshapeLayer(2, 3)"),
        (nn.Dropout(0.5), "Dropout(0.5)"),
        (nn.FlattenLayer(), "FlattenLayer()"),
        (nn.WrappedFunction(np.tanh), "WrappedFunction(tanh)"),
        (nn.WrappedFunction(identity_first), "WrappedFunction(identity_first)"),
        (nn.freeze(nn.Dense(2, 3), "bias"), "FrozenLayer(Dense(2, 3), ('bias',))"),
    ],
    ids=str,
)
def test_a_layer_prints_the_call_that_makes_it(layer: nn.Layer, text: str) -> None:
    assert repr(layer) == text


def test_children_print_under_their_names() -> None:
    inner = nn.Chain(head=nn.Dense(4, 2))
    model = nn.Chain(nn.Dense(3, 4), nn.Parallel(np.add, inner, nn.Dense(4, 2)))
    assert repr(model).splitlines() == [
        "Chain(",
        "    layer_1 = Dense(3, 4),",
        "    layer_2 = Parallel(",
        "        add,",
        "        layer_1 = Chain(",
        "            head = Dense(4, 2),",
        "        ),",
        "        layer_2 = Dense(4, 2),",
        "    ),",
        ")",
    ]


def test_a_layer_around_another_prints_it() -> None:
    assert repr(nn.SkipConnection(nn.Dense(2, 2), np.add)) == (
        "SkipConnection(Dense(2, 2), add)"
    )
    chain = nn.Chain(nn.Dense(2, 2), nn.Dense(2, 2))
    assert repr(nn.SkipConnection(chain, np.add)).splitlines()[1] == "    Chain("


@dataclass(frozen=True)
class Block(nn.Layer):
    """A layer of a user's."""

    inner: nn.Layer
    width: int = 3
    tag: str = "a"


class Loose(nn.Layer):
    """A layer that is no dataclass, and needs more than it keeps."""

    def __init__(self, width: int, secret: int) -> None:
        self.width = width
        self.table = np.zeros((width, 2), np.float32)


@dataclass(frozen=True)
class Fussy(nn.Layer):
    """A layer that cannot be made without its option."""

    width: int
    factor: int = 0

    def __post_init__(self) -> None:
        if not self.factor:
            raise ValueError("no factor")


def test_layers_of_users_print_alike() -> None:
    assert repr(Block(nn.Dense(1, 2))) == "Block(Dense(1, 2))"
    assert repr(Block(nn.Dense(1, 2), tag="b")) == "Block(Dense(1, 2), tag='b')"
    assert repr(Block(nn.Dense(1, 2), 4)) == "Block(Dense(1, 2), 4)"
    assert repr(Loose(3, 4)) == "Loose(3, table=float32[3, 2])"
    assert repr(Fussy(3, factor=2)) == "Fussy(3, 2)"


def test_a_text_of_ones_own_stays() -> None:
    class Named(nn.Layer):
        def __repr__(self) -> str:
            return "mine"

    assert repr(nn.Chain(a=Named())) == "Chain(\n    a = mine,\n)"


def test_arrays_in_options_are_not_printed_or_compared() -> None:
    @dataclass(frozen=True, eq=False)
    class Table(nn.Layer):
        rows: Any
        scale: Any = None

    layer = Table([np.zeros(2), (1,)], scale=np.ones((2, 2)))
    assert repr(layer) == "Table([float64[2], (1,)], float64[2, 2])"


def test_records_print_as_the_functions_that_make_them() -> None:
    layer = kaun.sequential(
        [kaun.linear(2, 3), kaun.relu(), kaun.compose(kaun.dropout(0.5), kaun.flatten())]
    )
    assert repr(layer).splitlines() == [
        "sequential(",
        "    linear(in_features=2, out_features=3),",
        "    relu(),",
        "    compose(",
        "        dropout(rate=0.5),",
        "        flatten(),",
        "    ),",
        ")",
    ]
    assert "window=(2, 2)" in repr(kaun.max_pool2d(2))


def test_records_of_users_print_their_kind() -> None:
    def apply(params: Any, state: Any, dtype: Any, training: bool, x: Any) -> Any:
        return x, state

    assert repr(kaun.Layer(lambda dtype, rng: None, apply)) == "Layer()"  # type: ignore[arg-type, return-value]
