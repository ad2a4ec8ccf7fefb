"""Products are read as TF32 where units for that are, and lose what rounding loses."""

from dataclasses import replace

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.ops.tf32 import rounded_to_tf32
from lxc.ir.parser import parse_graph
from lxc.passes import Choices, passes_named, run_passes
from lxc.passes.fuse import PORTABLE
from lxc.passes.lower_precision import lower_precision
from lxc.passes.precision import plan_of
from lxc.verification.layer_errors import layer_errors

CARD = replace(PORTABLE, has_tf32=True)
NET = """
graph @net lux {
  input %x: f32[3, 40]
  input %k: f32[40, 5]
  param @a: f32[40, 12]
  param @b: f32[40, 20]
  param @c: f32[12, 4]
  param @d: f32[4, 6]
  tree inputs = [*, *]
  tree params = [*, *, *, *]
  tree outputs = [*, *, *]

  %0: f32[3, 12] = dot_general(%x, @a) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]} at a
  %1: f32[3, 20] = dot_general(%x, @b) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]} at b
  %2: f32[3, 4] = dot_general(%0, @c) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]} at c
  %3: f32[3, 6] = dot_general(%2, @d) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]} at d
  %4: f32[3, 5] = dot_general(%x, %k) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]} at k
  return %1, %3, %4
}
"""
PLAN = plan_of({"": "tf32", "c": "float32"})


def drawn(graph: Graph) -> tuple[list[np.ndarray], list[np.ndarray]]:
    random = np.random.default_rng(0)
    headers = graph.inputs, graph.params
    inputs, params = (
        [random.standard_normal(value.type.shape).astype(np.float32) for value in values]
        for values in headers
    )
    return inputs, params


def test_only_targets_with_units_for_it_use_it_and_all_say_why() -> None:
    told = {}
    for machine in (PORTABLE, CARD):
        passes = passes_named(["lower-precision"])
        choices = Choices(precision=PLAN)
        outcome = run_passes(parse_graph(NET), passes, machine=machine, choices=choices)
        graph = outcome.program
        assert isinstance(graph, Graph)
        found = [node.attributes.get("factors") for node in graph.nodes]
        decided = {one.layers[1]: one.rule for one in outcome.decisions}
        told[machine.has_tf32] = dict(zip("abcdk", found, strict=True)), decided
    factors, decided = told[True]
    assert factors == dict(zip("abcdk", ["tf32", "tf32", *[None] * 3], strict=True))
    assert [*decided.values()] == ["tf32", "tf32", "float32", "no-tiles", "no-weight"]
    factors, decided = told[False]
    assert {*factors.values()} == {None}
    assert {decided[layer] for layer in "abdk"} == {"no-units"}


def test_products_with_one_input_are_merged_if_both_read_it_alike() -> None:
    passes = passes_named(["lower-precision", "merge-products", "eliminate-dead"])
    for words, count in (({"": "tf32"}, 1), ({"a": "tf32"}, 2)):
        choices = Choices(precision=plan_of(words))
        text = NET.replace(
            "  return %1, %3, %4",
            "  %5: f32[60] = reshape(%1) {shape = [60]}\n"
            "  %6: f32[36] = reshape(%0) {shape = [36]}\n"
            "  return %5, %6, %4",
        )
        outcome = run_passes(parse_graph(text), passes, machine=CARD, choices=choices)
        assert isinstance(outcome.program, Graph)
        dots = [node for node in outcome.program.nodes if node.op.name == "dot_general"]
        lower = [node.attributes.get("factors") for node in dots].count("tf32")
        assert (len(dots), lower) == (1 + count, 1)


def test_numbers_are_rounded_to_ten_bits_and_ties_away_from_zero() -> None:
    half = 2.0**-11
    given = np.array([1 + half, -1 - half, 1 + half * 0.99, 1 + 2 * half], np.float32)
    expected = np.array([1 + 2 * half, -1 - 2 * half, 1, 1 + 2 * half], np.float32)
    np.testing.assert_array_equal(rounded_to_tf32(given), expected)
    special = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e-40], np.float32)
    rounded = rounded_to_tf32(special)
    np.testing.assert_array_equal(rounded[:5], special[:5])
    assert abs(rounded[5] - special[5]) <= 2.0**-137
    assert np.isposinf(rounded_to_tf32(np.array([np.finfo(np.float32).max])))


def test_each_product_loses_no_more_than_its_bound() -> None:
    graph = parse_graph(NET)
    inputs, params = drawn(graph)
    found = layer_errors(graph, plan_of("tf32"), inputs, params, [])
    assert [one.layer for one in found] == ["a", "b", "c"]
    for one in found:
        assert one.agrees
        assert one.precision == "tf32"
        assert 1e-5 < one.error <= one.allowed < 6e-3
    lower = lower_precision(graph, plan_of("tf32"))
    pairs = zip(*(evaluate(one, inputs, params)[0] for one in (lower, graph)), strict=True)
    for actual, plain in pairs:
        assert np.abs(actual - plain).max() <= 4e-3 * np.abs(plain).max()


def test_only_float32_is_read_as_tf32() -> None:
    for dtype, factors in (("bf16", "tf32"), ("f32", "tf16")):
        with pytest.raises(LxcError, match="are not read as") as error:
            parse_graph(
                f"graph @m lux {{ input %x: {dtype}[8] input %y: {dtype}[8] "
                "tree inputs = [*, *]\n"
                f"%0: {dtype}[] = dot_general(%x, %y) {{lhs_batch = [], rhs_batch = [], "
                f'lhs_contract = [0], rhs_contract = [0], factors = "{factors}"}}\n'
                "return %0 }"
            )
        assert error.value.code == "LXC-E0201"
