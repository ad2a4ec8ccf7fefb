"""Set-up, modes and edits of the state."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from lxc import kaun, nn
from lxc.errors import LxcError
from lxc.frontend import apply, setup, trace_layer, trainmode, update_state
from lxc.frontend import testmode as in_test_mode
from lxc.frontend.setup import with_mode
from lxc.tracing import trace
from lxc.tree import flatten
from tests.frontend.modes import draw, same


def model() -> Any:
    body = nn.Parallel(None, nn.Chain(nn.Dense(4, 3), nn.BatchNorm(3)), nn.Dropout(0.5))
    return nn.Chain(nn.Dense(4, 4), nn.BranchLayer(body, nn.BatchNorm(4)))


def test_api_01_one_seed_gives_one_model() -> None:
    same(setup(3, model()), setup(3, model()))
    generator = np.random.default_rng(3)
    first, second = setup(generator, model()), setup(generator, model())
    same(first, setup(3, model()))
    weights = [ps["layer_1"]["weight"] for ps, _ in (first, second)]
    assert not np.array_equal(*weights)


def test_api_01_trees_are_read_only() -> None:
    for tree in setup(0, model()):
        for leaf in flatten(tree)[0]:
            with pytest.raises(ValueError, match="read-only"):
                leaf[...] = 0


def test_api_01_functions_are_models_like_layers() -> None:
    assert setup(0, np.tanh) == ({}, {})
    assert setup(0, lambda x, ps, st: (x, st)) == ({}, {})
    graph = trace(np.tanh, draw(2, 2), *setup(0, np.tanh))
    assert "tanh" in str(graph)


@pytest.mark.parametrize("seed", ["a", -1, 1.5])
def test_api_01_what_is_no_seed_is_refused(seed: Any) -> None:
    for make in (lambda: setup(seed, model()), lambda: kaun.init(kaun.relu(), rng=seed)):
        with pytest.raises(LxcError, match="come from a seed") as error:
            make()
        assert error.value.code == "LXC-E0001"
        assert error.value.actual == repr(seed)


def test_api_02_apply_calls_the_layer_and_calls_are_pure() -> None:
    layer = nn.Dropout(0.5)
    ps, st = setup(0, layer)
    x = draw(5, 5)
    same(apply(layer, x, ps, st), layer(x, ps, st))
    same(layer(x, ps, st), layer(x, ps, st))


def test_api_03_and_04_modes_reach_every_depth_and_change_nothing_else() -> None:
    _, st = setup(0, model())
    before = deepcopy(st)
    off = in_test_mode(st)
    same(st, before)
    branch = off["layer_2"]["layer_1"]
    assert branch["layer_1"]["layer_2"]["training"] is False
    assert branch["layer_2"]["training"] is False
    assert off["layer_2"]["layer_2"]["training"] is False
    same(trainmode(off), st)
    same(in_test_mode(trainmode(st)), off)


def test_api_05_update_state_replaces_whole_entries_everywhere() -> None:
    st: Any = {"a": {"carry": (1.0, 2.0), "training": True}, "b": [{"carry": None}]}
    assert update_state(st, "carry", None) == {
        "a": {"carry": None, "training": True},
        "b": [{"carry": None}],
    }
    assert update_state(st, "training", False)["a"]["training"] is False
    assert st["a"]["training"] is True


def test_api_06_the_mode_selects_the_graph() -> None:
    layer = nn.Dropout(0.5)
    ps, st = setup(0, layer)
    x = draw(2, 2)
    training, testing = (
        trace_layer(layer, x, ps, state) for state in (st, in_test_mode(st))
    )
    assert "random_bits" in str(training)
    assert "random_bits" not in str(testing)
    assert len(training.state) == 1


def test_api_07_same_pads_are_equal_and_printable() -> None:
    assert nn.SamePad() == nn.SamePad()
    assert repr(nn.SamePad()) == "SamePad()"


def count_model() -> Any:
    return nn.Chain(
        nn.Dense(784, 64), nn.BatchNorm(64, nn.relu), nn.Dense(64, 10), nn.BatchNorm(10)
    )


def test_api_13_and_14_parameters_and_states_are_counted() -> None:
    ps, st = setup(0, count_model())
    assert sum(leaf.size for leaf in flatten(ps)[0]) == 51_038
    leaves, structure = flatten(st)
    assert sum(leaf.size for leaf in leaves) + len(structure.statics()) == 150


def test_with_mode_knows_two_modes() -> None:
    st = {"training": True}
    assert with_mode(st, "test") == {"training": False}
    assert with_mode(st, "train") == {"training": True}
    assert with_mode(st, None) is st
    with pytest.raises(LxcError, match="no mode 'eval'"):
        with_mode(st, "eval")
