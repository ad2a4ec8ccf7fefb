"""The branches with classes of their own: what may be missing, lists in one array, ties."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from lxc.errors import LxcError
from lxc.runtime.buffers import PARAMS
from lxc.runtime.buffers import STATE as STATES
from lxc.runtime.misfit import describe_misfit
from lxc.runtime.signature import Group, Leaf
from lxc.runtime.trees import ABSENT, MisfitError, builder, reader
from lxc.structure import LEAF, Structure, structure_from_json
from lxc.tree import Optional, Unstacked, flatten, unflatten

CARRY = Structure("optional", (), (Structure("tuple", (), (LEAF, LEAF)),))
STATE = Structure("dict", ("steps", "carry"), (LEAF, CARRY))
STEPS = Structure("unstack", value=1)
TIED = Structure("dict", ("a", "b", "c"), (LEAF, LEAF, Structure("same", value=0)))


def read(structure: Structure, tree: Any) -> list[Any]:
    """Return the leaves that the run-time reader finds."""
    found: list[Any] = []
    reader(structure)(tree, found)
    return found


@pytest.mark.parametrize(
    ("structure", "text"),
    [
        (STATE, "{steps: *, carry: optional (*, *)}"),
        (STEPS, "unstack 1"),
        (TIED, "{a: *, b: *, c: same 0}"),
    ],
)
def test_a_branch_prints_and_survives_json(structure: Structure, text: str) -> None:
    assert str(structure) == text
    assert structure_from_json(json.loads(json.dumps(structure.to_json()))) == structure


@pytest.mark.parametrize(
    "value",
    [{"same": -1}, {"same": True}, {"unstack": "0"}, {"optional": []}, {"optional": "*"}],
)
def test_a_malformed_branch_is_refused(value: Any) -> None:
    with pytest.raises(LxcError):
        structure_from_json(value)


def test_an_optional_part_has_a_leaf_that_says_whether_it_is_there() -> None:
    given = [np.zeros(n) for n in range(4)]
    steps, present, hidden, memory = given
    leaves, structure = flatten(
        {"steps": steps, "carry": Optional(present, (hidden, memory))}
    )
    assert all(a is b for a, b in zip(leaves, given, strict=True))
    assert structure == STATE
    assert structure.paths() == ["steps", "carry.present", "carry.0", "carry.1"]
    assert structure.optional_leaves() == [range(1, 4)]
    again = unflatten(structure, leaves)
    assert again["carry"].present is present
    assert again["carry"].value[1] is memory


def test_the_reader_takes_none_a_value_and_an_optional() -> None:
    steps, h, c = (np.zeros(n) for n in range(3))
    assert read(STATE, {"steps": steps, "carry": None}) == [steps, *[ABSENT] * 3]
    _, present, *values = read(STATE, {"steps": steps, "carry": (h, c)})
    assert present
    assert values[0] is h
    flag = np.asarray(False)
    found = read(STATE, {"steps": steps, "carry": Optional(flag, (h, c))})
    assert found[1] is flag


def test_what_is_absent_comes_back_as_none() -> None:
    build = builder(STATE)
    h, c = np.zeros(2), np.ones(2)
    assert build([1, np.asarray(False), h, c]) == {"steps": 1, "carry": None}
    carry = build([1, np.asarray(True), h, c])["carry"]
    assert carry[0] is h
    assert carry[1] is c


def test_a_list_of_slices_is_one_leaf() -> None:
    array = np.arange(12).reshape(2, 3, 2)
    leaves, structure = flatten(Unstacked(array, 1))
    assert structure == STEPS
    assert leaves[0] is array
    made = builder(STEPS)([array])
    assert isinstance(made, list)
    np.testing.assert_array_equal(made[2], array[:, 2])
    assert np.shares_memory(made[0], array)
    steps = Unstacked(array, 1)
    assert len(steps) == 3
    np.testing.assert_array_equal(steps[-1], array[:, 2])
    np.testing.assert_array_equal(steps[1:][0], array[:, 1])


def test_an_object_at_two_places_is_one_leaf_of_a_tied_tree() -> None:
    one, two = np.zeros(2), np.zeros(2)
    tree = {"a": one, "b": two, "c": one}
    leaves, structure = flatten(tree, tied=True)
    assert structure == TIED
    assert len(leaves) == 2
    again = unflatten(structure, leaves)
    assert again["c"] is again["a"] is one
    assert builder(structure)(leaves)["c"] is one
    assert flatten(tree)[1].leaf_count == 3


def test_a_tie_to_a_later_leaf_is_unsound() -> None:
    assert TIED.is_sound()
    forward = Structure("dict", ("a", "b"), (Structure("same", value=0), LEAF))
    assert not forward.is_sound()
    inside = Structure("list", (), (LEAF, Structure("tuple", (), (LEAF, forward))))
    assert inside.is_sound() is True
    beyond = Structure("list", (), (LEAF, Structure("same", value=1)))
    assert not beyond.is_sound()


def test_a_tied_leaf_must_be_equal() -> None:
    one = np.asarray([1.0, 2.0])
    read(TIED, {"a": one, "b": one, "c": one.copy()})
    for other in (one + 1, one.astype(np.float32), np.zeros(3)):
        tree = {"a": one, "b": one, "c": other}
        with pytest.raises(MisfitError):
            read(TIED, tree)
        error = describe_misfit(TIED, tree, PARAMS, "")
        assert error.code == "LXC-E0509"
        assert "c and a" in str(error)


@pytest.mark.parametrize("other", [[[1], [1, 2]], {}, 1.0, None])
def test_what_is_no_array_is_not_a_tied_leaf(other: Any) -> None:
    one = np.asarray([1.0, 2.0])
    tree = {"a": one, "b": one, "c": other}
    with pytest.raises(MisfitError):
        read(TIED, tree)
    assert "c is missing" in str(describe_misfit(TIED, {"a": one, "b": one}, PARAMS, ""))
    said = describe_misfit(TIED, {"a": one, "c": one}, PARAMS, "")
    assert said.actual == "b is missing"


def test_a_tied_leaf_of_another_library_may_keep_its_contents() -> None:
    weight = torch.zeros(2, requires_grad=True)
    with pytest.raises(MisfitError):
        read(TIED, {"a": np.zeros(2), "b": np.zeros(2), "c": weight})


def test_a_misfit_names_what_is_missing_of_an_optional_part() -> None:
    steps, h = np.zeros(1), np.zeros(2)
    half = {"steps": steps, "carry": (h,)}
    assert describe_misfit(STATE, half, STATES, "").actual == "carry.1 is missing"
    without = describe_misfit(STATE, {"carry": None}, STATES, "")
    assert without.actual == "steps is missing"


def test_a_scalar_of_numpy_is_a_leaf() -> None:
    for scalar in (np.float64(1), np.float32(1), np.bool_(True)):
        assert flatten(scalar)[1] == LEAF
        assert read(LEAF, scalar) == [scalar]
    assert flatten(1.0)[1].kind == "static"


def test_a_stored_tree_may_lack_what_is_optional() -> None:
    names = STATE.paths()
    group = Group(STATE, tuple(Leaf(name, "float32", ()) for name in names))
    assert group.optional_names == {"carry.present", "carry.0", "carry.1"}
