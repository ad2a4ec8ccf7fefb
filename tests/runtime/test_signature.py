"""The description of a model: what can be said, and what is refused."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lxc.errors import LxcError
from lxc.runtime import extent
from lxc.runtime.extent import Extent
from lxc.runtime.signature import Dim, Group, Leaf, check, identifier, leaf_to_json
from lxc.runtime.signature_json import leaf_from_json, signature_from_json
from lxc.structure import LEAF

Toy = Any


def extents() -> st.SearchStrategy[Extent]:
    leaves: st.SearchStrategy[Extent] = st.one_of(
        st.integers(-50, 50), st.sampled_from(["N", "T"])
    )

    def grow(inner: st.SearchStrategy[Extent]) -> st.SearchStrategy[Extent]:
        return st.one_of(
            st.tuples(st.sampled_from(["+", "*"]), inner, inner),
            st.tuples(st.just("//"), inner, st.integers(1, 9)),
        )

    return st.recursive(leaves, grow, max_leaves=8)


@given(extents())
def test_an_extent_survives_json(value: Extent) -> None:
    written = json.dumps(extent.to_json(value))
    assert extent.from_json(json.loads(written)) == value


@given(extents(), st.integers(1, 9), st.integers(0, 20))
def test_an_extent_lies_within_its_interval(value: Extent, n: int, t: int) -> None:
    low, high = extent.interval(value, {"N": (1, 9), "T": (0, 20)})
    assert low <= extent.evaluate(value, {"N": n, "T": t}) <= high


@given(extents(), st.integers(1, 9), st.integers(0, 20))
def test_an_extent_is_shown_as_python_would_compute_it(
    value: Extent, n: int, t: int
) -> None:
    shown = extent.show(value)
    assert re.fullmatch(r"[-NT0-9+*/() ]+", shown)
    dims = {"N": n, "T": t}
    tokens = re.sub(r"[NT]", lambda found: f"({dims[found[0]]})", shown)
    assert arithmetic(tokens) == extent.evaluate(value, dims)


def arithmetic(text: str) -> int:
    """Compute an expression of numbers, +, *, // and parentheses."""
    assert re.fullmatch(r"[-0-9+*/() ]+", text)
    return int(eval(text, {"__builtins__": {}}))


@pytest.mark.parametrize(
    "value",
    [None, True, 1.5, [], ["+", 1], ["-", 1, 2], ["+", 1, 2, 3], {"N": 1}, ["//", 1, None]],
)
def test_other_json_is_no_extent(value: Any) -> None:
    with pytest.raises(LxcError):
        extent.from_json(value)


def test_a_deep_extent_is_refused() -> None:
    value: Any = "N"
    for _ in range(5000):
        value = ["+", value, 1]
    with pytest.raises(LxcError):
        extent.from_json(value)


@pytest.mark.parametrize(
    "value",
    ["M", 2**63, ("*", 2**40, 2**40), ("*", "N", 2**62), ("//", 1, 0), ("//", 4, "Z")],
)
def test_an_extent_beyond_arithmetic_is_refused(value: Extent) -> None:
    with pytest.raises(LxcError):
        extent.interval(value, {"N": (1, 64), "Z": (0, 4)})


def test_a_signature_survives_json(toy: Toy) -> None:
    written = json.dumps(toy.signature.to_json())
    assert signature_from_json(json.loads(written)) == toy.signature


def test_indices_survive_json() -> None:
    ids = Leaf("x", "int32", ("N",), below=7)
    assert leaf_from_json(json.loads(json.dumps(leaf_to_json(ids)))) == ids


Change = Callable[[dict[str, Any]], object]


def leaf(value: dict[str, Any], group: str = "inputs") -> dict[str, Any]:
    found: dict[str, Any] = value[group]["leaves"][0]
    return found


CHANGES: dict[str, Change] = {
    "dtype": lambda v: leaf(v).update(dtype="object"),
    "dtype of another type": lambda v: leaf(v).update(dtype=["float32"]),
    "rank": lambda v: leaf(v).update(shape=[1] * 17),
    "negative": lambda v: leaf(v).update(shape=["N", -4]),
    "overflow": lambda v: leaf(v).update(shape=["N", 2**40, 2**30]),
    "unknown dimension": lambda v: leaf(v).update(shape=["N", "M"]),
    "path": lambda v: leaf(v).update(name="../x"),
    "path with a quote": lambda v: leaf(v).update(name='x"'),
    "frozen input": lambda v: leaf(v).update(frozen=True),
    "frozen false": lambda v: leaf(v).update(frozen=False),
    "indices that are floats": lambda v: leaf(v).update(below=4),
    "indices that are outputs": lambda v: leaf(v, "outputs").update(below=4, dtype="int32"),
    "indices of nothing": lambda v: leaf(v).update(below=0, dtype="int32"),
    "indices below a truth": lambda v: leaf(v).update(below=True, dtype="int32"),
    "unknown field": lambda v: leaf(v).update(extra=1),
    "no shape": lambda v: leaf(v).pop("shape"),
    "other path than the tree": lambda v: leaf(v, "params").update(name="layer.gain"),
    "more leaves than the tree": lambda v: v["inputs"]["leaves"].append(leaf(v)),
    "tree": lambda v: v["params"].update(tree={"set": []}),
    "tree with a repeated key": lambda v: v["params"].update(
        tree={"dict": [["a", "*"], ["a", "*"]]}
    ),
    "dims reversed": lambda v: v.update(dims=[["N", 9, 1]]),
    "dim twice": lambda v: v.update(dims=[["N", 1, 2], ["N", 1, 2]]),
    "dim that no input fixes": lambda v: v.update(dims=[["N", 1, 2], ["M", 1, 2]]),
    "dim with a bad name": lambda v: v.update(dims=[["N ", 1, 2]]),
    "dims as numbers": lambda v: v.update(dims=[1]),
    "mode": lambda v: v.update(mode="fast"),
    "too many leaves": lambda v: v["data"].extend([v["data"][0]] * 20_000),
    "constant twice": lambda v: v["data"].append(v["data"][0]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_description_that_breaks_a_rule_is_refused(toy: Toy, change: Change) -> None:
    value = json.loads(json.dumps(toy.signature.to_json()))
    change(value)
    with pytest.raises(LxcError) as caught:
        signature_from_json(value)
    assert caught.value.code == "LXC-E0402"


@given(
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text(max_size=4), inner, max_size=3),
        ),
    ),
    st.sampled_from(
        ["name", "dims", "inputs", "params", "state", "outputs", "data", "mode"]
    ),
)
def test_any_json_is_read_or_refused(value: Any, field: str) -> None:
    whole = {**EMPTY_SIGNATURE, field: value}
    code = "LXC-E0402"
    try:
        signature_from_json(whole)
    except LxcError as error:
        code = error.code
    assert code == "LXC-E0402"


NOTHING = {"tree": {"dict": []}, "leaves": []}
EMPTY_SIGNATURE: dict[str, Any] = {
    **{"name": "m", "calling": "lux", "mode": "test", "dims": [], "data": []},
    **dict.fromkeys(("inputs", "params", "state", "outputs"), NOTHING),
}


def test_a_signature_made_in_python_is_checked_too(toy: Toy) -> None:
    wide = Group(LEAF, (Leaf("y", "float32", ("N", ("*", "N", 2**60))),))
    with pytest.raises(LxcError):
        check(replace(toy.signature, outputs=wide))
    with pytest.raises(LxcError):
        check(replace(toy.signature, dims=(*toy.signature.dims, Dim("T", 1, 2))))


@given(st.text(max_size=100))
def test_any_name_becomes_the_start_of_c_names(name: str) -> None:
    made = identifier(name)
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", made, re.ASCII)
    assert identifier(made) == made
    assert made.lower() != "lxc"
