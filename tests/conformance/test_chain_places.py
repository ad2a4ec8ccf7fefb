"""Chain: children by place, name and range."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close_sums, draw, f32, same
from tests.conformance.rows import row

STRUCTURE = "the children are decided before anything is computed"


def plus_one(x: Any) -> Any:
    return x + 1


def doubled(x: Any) -> Any:
    return x * 2


def chosen(tree: Any, *names: str) -> Any:
    return {name: tree[name] for name in names}


@row("CHN-11", eager_because=STRUCTURE)
def test_an_index_gives_the_child() -> None:
    first, last = nn.Dense(2, 3), nn.Dense(3, 4)
    model = nn.Chain(first, nn.NoOpLayer(), np.tanh, last)
    assert model[0] is first
    assert model[2] is model[-1] is last
    assert model["layer_3"] is last
    for outside in (3, -4):
        with pytest.raises(IndexError):
            model[outside]
    ps, _ = lxc.setup(0, model)
    assert ps[model.keys()[-1]]["weight"].shape == (4, 3)


@row("CHN-12")
def test_a_range_gives_a_chain_with_the_old_names(column: Column) -> None:
    model = nn.Chain(a=nn.Dense(2, 3), b=np.tanh, c=nn.Dense(3, 1))
    ps, st = lxc.setup(0, model)
    part = model[0:2]
    assert isinstance(part, nn.Chain)
    assert part.keys() == ("a", "b")
    x = draw(4, 2)
    y, after = column(part, x, chosen(ps, "a", "b"), chosen(st, "a", "b"))
    close_sums(y, torch.tanh(torch.tensor(x) @ torch.tensor(ps["a"]["weight"]).T).numpy())
    assert list(after) == ["a", "b"]
    assert isinstance(model[1:2], nn.Chain)
    assert model[1:2].keys() == ("b",)
    plain = nn.Chain(nn.Dense(2, 2), np.tanh, nn.Dense(2, 2))
    assert plain[1:].keys() == ("layer_2", "layer_3")
    assert plain[::-2].keys() == ("layer_3", "layer_1")


@row("CHN-13")
def test_a_list_of_places_gives_them_in_its_order(column: Column) -> None:
    model = nn.Chain(plus_one, doubled, nn.Dense(2, 2))
    assert model[[0, 2]].keys() == ("layer_1", "layer_3")
    backwards = model[np.array([1, 0])]
    assert backwards.keys() == ("layer_2", "layer_1")
    same(np.asarray(column.fresh(backwards, f32([3]))), f32([7]))
    assert model[[-1, 0]].keys() == ("layer_3", "layer_1")
    assert model[np.array([True, False, True])].keys() == ("layer_1", "layer_3")
    with pytest.raises(LxcError, match="twice") as caught:
        model[[0, -3]]
    assert caught.value.code == "LXC-E0101"
    for wrong in ([0.5], [[0]], [True]):
        with pytest.raises(LxcError, match="a list of places"):
            model[wrong]


@row("CHN-14", eager_because=STRUCTURE)
def test_length_first_last_and_keys() -> None:
    first, last = nn.Dense(2, 2), nn.Dense(2, 3)
    model = nn.Chain(first, np.tanh, last)
    assert len(model) == 3
    assert (model[0], model[-1]) == (first, last)
    assert list(model) == [first, model[1], last]
    assert model.keys() == ("layer_1", "layer_2", "layer_3")


@row("CHN-15")
def test_a_dict_names_the_children_and_a_list_does_not(column: Column) -> None:
    named = nn.Chain({"up": plus_one, "twice": doubled})
    assert named.keys() == ("up", "twice")
    numbered = nn.Chain([plus_one, doubled])
    assert numbered.keys() == ("layer_1", "layer_2")
    both = column.fresh(nn.BranchLayer(named, numbered), f32([1]))
    same(both, (f32([4]), f32([4])))
