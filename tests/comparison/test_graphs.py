"""What differs between graphs: ops by layer, whatever number their values have."""

import pytest

from lxc.comparison.change import Change
from lxc.comparison.graphs import MODEL, graph_changes_between
from lxc.ir.parser import parse_graph

TEXT = """graph @m lux {
  input %x: f32[2, 3]
  input %z: f32[2, 3]
  tree inputs = (*, *)
  %0: f32[2, 3] = exp(%x) at layer_1 "m.py:3"
  %1: f32[2, 3] = subtract(%0, %z) at layer_1 "m.py:3"
  %2: f32[2, 3] = tanh(%1) at layer_2 "m.py:4"
  %3: f32[2, 3] = tanh(%2) at layer_2 "m.py:4"
  return %3
}
"""


def found(old: str, new: str) -> list[Change]:
    """Return what differs when some text is replaced."""
    assert old in TEXT
    first, second = (parse_graph(text) for text in (TEXT, TEXT.replace(old, new)))
    assert list(graph_changes_between(first, first)) == []
    return list(graph_changes_between(first, second))


def test_an_op_in_front_of_all_others_is_the_only_change() -> None:
    changes = found(
        "  %0: f32[2, 3] = exp(%x)",
        "  %9: f32[2, 3] = negate(%x) at layer_0\n  %0: f32[2, 3] = exp(%9)",
    )
    assert changes == [Change("added", "layer_0", after="negate(f32[2, 3]) -> f32[2, 3]")]


def test_an_op_that_became_another_is_told_at_its_layer() -> None:
    assert found("exp(%x)", "log(%x)") == [
        Change("removed", "layer_1", before="exp(f32[2, 3]) -> f32[2, 3]"),
        Change("added", "layer_1", after="log(f32[2, 3]) -> f32[2, 3]"),
    ]


def test_every_op_counts_as_often_as_it_is_there() -> None:
    changes = found(
        '  %3: f32[2, 3] = tanh(%2) at layer_2 "m.py:4"\n  return %3', "return %2"
    )
    assert changes == [
        Change("removed", "layer_2", before="tanh(f32[2, 3]) {fast = false} -> f32[2, 3]")
    ]


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("(%0, %z)", "(%z, %0)", "layer_1", "how values flow between its ops"),
        ("(%2) at", "(%1) at", "layer_2", "how values flow between its ops"),
        ("tanh(%1)", "tanh(%0)", MODEL, "how values flow between layers"),
        ("return %3", "return %2", MODEL, "how values flow between layers"),
        ('"m.py:3"', '"m.py:7"', MODEL, "lines of source"),
    ],
)
def test_equal_ops_that_are_joined_otherwise_are_noticed(
    old: str, new: str, where: str, what: str
) -> None:
    assert found(old, new) == [Change("changed", where, after=what)]


def test_the_name_of_a_graph_and_its_header_are_no_ops() -> None:
    assert found("graph @m lux", "graph @other lux") == []


def test_attributes_and_bodies_belong_to_an_op() -> None:
    layer = (
        '  %0: f32[2, 3] = layer(%x) {kind = "K", tree_in = tree *, tree_out = tree *} '
        "(%5: f32[2, 3]) {\n    %6: f32[2, 3] = OP(%5) at layer_1.inner\n    yield %6\n  }"
    )
    line = "  %0: f32[2, 3] = exp(%x)"
    first, second = (
        parse_graph(TEXT.replace(line, layer.replace("OP", op))) for op in ("exp", "log")
    )
    changes = list(graph_changes_between(first, second))
    assert [(one.kind, one.where) for one in changes] == [
        ("removed", "layer_1.inner"),
        ("added", "layer_1.inner"),
    ]
    third = parse_graph(
        TEXT.replace(line, layer.replace('"K"', '"L"').replace("OP", "exp"))
    )
    told = [one.before + one.after for one in graph_changes_between(first, third)]
    assert [text[: text.index(",")] for text in told] == [
        "layer(f32[2",
        "layer(f32[2",
    ]
    assert 'kind = "K"' in told[0]
    assert 'kind = "L"' in told[1]
