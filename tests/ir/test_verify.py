"""Every invariant of the verifier has a graph that breaks it."""

import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.builder import make_node
from lxc.ir.dim import Dim, expression
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Body, Location, Node, Value
from lxc.ir.op import OPS
from lxc.ir.parser import parse
from lxc.ir.types import DType, TensorType
from lxc.ir.verify import BrokenInvariant, Verified, verify
from lxc.structure import EMPTY, LEAF, Structure

FOLDER = Path(__file__).parent / "invalid"
F32 = TensorType(DType.F32, (2,))
X = Value(F32, "%x")
TANH = make_node(OPS["tanh"], (X,), {}, location=Location(("layer_1", "layer_2"), "m.py:3"))
PLAIN = Graph("m", inputs=(X,), nodes=(TANH,), outputs=(TANH.result,))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.lxir")), ids=lambda path: path.stem)
def test_a_wrong_text_is_refused_where_it_is_wrong(path: Path) -> None:
    text = path.read_text()
    ((line, wanted),) = [
        (number, found.group(1))
        for number, content in enumerate(text.splitlines(), 1)
        if (found := re.search(r"; error: (.+)$", content))
    ]
    with pytest.raises(LxcError) as caught:
        verify(parse(text))
    assert wanted in caught.value.summary
    # The first line stands for the whole graph: the verifier knows no lines.
    assert (caught.value.code == "LXC-E0202") == (line == 1)
    if line > 1:
        assert caught.value.code == "LXC-E0201"
        assert caught.value.summary.startswith(f"line {line}:")


def body(*nodes: Node, parameters: tuple[Value, ...], outputs: tuple[Value, ...]) -> Body:
    return Body(parameters, nodes, outputs)


def fused(inner: Body, operands: tuple[Value, ...] = (X,)) -> Node:
    return Node(OPS["fused"], operands, {}, (Value(F32),), (inner,))


def with_node(node: Node) -> Graph:
    return PLAIN.replaced(nodes=(node,), outputs=node.results)


def with_header(shape: tuple[int, ...]) -> Graph:
    return Graph("m", inputs=(Value(F32.with_shape(shape), "%x"),))


WIDE = Dim("W", 1, 2**63)
HUGE = Value(F32.with_shape((2**62,)))
P = Value(F32)
STATE = Value(F32, "$s")
DATA = Value(F32, "#ab")
OTHER_N = TensorType(DType.F32, (expression(Dim("N", 1, 9)),))
BROKEN: list[tuple[str, int, Graph | Program]] = [
    ("a section with another sigil", 1, Graph("m", params=(X,), param_tree=LEAF)),
    ("a name that is no path", 1, Graph("m", inputs=(Value(F32, "%a..b"),))),
    ("a leaf that its tree lacks", 2, Graph("m", params=(Value(F32, "@w"),))),
    ("a tree with more leaves", 2, PLAIN.replaced(param_tree=LEAF)),
    ("a state without update", 2, PLAIN.replaced(state=(STATE,), state_tree=LEAF)),
    (
        "an update of another type",
        3,
        PLAIN.replaced(
            state=(STATE,), state_tree=LEAF, updates=(Value(F32.with_dtype(DType.I8)),)
        ),
    ),
    ("an operand from nowhere", 4, with_node(make_node(OPS["tanh"], (P,), {}))),
    ("an output from nowhere", 4, PLAIN.replaced(outputs=(P,))),
    ("a result that exists", 4, PLAIN.replaced(nodes=(TANH, TANH))),
    (
        "a use before the definition",
        4,
        PLAIN.replaced(nodes=(make_node(OPS["exp"], TANH.results, {}), TANH)),
    ),
    (
        "a body that reads from outside",
        4,
        with_node(fused(body(TANH, parameters=(P,), outputs=TANH.results))),
    ),
    (
        "a body that yields from outside",
        4,
        with_node(fused(body(parameters=(P,), outputs=(X,)))),
    ),
    (
        "a parameter that stands twice",
        4,
        with_node(fused(body(parameters=(P, P), outputs=(P,)), (X, X))),
    ),
    (
        "another result type",
        5,
        with_node(Node(OPS["tanh"], (X,), {"fast": True}, (Value(F32.with_shape((3,))),))),
    ),
    (
        "operands that the rule refuses",
        5,
        with_node(Node(OPS["bitwise_and"], (X, X), {}, (Value(F32),))),
    ),
    (
        "an attribute of another kind",
        5,
        with_node(Node(OPS["reverse"], (X,), {"axes": 0}, (Value(F32),))),
    ),
    ("too many parameters", 5, with_node(fused(body(parameters=(P, X), outputs=(P,))))),
    ("a missing attribute", 6, with_node(Node(OPS["tanh"], (X,), {}, (Value(F32),)))),
    (
        "attributes in another order",
        6,
        with_node(
            Node(
                OPS["reduce"],
                (X,),
                {"axes": (0,), "kind": "add"},
                (Value(F32.with_shape(())),),
            )
        ),
    ),
    (
        "a fused node without body",
        7,
        with_node(Node(OPS["fused"], (X,), {}, (Value(F32),))),
    ),
    (
        "a body where none belongs",
        7,
        with_node(
            Node(
                OPS["negate"],
                (X,),
                {},
                (Value(F32),),
                (body(parameters=(P,), outputs=(P,)),),
            )
        ),
    ),
    ("a body that yields nothing", 7, with_node(fused(body(parameters=(P,), outputs=())))),
    ("a dimension without bounds", 8, Graph("m", inputs=(Value(OTHER_N, "%x"),))),
    (
        "a dimension with other bounds",
        8,
        Graph("m", dims=(Dim("N", 1, 8),), inputs=(Value(OTHER_N, "%x"),)),
    ),
    (
        "data without contents",
        9,
        Graph("m", data=(DATA,), arrays={"#cd": np.zeros(2, np.float32)}),
    ),
    ("data of another type", 9, Graph("m", data=(DATA,), arrays={"#ab": np.zeros(2)})),
    (
        "a place between lines",
        10,
        PLAIN.replaced(places={TANH.result: 32}, arena_bytes=128),
    ),
    ("a place past the end", 10, PLAIN.replaced(places={TANH.result: 64}, arena_bytes=64)),
    (
        "a place before the start",
        10,
        PLAIN.replaced(places={TANH.result: -64}, arena_bytes=64),
    ),
    ("a place without arena", 10, PLAIN.replaced(places={TANH.result: 0})),
    ("a negative size", 12, with_header((-3,))),
    ("a size past 64 bits", 12, with_header((10**21,))),
    ("bytes past 64 bits", 12, with_header((10**10, 10**10))),
    ("bytes past 64 bits beside no elements", 12, with_header((10**10, 0, 10**10))),
    (
        "a dimension past 64 bits",
        12,
        Graph(
            "m", dims=(WIDE,), inputs=(Value(F32.with_shape((expression(WIDE),)), "%x"),)
        ),
    ),
    (
        "a size past 64 bits inside of a body",
        12,
        with_node(fused(body(parameters=(HUGE,), outputs=(HUGE,)))),
    ),
    ("an arena past 64 bits", 12, PLAIN.replaced(arena_bytes=2**63)),
    (
        "a half that hands on too little",
        11,
        Program(Graph("m", outputs=()), PLAIN.replaced(prepared=(Value(F32, "^p"),))),
    ),
]


@pytest.mark.parametrize(
    ("number", "program"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_a_broken_invariant_is_found(number: int, program: Graph | Program) -> None:
    with pytest.raises(BrokenInvariant) as caught:
        verify(program)
    assert caught.value.invariant == number
    assert caught.value.code == "LXC-E0202"


def test_every_invariant_of_the_list_is_tested() -> None:
    words = str(importlib.import_module("lxc.ir.verify").__doc__)
    listed = re.findall(r"^(\d+)\. ", words, re.MULTILINE)
    assert {int(number) for number in listed} == {number for _, number, _ in BROKEN}


def test_a_message_names_the_layers_and_shows_the_node() -> None:
    node = Node(OPS["tanh"], (X,), {}, (Value(F32),), (), TANH.location)
    with pytest.raises(BrokenInvariant) as caught:
        verify(with_node(node))
    assert str(caught.value) == (
        "error[LXC-E0202]: the graph is not well formed: "
        "the attributes of tanh are not its own (invariant 6)\n"
        "  layer:    layer_1, layer_2\n"
        "  op:       %0: f32[2] = tanh(%x)"
    )


def test_well_formed_graphs_pass() -> None:
    verify(PLAIN)
    verify(Program(Graph("m", input_tree=EMPTY), PLAIN))
    nested: Any = Structure("dict", ("a",), (LEAF,))
    verify(Graph("m", params=(Value(F32, "@a"),), param_tree=nested))


def test_nodes_that_were_right_before_are_not_inferred_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verified = Verified()
    verify(PLAIN, verified)
    inferred: list[Node] = []
    verifier = importlib.import_module("lxc.ir.verify")
    monkeypatch.setattr(verifier, "check_types", inferred.append)
    other = make_node(OPS["tanh"], (TANH.result,), {})
    verify(PLAIN.replaced(nodes=(TANH, other), outputs=other.results), verified)
    assert inferred == [other]


def test_nodes_that_were_right_before_are_refused_where_they_do_not_fit() -> None:
    n = Dim("N", 1, 8)
    x = Value(F32.with_shape((expression(n),)), "%x")
    first = make_node(OPS["tanh"], (x,), {})
    second = make_node(OPS["tanh"], (first.result,), {})
    graph = Graph("m", (n,), (x,), nodes=(first, second), outputs=second.results)
    verified = Verified()
    verify(graph, verified)
    for number, changed in (
        (4, graph.replaced(nodes=(second, first))),
        (4, graph.replaced(nodes=(first, first, second))),
        (8, graph.replaced(dims=())),
        (8, graph.replaced(dims=(Dim("N", 1, 9),))),
    ):
        with pytest.raises(BrokenInvariant) as caught:
            verify(changed, verified)
        assert caught.value.invariant == number
