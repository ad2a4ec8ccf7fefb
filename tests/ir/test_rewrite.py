"""Rewriting changes what a rule names, inside bodies too, and nothing else."""

from lxc.ir.builder import make_node
from lxc.ir.node import Node
from lxc.ir.op import OPS
from lxc.ir.parser import parse_graph
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.verify import verify

TEXT = """graph @m lux {
  input %x: f32[2]
  state $s: f32[2]
  tree inputs = *
  tree params = {}
  tree state = *
  tree outputs = *

  %0: f32[2] = fused(%x) (%1: f32[2]) {
    %2: f32[2] = noop(%1)
    %3: f32[2] = exp(%2)
    yield %3
  } at a "m.py:1"
  %4: f32[2] = noop(%0)
  update $s = %4
  return %4
}
"""


def forward(node: Node) -> Replacement | None:
    return Replacement(node.operands) if node.op is OPS["noop"] else None


def twice(node: Node) -> Replacement | None:
    if node.op is not OPS["exp"]:
        return None
    first = make_node(OPS["expm1"], node.operands, {}, (), node.location)
    second = make_node(OPS["absolute"], first.results, {}, (), node.location)
    return Replacement(second.results, (first, second))


def test_outputs_updates_and_bodies_follow_the_replacement() -> None:
    result = rewrite(parse_graph(TEXT), forward)
    verify(result)
    text = str(result)
    assert "noop" not in text
    assert result.outputs == result.updates == result.nodes[0].results
    assert result.nodes[0].location.source == "m.py:1"


def test_one_node_may_become_several() -> None:
    result = rewrite(parse_graph(TEXT), twice)
    verify(result)
    (body,) = result.nodes[0].bodies
    assert [node.op.name for node in body.nodes] == ["noop", "expm1", "absolute"]


def test_a_rule_that_changes_nothing_returns_the_graph_itself() -> None:
    graph = parse_graph(TEXT)
    assert rewrite(graph, lambda node: None) is graph


def test_inner_nodes_are_seen_before_the_nodes_that_hold_them() -> None:
    seen: list[str] = []

    def note(node: Node) -> None:
        seen.append(node.op.name)

    rewrite(parse_graph(TEXT), note)
    assert seen == ["noop", "exp", "fused", "noop"]
