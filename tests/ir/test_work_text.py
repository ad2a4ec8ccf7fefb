"""The text of a node's work is the same wherever its nodes came from."""

from lxc.ir.parser import parse_graph
from lxc.ir.work_text import work_line, work_text

TEXT = """graph @m lux {{
  input %x: f32[4]
  tree inputs = *
  tree params = {{}}
  tree state = {{}}
  tree outputs = *

  %0: f32[4] = fused(%x) (%1: f32[4]) {{
{lines}
    yield %6
  }}
  return %0
}}
"""
EXP = "    %2: f32[4] = exp(%1)"
TANH = "    %3: f32[4] = tanh(%1) {fast = true}"
SUM = "    %6: f32[4] = subtract(%2, %3)"
UNUSED = "    %5: f32[4] = absolute(%1)"
TURNED = "    %6: f32[4] = subtract(%3, %2)"


def text_of(*lines: str) -> str:
    graph = parse_graph(TEXT.format(lines="\n".join(lines)))
    return work_text(graph.nodes[0])


def test_the_order_in_which_nodes_stand_says_nothing() -> None:
    assert text_of(EXP, TANH, SUM) == text_of(TANH, EXP, SUM)
    assert text_of(EXP, TANH, UNUSED, SUM) == text_of(EXP, TANH, SUM)


def test_the_order_of_operands_does() -> None:
    assert text_of(EXP, TANH, SUM) != text_of(EXP, TANH, TURNED)


SCAN = """graph @m lux {{
  input %x: f32[5, 3]
  input %y: f32[3]
  tree inputs = (*, *)
  tree outputs = (*, *)

  %1: f32[3], %2: f32[5, 3] = scan(%y, %x) {{{facts}}} (%3: f32[3], %4: f32[3]) {{
    %5: f32[3] = add(%3, %4)
    yield %5, %5
  }}
  return %1, %2
}}
"""
FACTS = "carries = 1, consts = 0, length = 5, axis = 0, reverse = false"


def test_a_loop_of_several_results_is_one_line_too() -> None:
    node = parse_graph(SCAN.format(facts=FACTS)).nodes[-1]
    assert work_line(node) == "scan+add(f32[3], f32[5, 3]) -> (f32[3], f32[5, 3])"
    assert work_line(node.bodies[0].nodes[0]) == "add(f32[3], f32[3]) -> f32[3]"
