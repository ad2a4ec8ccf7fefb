"""The functions that are made for one structure."""

from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np
import pytest

from lxc.runtime.tree_code import SMALL, comparison
from lxc.runtime.trees import MisfitError, builder, reader
from lxc.structure import LEAF, NONE, Structure
from lxc.tree import flatten

ONE, TWO, THREE = (np.full(2, value) for value in (1, 2, 3))


def dict_of(**children: Structure) -> Structure:
    return Structure("dict", tuple(children), tuple(children.values()))


TREE: Any = {
    "a": {"weight": ONE, "bias": TWO},
    "b": [THREE, (), None, {"flag": True, "rate": 0.5, "name": "x"}],
    "c": (ONE,),
    "d": {},
}


def read(structure: Structure, tree: Any) -> list[Any]:
    leaves: list[Any] = []
    reader(structure)(tree, leaves)
    return leaves


def test_what_a_reader_takes_apart_a_builder_puts_together() -> None:
    leaves, structure = flatten(TREE)
    found = read(structure, TREE)
    assert [id(leaf) for leaf in found] == [id(leaf) for leaf in leaves]
    assert builder(structure)(found) == TREE


def test_a_builder_makes_new_containers_every_time() -> None:
    leaves, structure = flatten(TREE)
    first, second = builder(structure)(leaves), builder(structure)(leaves)
    assert first["d"] is not second["d"]
    assert first["b"] is not second["b"]


def test_keys_may_stand_in_another_order_and_in_any_kind_of_dict() -> None:
    structure = dict_of(a=LEAF, b=LEAF)
    for tree in ({"b": TWO, "a": ONE}, OrderedDict(b=TWO, a=ONE)):
        found = read(structure, tree)
        assert found[0] is ONE
        assert found[1] is TWO


@pytest.mark.parametrize(
    ("structure", "tree"),
    [
        (dict_of(a=LEAF), {}),
        (dict_of(a=LEAF), {"b": ONE}),
        (dict_of(a=LEAF), {"a": ONE, "b": TWO}),
        (dict_of(a=LEAF), [ONE]),
        (dict_of(a=LEAF), {"a": None}),
        (dict_of(a=LEAF), {"a": {}}),
        (dict_of(a=LEAF), {"a": 1.5}),
        (dict_of(), {"a": ONE}),
        (dict_of(), []),
        (LEAF, None),
        (LEAF, (ONE,)),
        (NONE, ONE),
        (Structure("list", (), (LEAF,)), (ONE,)),
        (Structure("tuple", (), (LEAF,)), [ONE]),
        (Structure("tuple", (), (LEAF,)), ()),
        (Structure("static", value=True), 1),
        (Structure("static", value=1), True),
        (Structure("static", value=1.0), 1),
        (Structure("static", value="x"), "y"),
    ],
)
def test_a_tree_of_another_structure_is_given_up(structure: Structure, tree: Any) -> None:
    with pytest.raises(MisfitError):
        read(structure, tree)


def test_a_key_that_a_dict_would_make_up_is_missing() -> None:
    tree: Any = defaultdict(lambda: ONE, b=TWO)
    with pytest.raises(MisfitError):
        read(dict_of(a=LEAF, b=LEAF), tree)


@pytest.mark.parametrize(
    "key", ["'", '"', "\\", "\n", "a'] or exit() #", "\x00", "ü", "{}"]
)
def test_a_key_is_nothing_but_a_string(key: str) -> None:
    structure = Structure("dict", (key,), (LEAF,))
    assert read(structure, {key: ONE})[0] is ONE
    assert builder(structure)([ONE])[key] is ONE


def test_trees_may_be_as_deep_as_a_file_allows() -> None:
    tree: Any = ONE
    for level in range(99):
        tree = [tree] if level % 2 else {"a": tree}
    leaves, structure = flatten(tree)
    assert read(structure, tree)[0] is ONE
    assert builder(structure)(leaves) == tree


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_lists_are_compared_by_identity(count: int) -> None:
    same = comparison(count)
    leaves = [np.zeros(1) for _ in range(count)]
    assert same(leaves, tuple(leaves)) is True
    for place in {0, count // 2, count - 1} if count else ():
        other = [*leaves]
        other[place] = leaves[place].copy()
        assert same(other, leaves) is False


def network(layers: int, flags: list[Any]) -> Any:
    """Return a tree with many parts that are alike but for a setting."""
    arrays = iter([np.full(1, number) for number in range(3 * layers)])
    return {
        f"layer_{number}": {
            "norm": [next(arrays), (next(arrays),)],
            "flag": flags[number % len(flags)],
            "weight": next(arrays),
        }
        for number in range(layers)
    }


@pytest.mark.parametrize("layers", [1, SMALL // 8, SMALL, 5 * SMALL])
@pytest.mark.parametrize("flags", [[True], [True, 1, 1.0, "1"]])
def test_large_trees_are_read_and_built_like_small_ones(
    layers: int, flags: list[Any]
) -> None:
    tree = network(layers, flags)
    leaves, structure = flatten(tree)
    found = read(structure, tree)
    assert [id(leaf) for leaf in found] == [id(leaf) for leaf in leaves]
    built = builder(structure)(found)
    assert built == tree
    assert repr(built) == repr(tree)
    last = tree[f"layer_{layers - 1}"]
    for key, wrong in (("flag", None), ("weight", None), ("norm", [leaves[0]])):
        right, last[key] = last[key], wrong
        with pytest.raises(MisfitError):
            read(structure, tree)
        last[key] = right
    if layers > 3 and len(flags) == 4:
        tree["layer_0"]["flag"] = 1
        with pytest.raises(MisfitError):
            read(structure, tree)


def test_a_tie_between_parts_of_a_large_tree_is_compared() -> None:
    tree = network(SMALL, [True])
    leaves, structure = flatten(tree)
    tied = Structure(
        "dict",
        (*structure.keys, "head"),
        (*structure.children, Structure("same", value=len(leaves) - 1)),
    )
    shared = {**tree, "head": leaves[-1].copy()}
    assert len(read(tied, shared)) == len(leaves)
    assert builder(tied)(leaves)["head"] is leaves[-1]
    shared["head"] = leaves[0]
    with pytest.raises(MisfitError):
        read(tied, shared)


def test_something_optional_in_a_large_tree_may_be_missing() -> None:
    structure = flatten(network(SMALL, [True]))[1]
    optional = Structure("optional", (), (structure,))
    whole = Structure("list", (), (optional, LEAF, optional))
    tree = network(SMALL, [True])
    leaves = read(whole, [None, ONE, tree])
    assert leaves[: structure.leaf_count + 1] == [None] * (structure.leaf_count + 1)
    assert leaves[structure.leaf_count + 1] is ONE
    leaves[0] = np.array(False)
    built = builder(whole)(leaves)
    assert built[0] is None
    assert built[1] is ONE
    assert built[2] == tree
