"""What goes along the same rows is found, and planned so that no function runs twice."""

import pytest

from lxc.ir.graph import Graph
from lxc.ir.node import Node
from lxc.ir.parser import parse_graph
from lxc.passes import PORTABLE, explain
from lxc.passes.row_plan import RowPlan, plan_rows
from lxc.passes.rows import Rows, rows_of

SOFTMAX = """
graph @model lux {
  input %x: f32[4, 5]
  %0: f32[4] = reduce(%x) {kind = "max", axes = [1]}
  %1: f32[4, 5] = broadcast(%0) {shape = [4, 5], axes = [0]}
  %2: f32[4, 5] = subtract(%x, %1)
  %3: f32[4, 5] = exp(%2)
  %4: f32[4] = reduce(%3) {kind = "add", axes = [1]}
  %5: f32[4, 5] = broadcast(%4) {shape = [4, 5], axes = [0]}
  %6: f32[4, 5] = divide(%3, %5)
  %7: f16[4, 5] = cast(%6) {dtype = f16}
  return %LAST
}"""

ENTROPY = """
graph @model lux {
  input %x: f32[4, 5]
  %0: f32[4, 5] = exp(%x)
  %1: f32[4, 5] = log1p(%0)
  %2: f32[4, 5] = sin(%1)
  %3: f32[4, 5] = cos(%2)
  %4: f32[4] = reduce(%3) {kind = "max", axes = [1]}
  %5: f32[4, 5] = broadcast(%4) {shape = [4, 5], axes = [0]}
  %6: f32[4, 5] = subtract(%3, %5)
  %7: f32[4] = reduce(%6) {kind = "add", axes = [1]}
  return %7
}"""


def plan_of(text: str) -> RowPlan:
    """Return the plan of a graph as one kernel."""
    graph = parse_graph(text)
    plan = plan_rows(graph.nodes, graph.outputs[0])
    assert plan is not None
    return plan


def made_by(graph_or_plan: RowPlan, walk: int, nodes: tuple[Node, ...]) -> str:
    """Return the op of what a walk keeps, or nothing."""
    kept = graph_or_plan.walks[walk].kept
    return next((node.op.name for node in nodes if node.result is kept), "")


@pytest.mark.parametrize(
    ("shape", "axes", "rows"),
    [
        ("4, 5", "1", Rows(4, 5)),
        ("4, 5, 6", "1, 2", Rows(4, 30)),
        ("4, 5", "0, 1", Rows(1, 20)),
        ("4, 5, 1", "1", Rows(4, 5)),
        ("4, 1, 5", "1, 2", Rows(4, 5)),
        ("4, 5", "0", None),
        ("4, 5, 6", "0, 2", None),
        ("4, 1", "1", None),
        ("4, 0", "1", None),
        ("0, 4", "1", None),
    ],
)
def test_rows_are_what_lies_together(shape: str, axes: str, rows: Rows | None) -> None:
    kept = [n for i, n in enumerate(shape.split(", ")) if str(i) not in axes.split(", ")]
    text = f"""
    graph @model lux {{
      input %x: f32[{shape}]
      %0: f32[{", ".join(kept)}] = reduce(%x) {{kind = "add", axes = [{axes}]}}
      return %0
    }}"""
    assert rows_of(parse_graph(text).nodes[0]) == rows


def test_softmax_keeps_its_exponentials_in_the_result() -> None:
    graph = parse_graph(SOFTMAX.replace("LAST", "6"))
    plan = plan_rows(graph.nodes[:7], graph.outputs[0])
    assert plan is not None
    assert [made_by(plan, walk, graph.nodes) for walk in range(3)] == ["", "exp", "divide"]
    assert [len(walk.reductions) for walk in plan.walks] == [1, 1, 0]
    assert plan.repeated == 0


def test_a_result_of_another_type_keeps_nothing() -> None:
    graph = parse_graph(SOFTMAX.replace("LAST", "7"))
    plan = plan_rows(graph.nodes, graph.outputs[0])
    assert plan is not None
    assert [made_by(plan, walk, graph.nodes) for walk in range(3)] == ["", "", "cast"]
    assert plan.repeated > 0


def separate(graph: Graph) -> dict[tuple[str, str], str]:
    """Return the rule by which each pair of ops is apart."""
    _, decisions = explain(graph, PORTABLE)
    return {(d.producer, d.consumer): d.rule for d in decisions if not d.fused}


def test_functions_that_several_walks_need_are_computed_once() -> None:
    assert plan_of(ENTROPY).repeated > 64
    apart = separate(parse_graph(ENTROPY))
    assert apart == {("cos", "reduce"): "repeated", ("cos", "subtract"): "repeated"}


def test_reductions_of_other_rows_say_so() -> None:
    text = """
    graph @model lux {
      input %x: f32[4, 5]
      %0: f32[4] = reduce(%x) {kind = "max", axes = [1]}
      %1: f32[4, 5] = broadcast(%0) {shape = [4, 5], axes = [0]}
      %2: f32[4, 5] = subtract(%x, %1)
      %3: f32[5] = reduce(%2) {kind = "add", axes = [0]}
      return %3
    }"""
    assert separate(parse_graph(text)) == {("subtract", "reduce"): "other-rows"}


def test_rows_that_no_cache_holds_say_so() -> None:
    text = SOFTMAX.replace("LAST", "6").replace("5]", "70000]")
    assert separate(parse_graph(text))["reduce", "broadcast"] == "long-rows"


def test_pads_are_made_in_front_of_rows() -> None:
    text = SOFTMAX.replace("LAST", "6").replace(
        "input %x: f32[4, 5]",
        """input %y: f32[4, 3]
        %8: f32[] = constant() {dtype = f32, shape = [], value = [0x1p+0]}
        %x: f32[4, 5] = pad(%y, %8) {low = [0, 1], high = [0, 1], interior = [0, 0]}""",
    )
    assert "padding" in separate(parse_graph(text.replace("%x", "%9"))).values()
