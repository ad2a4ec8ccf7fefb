"""Set-up, modes, edits of the state, counts, and keys."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.tree import flatten
from tests.conformance.columns import Column, close_sums, draw, f32, same
from tests.conformance.rows import row

TREES = "it makes trees, or edits them, before anything is computed"


def nested() -> Any:
    """Return a model with the mode at several depths."""
    body = nn.Parallel(None, nn.Chain(nn.Dense(4, 3), nn.BatchNorm(3)), nn.Dropout(0.5))
    return nn.Chain(nn.Dense(4, 4), nn.BranchLayer(body, nn.BatchNorm(4)))


@row("API-01", eager_because=TREES)
def test_one_seed_gives_one_model_and_one_generator_several() -> None:
    same(lxc.setup(3, nested()), lxc.setup(3, nested()))
    generator = np.random.default_rng(3)
    first, second = lxc.setup(generator, nested()), lxc.setup(generator, nested())
    same(first, lxc.setup(3, nested()))
    for one, two in zip(flatten(first[0])[0], flatten(second[0])[0], strict=True):
        assert one.ndim < 2 or not np.array_equal(one, two)
    keys = [st["layer_2"]["layer_1"]["layer_2"]["rng"] for _, st in (first, second)]
    assert not np.array_equal(*keys)


@row("API-01", eager_because=TREES)
def test_parameters_are_drawn_child_by_child_before_any_state() -> None:
    order = []

    class Noted(nn.Layer):
        def __init__(self, name: str) -> None:
            self.name = name

        def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
            order.append(f"ps {self.name}")
            return {}

        def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
            order.append(f"st {self.name}")
            return {}

    model = nn.Chain(Noted("a"), nn.Parallel(None, Noted("b"), Noted("c")), Noted("d"))
    ps, st = lxc.setup(0, model)
    assert order == [f"{kind} {name}" for kind in ("ps", "st") for name in "abcd"]
    assert (
        ps
        == st
        == {"layer_1": {}, "layer_2": {"layer_1": {}, "layer_2": {}}} | {"layer_3": {}}
    )


@row("API-02")
def test_apply_calls_the_layer_and_a_state_gives_one_result(column: Column) -> None:
    model = nn.Chain(nn.Dense(5, 5), nn.Dropout(0.5))
    ps, st = lxc.setup(0, model)
    x = draw(5, 5)
    call = column.built(model, x, ps, st)
    same(call(x, ps, st), call(x, ps, st))
    y, after = call(x, ps, st)
    expected, state = lxc.apply(model, x, ps, st)
    close_sums(y, expected)
    same(np.asarray(y) == 0, expected == 0)
    same(after, state)
    same((expected, state), model(x, ps, st))


@row("API-03", eager_because=TREES)
@row("API-04", eager_because=TREES)
def test_modes_reach_every_depth_and_change_nothing_else() -> None:
    _, st = lxc.setup(0, nested())
    before = deepcopy(st)
    off = lxc.testmode(st)
    same(st, before)
    branch = off["layer_2"]["layer_1"]
    flags = (branch["layer_1"]["layer_2"], branch["layer_2"], off["layer_2"]["layer_2"])
    assert [part["training"] for part in flags] == [False] * 3
    same(flatten(off)[0], flatten(st)[0])
    same(lxc.trainmode(off), st)
    same(lxc.testmode(lxc.trainmode(st)), off)
    mixed: Any = {"a": [{"training": True}, ({"training": False, "b": 1.0},)]}
    assert lxc.trainmode(mixed) == {
        "a": [{"training": True}, ({"training": True, "b": 1},)]
    }


@row("API-05", eager_because=TREES)
def test_update_state_replaces_whole_entries_everywhere() -> None:
    st: Any = {"a": {"carry": (f32([1]), f32([2])), "training": True}, "b": [{"carry": 0}]}
    before = deepcopy(st)
    assert lxc.update_state(st, "carry", None) == {
        "a": {"carry": None, "training": True},
        "b": [{"carry": None}],
    }
    same(lxc.update_state(st, "absent", 1), before)
    same(st, before)


@row("API-05")
def test_two_variational_dropouts_get_both_masks_anew(column: Column) -> None:
    model = nn.Chain(nn.VariationalHiddenDropout(0.5), nn.VariationalHiddenDropout(0.5))
    ps, st = lxc.setup(0, model)
    x = np.ones((8, 8), np.float32)
    call = column.built(model, x, ps, st)
    _, st = call(x, ps, st)
    kept = call(x, ps, st)[1]
    asked = lxc.update_state(st, "update_mask", True)
    anew = call(x, ps, asked)[1]
    for name in ("layer_1", "layer_2"):
        assert bool(np.all(asked[name]["update_mask"]))
        same(np.asarray(kept[name]["mask"]), np.asarray(st[name]["mask"]))
        assert not np.array_equal(anew[name]["mask"], st[name]["mask"])


@row("API-06")
def test_another_mode_never_runs_the_code_of_the_first(column: Column) -> None:
    model = nn.Chain(nn.Dense(4, 4), nn.Dropout(0.5))
    ps, st = lxc.setup(0, model)
    off = lxc.testmode(st)
    x = draw(6, 4)
    call = column.built(model, x, ps, st)
    trained, tested = call(x, ps, st)[0], column(model, x, ps, off)[0]
    assert 0 < np.count_nonzero(np.asarray(trained) == 0) < 24
    weight, bias = (torch.tensor(leaf) for leaf in ps["layer_1"].values())
    close_sums(tested, functional.linear(torch.tensor(x), weight, bias).numpy())
    if column.name == "eager":
        same(call(x, ps, off)[0], tested)
    if "level" not in column.name:
        return
    with pytest.raises(LxcError, match="another value of training") as caught:
        call(x, ps, off)
    assert caught.value.code == "LXC-E0504"
    assert caught.value.layer == "layer_2"
    assert caught.value.expected == "layer_2.training = true"
    assert caught.value.actual == "layer_2.training = false"


@row("API-06", eager_because=TREES)
def test_the_mode_is_a_setting_and_never_a_tensor() -> None:
    model = nn.Dropout(0.5)
    ps, st = lxc.setup(0, model)
    assert st["training"] is True
    x = draw(2, 2)
    graphs = [str(lxc.trace(model, x, ps, state)) for state in (st, lxc.testmode(st))]
    assert ["random_bits" in graph for graph in graphs] == [True, False]
    assert [value.name for value in lxc.trace(model, x, ps, st).state] == ["$rng"]
    with pytest.raises(LxcError) as caught:
        lxc.trace(model, x, ps, {**st, "training": np.array(True)})
    assert caught.value.code == "LXC-E0104"


def counted() -> Any:
    return nn.Chain(
        nn.Dense(784, 64), nn.BatchNorm(64, nn.relu), nn.Dense(64, 10), nn.BatchNorm(10)
    )


@row("API-13", eager_because=TREES)
def test_parameters_are_counted() -> None:
    ps, _ = lxc.setup(0, counted())
    assert lxc.parameter_count(ps) == 51_038
    assert lxc.parameter_count({}) == 0
    assert lxc.parameter_count(ps["layer_2"]) == 128


@row("API-14", eager_because=TREES)
def test_states_are_counted() -> None:
    _, st = lxc.setup(0, counted())
    parts = [lxc.state_count(part) for part in st.values()]
    assert parts == [0, 129, 0, 21]
    assert lxc.state_count(st) == 150
    _, random = lxc.setup(0, nn.Dropout(0.5))
    assert lxc.state_count(random) == 2
    assert lxc.state_count({"rng": random["rng"], "training": True, "carry": None}) == 3


@row("API-15")
def test_two_dropouts_in_one_chain_draw_apart(column: Column) -> None:
    copies = nn.BranchLayer(nn.Dropout(0.5), nn.Chain(nn.identity, nn.Dropout(0.5)))
    model = nn.Chain(lambda x: x + 1, copies)
    ps, st = lxc.setup(0, model)
    keys = [st["layer_2"][name]["rng"] for name in ("layer_1", "layer_2")]
    assert not np.array_equal(*keys)
    one, two = column(model, np.zeros((8, 8), np.float32), ps, st)[0]
    masks = [np.asarray(y) == 0 for y in (one, two)]
    assert all(0 < mask.sum() < 64 for mask in masks)
    assert not np.array_equal(*masks)


@row("API-15", eager_because=TREES)
def test_every_layer_that_may_draw_has_a_key_of_its_own() -> None:
    drawing = {
        "dropout": nn.Dropout(0.5),
        "alpha": nn.AlphaDropout(0.5),
        "variational": nn.VariationalHiddenDropout(0.5),
        "rnn": nn.RNNCell(1, 1),
        "lstm": nn.LSTMCell(1, 1),
        "gru": nn.GRUCell(1, 1),
    }
    _, st = lxc.setup(0, nn.Parallel(None, **drawing))
    keys = [tuple(part["rng"]) for part in st.values()]
    assert len(set(keys)) == len(drawing)


@row("API-15", eager_because=TREES)
def test_set_up_advances_the_generator_once_per_drawing_layer() -> None:
    generator = np.random.default_rng(5)
    _, st = lxc.setup(generator, nn.Chain(nn.Dropout(0.5), np.tanh, nn.Dropout(0.1)))
    twin = np.random.default_rng(5)
    for name in ("layer_1", "layer_3"):
        same(st[name]["rng"], twin.integers(0, 2**32, 2, dtype=np.uint32))
    assert generator.random() == twin.random()
