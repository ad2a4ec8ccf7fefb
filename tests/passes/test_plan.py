"""A memory plan keeps every value until it was read; the checker sees when it does not."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lxc.errors import InternalError
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Value
from lxc.ir.parser import parse_graph
from lxc.passes import TARGET_PIPELINE, passes_named, run_passes
from lxc.passes.check_plan import check_plan
from tests.ir.random_nodes import Draw
from tests.passes.random_models import models
from tests.passes.test_hoist_products import loops
from tests.passes.test_meaning import SLOW

CHAIN = """
graph @model lux {
  input %x: f32[4]
  %0: f32[8] = concat(%x, %x) {axis = 0}
  %1: f32[8] = reverse(%0) {axes = [0]}
  %2: f32[16] = concat(%1, %0) {axis = 0}
  return %2
}"""
LOOP = """
graph @model lux {
  input %h: f32[4]
  input %x: f32[3, 4]
  tree inputs = (*, *)
  %0: f32[4], %1: f32[3, 4] = scan(%h, %x) {carries = 1, consts = 0, length = 3} \
(%2: f32[4], %3: f32[4]) {
    %4: f32[4] = reverse(%2) {axes = [0]}
    %5: f32[4] = add(%4, %3)
    yield %5, %4
  }
  %6: f32[4] = reduce(%1) {kind = "add", axes = [0]}
  %7: f32[4] = add(%0, %6)
  return %7
}"""

RESIDUAL = """
graph @model lux {
  input %x: f32[4, 8]
  input %w: f32[8, 8]
  tree inputs = (*, *)
  %0: f32[8, 8] = concat(%x, %x) {axis = 0}
  %1: f32[8, 8] = concat(%x, %x) {axis = 0}
  %2: f32[8, 8] = dot_general(LEFT, %w) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
  %3: f32[8, 8] = add(%2, %1)
  %4: f32[16, 8] = concat(%3, %3) {axis = 0}
  return %4
}"""

TWO_SHAPES = """
graph @model lux {
  input %x: f32[4]
  tree outputs = (*, *)
  %0: f32[8] = concat(%x, %x) {axis = 0}
  %1: f32[2, 4] = reshape(%0) {shape = [2, 4]}
  %2: f32[4, 2] = reshape(%0) {shape = [4, 2]}
  %3: f32[4, 4] = concat(%1, %1) {axis = 0}
  %4: f32[8, 2] = concat(%2, %2) {axis = 0}
  return %3, %4
}"""

STATE = """
graph @model lux {
  state $s: f32[8]
  state $t: f32[8]
  tree inputs = ()
  tree state = {s: *, t: *}
  %0: f32[8] = add($s, $s)
  %1: f32[8] = reverse($t) {axes = [0]}
  %2: f32[8] = reverse($s) {axes = [0]}
  update $s = %0
  update $t = %1
  return %2
}"""


def plan_of(text: str) -> Graph:
    outcome = run_passes(parse_graph(text), passes_named(["fuse", "plan-memory"]))
    assert isinstance(outcome.program, Graph)
    return outcome.program


def moved(graph: Graph, value: Value, place: int) -> Graph:
    """Return the graph with one value somewhere else."""
    return graph.replaced(places={**graph.places, value: place}, arena_bytes=1 << 20)


def test_one_value_in_two_shapes_has_one_place() -> None:
    graph = plan_of(TWO_SHAPES)
    first, *shapes = list(graph.places)[:3]
    assert {graph.places[value] for value in shapes} == {graph.places[first]}
    check_plan(graph)


@pytest.mark.parametrize(
    ("text", "expected"), [(CHAIN, 1), (LOOP, 4)], ids=["chain", "loop"]
)
def test_values_that_are_needed_together_may_not_meet(text: str, expected: int) -> None:
    """In the loop, only the last carry may lie where a step works: it is made behind it."""
    graph = plan_of(text)
    check_plan(graph)
    caught = 0
    for value, other in combinations(graph.places, 2):
        try:
            check_plan(moved(graph, value, graph.places[other]))
        except InternalError:
            caught += 1
    assert caught == expected


@pytest.mark.parametrize("text", [CHAIN, LOOP], ids=["chain", "loop"])
def test_a_value_without_a_place_is_found(text: str) -> None:
    graph = plan_of(text)
    for value in graph.places:
        fewer = {
            other: place for other, place in graph.places.items() if other is not value
        }
        with pytest.raises(InternalError, match="no place"):
            check_plan(graph.replaced(places=fewer))


def test_a_carry_that_is_overwritten_in_the_loop_is_found() -> None:
    graph = plan_of(LOOP)
    (loop,) = (node for node in graph.nodes if node.op.name == "scan")
    body = loop.bodies[0]
    inner = body.nodes[0].result
    with pytest.raises(InternalError, match="lost before it is read"):
        check_plan(moved(graph, inner, graph.places[body.parameters[0]]))


@pytest.mark.parametrize("number", [0, 1], ids=["read later", "read elsewhere"])
def test_new_state_that_overwrites_what_is_still_read_is_found(number: int) -> None:
    graph = plan_of(STATE)
    check_plan(graph)
    places = dict(graph.places)
    del places[graph.updates[number]]
    with pytest.raises(InternalError, match="lost before it is read"):
        check_plan(graph.replaced(places=places))


@pytest.mark.parametrize("left", ["%0", "%1"], ids=["residual", "operand and residual"])
def test_a_product_that_overwrites_what_it_reads_is_found(left: str) -> None:
    graph = plan_of(RESIDUAL.replace("LEFT", left))
    check_plan(graph)
    (product,) = (node for node in graph.nodes if node.op.name == "fused")
    for operand in product.operands:
        if operand in graph.places:
            with pytest.raises(InternalError, match="lost before it is read"):
                check_plan(moved(graph, product.result, graph.places[operand]))


@st.composite
def planned_models(draw: Draw) -> Program:
    """Draw a model after all passes of a target."""
    outcome = run_passes(draw(models()), passes_named(TARGET_PIPELINE))
    assert isinstance(outcome.program, Program)
    return outcome.program


@SLOW
@given(planned_models())
def test_plans_are_sound_aligned_and_no_larger_than_all_values(program: Program) -> None:
    check_plan(program)
    for graph in (program.prepare, program.run):
        room = sum(-(-value.type.max_bytes // 64) * 64 for value in graph.places)
        assert graph.arena_bytes is not None
        assert graph.arena_bytes <= room
        assert all(place % 64 == 0 for place in graph.places.values())
    assert not set(program.run.outputs) & set(program.run.places)
    assert set(program.prepare.outputs) <= set(program.prepare.places)


@SLOW
@given(loops())
def test_plans_of_loops_are_sound(graph: Graph) -> None:
    outcome = run_passes(graph, passes_named(TARGET_PIPELINE))
    check_plan(outcome.program)
