"""Printed graphs parse back to the same text and the same meaning."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lxc.errors import LxcError
from lxc.ir.dim import evaluate_size
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph, Program
from lxc.ir.node import walk
from lxc.ir.parser import parse, parse_graph
from lxc.ir.printer import print_graph
from lxc.ir.types import DType
from lxc.ir.verify import verify
from lxc.structure import Structure
from tests.ir.random_graphs import graphs, planned, programs
from tests.ir.random_nodes import TREES

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
EXAMPLE = """\
graph @mlp lux {
  dim N: 1..64
  input %x: f32[N, 8]
  param @hidden.weight: f32[4, 8]
  state $seen: i64[]
  tree inputs = *
  tree params = {hidden: {weight: *}}
  tree state = {seen: *, training: false}
  tree outputs = *

  %0: f32[N, 4] = fused(%x, @hidden.weight) (%1: f32[N, 8], %2: f32[4, 8]) {
    %3: f32[N, 4] = dot_general(%1, %2) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [1]} at hidden
    %4: f32[N, 4] = tanh(%3, ) {fast = true} at hidden "model.py:14"
    yield %4
  } at hidden
  %5: i64[] = dim(%x) {axis = 0}
  update $seen = %5
  return %0
}
"""


@SLOW
@given(st.one_of(graphs(), planned(), programs()))
def test_text_reads_back_to_the_same_text(module: Graph | Program) -> None:
    assert str(parse(str(module))) == str(module)


@SLOW
@given(st.one_of(graphs(), planned(), programs()))
def test_generated_modules_and_what_is_read_back_are_well_formed(
    module: Graph | Program,
) -> None:
    verify(module)
    verify(parse(str(module)))


def drawn_arrays(values: Any, sizes: dict[str, int], seed: int) -> list[Any]:
    random = np.random.default_rng(seed)
    arrays = []
    for value in values:
        shape = [evaluate_size(entry, sizes) for entry in value.type.shape]
        arrays.append((random.normal(size=shape) * 3).astype(value.type.dtype.numpy))
    return arrays


@SLOW
@given(graphs(), st.integers(0, 99))
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_what_is_read_back_computes_the_same(graph: Graph, seed: int) -> None:
    sizes = {"N": 1 + seed % 8, "batch_2": 2 + seed % 4}
    sections = [
        drawn_arrays(v, sizes, seed) for v in (graph.inputs, graph.params, graph.state)
    ]
    again = parse_graph(str(graph), graph.arrays)
    for wide in (False, True):
        first = evaluate(graph, *sections, wide=wide)
        second = evaluate(again, *sections, wide=wide)
        for one, two in zip((*first[0], *first[1]), (*second[0], *second[1]), strict=True):
            assert (one.dtype, one.shape) == (two.dtype, two.shape)
            assert one.tobytes() == two.tobytes()


@SLOW
@given(TREES)
def test_trees_read_back(tree: Structure) -> None:
    text = print_graph(Graph("m", output_tree=tree))
    assert repr(parse_graph(text).output_tree) == repr(tree)


def test_text_is_laid_out_as_people_write_it() -> None:
    graph = parse_graph(EXAMPLE)
    assert str(graph) == EXAMPLE.replace("%3, )", "%3)")
    assert graph.name == "mlp"
    assert str(graph.params[0].type) == "f32[4, 8]"
    tanh = next(node for node in walk(graph.nodes) if node.op.name == "tanh")
    assert tanh.location.layers == ("hidden",)
    assert tanh.location.source == "model.py:14"
    assert tanh.attributes == {"fast": True}


def test_defaults_are_filled_in_and_printed() -> None:
    graph = parse_graph(EXAMPLE.replace(" {fast = true}", ""))
    assert "tanh(%3) {fast = false}" in str(graph)


def test_locations_can_be_left_out() -> None:
    text = print_graph(parse_graph(EXAMPLE), locations=False)
    assert "model.py" not in text
    assert " at hidden" not in text


def test_comments_and_empty_lines_mean_nothing() -> None:
    commented = EXAMPLE.replace("\n", " ; a remark: %x = {\n\n")
    assert str(parse(commented)) == str(parse(EXAMPLE))


def test_special_numbers_read_back_to_the_last_bit() -> None:
    numbers = (0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1 / 3, 1.7e308)
    written = ", ".join(n.hex() if math.isfinite(n) else str(n) for n in numbers)
    attributes = f"dtype = f64, shape = [8], value = [{written}]"
    graph = parse_graph(
        f"graph @m lux {{ %0: f64[8] = constant() {{{attributes}}} return %0 }}"
    )
    (result,), _ = evaluate(graph, ())
    assert result.tobytes() == np.array(numbers).tobytes()


def test_values_do_not_leak_from_one_graph_of_a_program_to_the_next() -> None:
    text = "graph @a lux { input %x: f32[] return %x } graph @b lux { return %x }"
    with pytest.raises(LxcError, match="%x is not defined here"):
        parse(text)


def test_a_program_where_one_graph_is_expected_is_refused() -> None:
    one = "graph @a lux { tree inputs = {} return }"
    assert isinstance(parse(one + one), Program)
    with pytest.raises(LxcError, match="the text holds a program"):
        parse_graph(one + one)


def test_data_takes_its_contents_from_outside() -> None:
    text = "graph @a lux { data #12ab: f32[2] return #12ab }"
    contents: dict[str, Any] = {"#12ab": np.array([1, 2], np.float32), "#ffff": np.zeros(1)}
    graph = parse_graph(text, contents)
    assert list(graph.arrays) == ["#12ab"]
    assert graph.data[0].type.dtype is DType.F32
    np.testing.assert_array_equal(evaluate(graph, ())[0][0], [1, 2])
