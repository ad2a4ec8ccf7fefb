"""Which inputs of a compiled model hold indices, and what its callers are told."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn, ops
from lxc.commands.inspect import note
from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.runtime.signature import Dim, Group, Leaf, Signature
from lxc.structure import LEAF
from lxc.targets.index_ranges import index_ranges
from lxc.targets.llvm.c_abi import render

IDS = lxc.TensorSpec((lxc.Dim("N", 1, 8), 2), "int32")
LONG = np.zeros((9, 3), np.float32)
SHORT = np.ones((7, 3), np.float32)


def ranges(model: Any, x: Any, ps: Any) -> dict[str, int]:
    """Return what is found for a model, by the names of inputs."""
    graph = lxc.trace(model, x, ps, {})
    done = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(done, Graph)
    return {value.name: below for value, below in index_ranges(done).items()}


class Reader(nn.Layer):
    """Apply a function to ids and two tables."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        return self.function(x, ps), st


TABLES = {"long": LONG, "short": SHORT}


def test_the_smallest_table_counts() -> None:
    model = Reader(lambda x, ps: [ops.lookup(ps[name], x) for name in ps])
    assert ranges(model, IDS, TABLES) == {"%x": 7}


def test_every_input_has_a_table_of_its_own() -> None:
    def function(x: Any, ps: Any) -> Any:
        return ops.lookup(ps["long"], x["a"]), ops.lookup(ps["short"], x["b"])

    assert ranges(Reader(function), {"a": IDS, "b": IDS}, TABLES) == {
        "%x.a": 9,
        "%x.b": 7,
    }


@pytest.mark.parametrize(
    "moved",
    [
        lambda x: x.reshape(-1),
        lambda x: np.flip(x.T, 0),
        lambda x: np.broadcast_to(x, (3, *x.shape)),
        lambda x: x.astype(np.int64),
    ],
)
def test_indices_may_move_on_the_way(moved: Any) -> None:
    model = Reader(lambda x, ps: ops.lookup(ps["short"], moved(x)))
    assert ranges(model, IDS, TABLES) == {"%x": 7}


@pytest.mark.parametrize(
    "changed",
    [
        lambda x: x[:, 0],
        lambda x: x + 1,
        lambda x: x.astype(np.int8),
        lambda x: x.astype(np.uint32),
        lambda x: x.astype(np.float32).astype(np.int32),
    ],
)
def test_parts_of_an_input_and_other_numbers_do_not_count(changed: Any) -> None:
    model = Reader(lambda x, ps: ops.lookup(ps["short"], changed(x)))
    assert ranges(model, IDS, TABLES) == {}


def test_take_has_its_own_rule_for_what_is_outside() -> None:
    for mode in ("raise", "clip", "wrap"):
        model = Reader(lambda x, ps, m=mode: ops.take(ps["short"], x, 0, mode=m))
        assert ranges(model, IDS, TABLES) == {}


@pytest.fixture(scope="module")
def embedding() -> tuple[Any, Any]:
    """Return a compiled table of seven rows, and its parameters."""
    model = nn.Embedding(7, 3)
    ps, st = lxc.setup(0, model)
    return lxc.compile(model, IDS, ps, st, target="x86-64-v2"), ps


def test_every_way_to_call_checks_the_indices(embedding: tuple[Any, Any]) -> None:
    model, ps = embedding
    ids = np.array([[0, 6], [1, 2]], np.int32)
    out = np.zeros((2, 2, 3), np.float32)
    bound = model.bind(ps, {})
    placed = bound.at(inputs=ids, outputs=out)
    calls = (lambda: model(ids, ps, {}), lambda: bound(ids, {}), placed)
    for call in calls:
        call()
    np.testing.assert_array_equal(out, ps["weight"][ids])
    for wrong in (7, -1):
        ids[1, 1] = wrong
        for call in calls:
            with pytest.raises(LxcError, match="outside of its table") as caught:
                call()
            assert caught.value.code == "LXC-E0501"
            assert caught.value.expected == "x: 0..6"


def test_an_empty_input_holds_no_index() -> None:
    model = nn.Embedding(7, 3)
    ps, st = lxc.setup(0, model)
    ids = lxc.TensorSpec((lxc.Dim("N", 0, 4),), "int64")
    compiled = lxc.compile(model, ids, ps, st, target="x86-64-v2")
    assert compiled(np.zeros(0, np.int64), ps, st)[0].shape == (0, 3)


def test_header_and_inspection_show_the_range() -> None:
    ids = Leaf("x", "int32", ("N",), below=7)
    y = Leaf("y", "float32", ("N",))
    groups = (Group(LEAF, (ids,)), Group(), Group(), Group(LEAF, (y,)))
    signature = Signature("rows", "lux", "test", (Dim("N", 1, 8),), *groups)
    header = render("rows", signature, 0, 0).header
    assert "/* inputs[0]: x int32[N] (0 to 6) */" in header
    assert [note(ids), note(y)] == ["0..6", ""]
