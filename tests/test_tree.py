"""Trees come apart and go together again, in one order and with every kind of entry."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lxc.errors import LxcError
from lxc.structure import (
    EMPTY,
    LEAF,
    NONE,
    Structure,
    print_float,
    quote,
    structure_from_json,
)
from lxc.tree import flatten, map_leaves, unflatten


class Leaf:
    """Something that is no part of a tree."""


KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,3}", fullmatch=True)
ENTRIES = st.one_of(
    st.builds(Leaf),
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
)
TREES = st.recursive(
    ENTRIES,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.lists(below, max_size=3).map(tuple),
        st.dictionaries(KEYS, below, max_size=3),
    ),
    max_leaves=8,
)


@given(TREES)
def test_a_tree_goes_together_as_it_came_apart(tree: Any) -> None:
    leaves, structure = flatten(tree)
    assert unflatten(structure, leaves) == tree
    assert structure.leaf_count == len(leaves) == len(structure.paths())
    assert all(isinstance(leaf, Leaf) for leaf in leaves)


@given(TREES)
def test_json_holds_every_structure(tree: Any) -> None:
    structure = flatten(tree)[1]
    text = json.dumps(structure.to_json())
    assert structure_from_json(json.loads(text)) == structure


def test_leaves_come_in_insertion_order_under_their_paths() -> None:
    b, a, c = Leaf(), Leaf(), Leaf()
    leaves, structure = flatten({"b": [b, None], "a": {"x": (1.5, a)}, "c": c, "on": True})
    assert leaves == [b, a, c]
    assert structure.paths() == ["b.0", "a.x.1", "c"]
    assert structure.paths("in") == ["in.b.0", "in.a.x.1", "in.c"]
    assert structure.statics() == [("a.x.0", 1.5), ("on", True)]
    assert str(structure) == "{b: [*, none], a: {x: (0x1.8p+0, *)}, c: *, on: true}"


def test_one_entry_of_a_tuple_keeps_its_comma() -> None:
    assert str(flatten((Leaf(),))[1]) == "(*,)"
    assert str(flatten(())[1]) == "()"


@pytest.mark.parametrize("key", ["1a", "a b", "", "a.b", "ä", 3, None])
def test_a_key_that_is_no_name_is_refused_with_its_place(key: Any) -> None:
    with pytest.raises(LxcError) as caught:
        flatten({"outer": {key: 1}})
    assert (caught.value.code, caught.value.layer) == ("LXC-E0102", "outer")


def test_too_many_leaves_are_refused() -> None:
    with pytest.raises(LxcError, match="2 leaves do not fit"):
        unflatten(LEAF, [1, 2])


def test_leaves_are_mapped_and_the_rest_stays() -> None:
    leaf = Leaf()
    assert map_leaves(lambda _: "new", {"a": leaf, "b": [None, 2, leaf]}) == {
        "a": "new",
        "b": [None, 2, "new"],
    }


@pytest.mark.parametrize(
    "value",
    [
        *("**", 3, [], {}, {"dict": {}}, {"dict": [["a"]]}, {"list": "*"}, {"set": []}),
        *({"dict": [["a", "*"], ["a", "*"]]}, {"dict": [[1, "*"]]}, {"static": []}),
        {"a": 1, "b": 2},
    ],
)
def test_json_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(LxcError, match="does not describe a tree"):
        structure_from_json(value)


def test_json_that_is_nested_without_end_is_refused() -> None:
    value: Any = "*"
    for _ in range(5000):
        value = {"list": [value]}
    with pytest.raises(LxcError):
        structure_from_json(value)


@given(st.floats())
def test_floats_print_to_the_last_bit(number: float) -> None:
    back = float.fromhex(print_float(number))
    assert back == number or (math.isnan(back) and math.isnan(number))
    assert math.copysign(1, back) == math.copysign(1, number) or math.isnan(number)


def test_text_is_quoted_on_one_line() -> None:
    assert quote('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


def test_the_constants_are_what_they_say() -> None:
    assert flatten(None)[1] == NONE
    assert flatten({})[1] == EMPTY == Structure("dict")
