"""Parameters that are moved into the state."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.ir import Graph
from lxc.ir.node import walk
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.targets import targets_named
from lxc.targets.compile import target_program
from tests.frontend.modes import Mode, close, draw, same

TARGET = "x86-64-v2"


def model() -> Any:
    return nn.Chain(nn.Dense(3, 4), nn.BatchNorm(4, nn.relu), nn.Dense(4, 2))


def trained() -> tuple[Any, Any]:
    """Return parameters and state of the model, none of them trivial."""
    ps, st = lxc.setup(0, model())
    ps["layer_2"]["scale"], ps["layer_2"]["bias"] = draw(4, seed=1), draw(4, seed=2)
    st["layer_2"]["running_mean"] = draw(4, seed=3)
    return ps, lxc.testmode(st)


def split(layer: Any, *arguments: Any) -> dict[str, list[str]]:
    """Return the names of the ops that run once, and of those that run in every call."""
    traced = lxc.trace(layer, *arguments)
    flat = run_passes(traced, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(flat, Graph)
    _, program = target_program(flat, targets_named(TARGET)[0])
    halves = {"prepare": program.prepare, "run": program.run}
    return {name: [n.op.name for n in walk(half.nodes)] for name, half in halves.items()}


def test_all_parameters_move_into_the_state(run: Mode) -> None:
    ps, st = trained()
    frozen, rest, state = nn.freeze(model(), ps, st)
    assert rest == {}
    assert list(state) == ["frozen_params", "states"]
    same(state["frozen_params"], ps)
    x = draw(5, 3)
    y, after = run.lux(frozen, x, rest, state)
    close(y, model()(x, ps, st)[0])
    same(after, state)


def test_names_and_paths_choose_what_moves(run: Mode) -> None:
    ps, st = trained()
    frozen, rest, state = nn.freeze(model(), ps, st, ("layer_1", "layer_3.bias"))
    assert list(lxc.flat_names(rest)) == ["layer_2.scale", "layer_2.bias", "layer_3.weight"]
    assert list(lxc.flat_names(state["frozen_params"])) == [
        "layer_1.weight",
        "layer_1.bias",
        "layer_3.bias",
    ]
    x = draw(5, 3)
    close(run.lux(frozen, x, rest, state)[0], model()(x, ps, st)[0])


def test_a_frozen_layer_is_set_up_like_any_other() -> None:
    layer = nn.Chain(nn.freeze(nn.Dense(3, 4), "weight"), nn.freeze(nn.BatchNorm(4)))
    ps, st = lxc.setup(0, layer)
    assert list(lxc.flat_names(ps)) == ["layer_1.bias"]
    assert list(lxc.flat_names(st)) == [
        "layer_1.frozen_params.weight",
        "layer_2.frozen_params.scale",
        "layer_2.frozen_params.bias",
        "layer_2.states.running_mean",
        "layer_2.states.running_var",
    ]
    same(lxc.setup(0, layer), (ps, st))
    assert lxc.testmode(st)["layer_2"]["states"]["training"] is False


def test_training_changes_the_state_and_no_frozen_parameter(run: Mode) -> None:
    ps, st = trained()
    frozen, rest, state = nn.freeze(model(), ps, lxc.trainmode(st), "layer_2")
    x = draw(5, 3)
    y, after = run.lux(frozen, x, rest, state)
    expected, wanted = model()(x, ps, lxc.trainmode(st))
    close(y, expected, atol=1e-5)
    same(after["frozen_params"], state["frozen_params"])
    close(after["states"]["layer_2"]["running_mean"], wanted["layer_2"]["running_mean"])


def test_unfreezing_gives_back_what_was_frozen() -> None:
    ps, st = trained()
    names = ["layer_1.weight", "layer_2"]
    layer, params, state = nn.unfreeze(*nn.freeze(model(), ps, st, names))
    assert layer == model()
    assert nn.unfreeze(nn.freeze(model())) == model()
    assert lxc.flat_names(params).keys() == lxc.flat_names(ps).keys()
    for name, array in lxc.flat_names(ps).items():
        assert lxc.flat_names(params)[name] is array
    same(state, st)


def test_no_names_freeze_nothing() -> None:
    ps, st = trained()
    assert nn.freeze(model(), ()) == model()
    layer, params, state = nn.freeze(model(), ps, st, which=[])
    assert (layer, params is ps, state is st) == (model(), True, True)


def test_frozen_leaves_are_frozen_in_an_artifact_and_norms_fold_into_them() -> None:
    ps, st = trained()
    frozen, rest, state = nn.freeze(model(), ps, st, ["layer_1", "layer_2"])
    x = draw(5, 3)
    m = lxc.compile(frozen, x, rest, state, target=TARGET)
    leaves = {leaf.name: leaf.frozen for leaf in m.signature.state.leaves}
    assert len(leaves) == 6
    assert all(leaves.values())
    assert [leaf.name for leaf in m.signature.params.leaves] == [
        "layer_3.weight",
        "layer_3.bias",
    ]
    close(m(x, rest, state)[0], model()(x, ps, st)[0], rtol=1e-4, atol=1e-5)
    once, always = (
        split(*each) for each in ((frozen, x, rest, state), (model(), x, ps, st))
    )
    assert "sqrt" in once["prepare"]
    assert "sqrt" not in once["run"]
    assert once["run"] == always["run"]


def test_messages_name_layers_inside_by_the_path_of_their_parameters() -> None:
    layer = nn.Chain(body=nn.freeze(nn.Chain(head=nn.Dense(3, 4))))
    ps, st = lxc.setup(0, layer)
    with pytest.raises(LxcError) as caught:
        layer(draw(5, 2), ps, st)
    assert str(caught.value.layer).startswith("body.head (Dense)")


@pytest.mark.parametrize("name", ["layer_1.wieght", "layer_9", "layer_1.weight.more"])
def test_a_name_that_is_no_parameter_is_refused(name: str) -> None:
    for make in (
        lambda: nn.freeze(model(), *trained(), name),
        lambda: lxc.setup(0, nn.freeze(model(), name)),
    ):
        with pytest.raises(LxcError, match=f"no parameter {name}") as caught:
            make()
        assert caught.value.code == "LXC-E0101"


def test_parameters_that_are_still_there_are_refused() -> None:
    ps, st = trained()
    frozen, _, state = nn.freeze(model(), ps, st, "layer_1.weight")
    with pytest.raises(LxcError, match=r"layer_1\.weight is frozen") as caught:
        frozen(draw(5, 3), ps, state)
    assert caught.value.code == "LXC-E0105"


def test_only_frozen_layers_can_be_unfrozen_and_trees_come_in_pairs() -> None:
    with pytest.raises(LxcError, match="only a frozen layer"):
        nn.unfreeze(nn.Dense(2, 2))
    wrong: Any = nn.freeze
    too_many: list[list[Any]] = [[{}, {}, None, 1], [{}, {}, {}, {}]]
    for trees in too_many:
        with pytest.raises(LxcError) as caught:
            wrong(nn.Dense(2, 2), *trees)
        assert caught.value.code == "LXC-E0001"


def test_arrays_stay_the_same_objects() -> None:
    ps, st = trained()
    _, rest, state = nn.freeze(model(), ps, st, "layer_1")
    assert rest["layer_3"]["weight"] is ps["layer_3"]["weight"]
    assert np.shares_memory(
        state["frozen_params"]["layer_1"]["weight"], ps["layer_1"]["weight"]
    )
