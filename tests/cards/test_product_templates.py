"""Products and convolutions of cards: right in any tiles, without a race or a spill."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.agreement import agreement
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from lxc.targets.cuda.templates.products import plan, tilings
from tests.cards.product_cases import ALL_CASES, conv, dot, drawn
from tests.cards.single_kernels import SingleKernel
from tests.ops.cases import graph_of
from tests.targets.backends import Card

LINEAR = """
graph @linear lux {{
  dim N: 1..300
  input %x.0: {dtype}[N, {terms}]
  input %x.1: {dtype}[N, 24]
  param @0: {dtype}[{terms}, 24]
  tree inputs = [*, *]
  tree params = [*]
  tree state = []
  tree outputs = [*]

  %0: {dtype}[N, 24] = dot_general(%x.0, @0) {{lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]{more}}}
  %1: {dtype}[N, 24] = add(%0, %x.1)
  %2: {dtype}[N, 24] = maximum(%1, %x.1)
  return %2
}}
"""


def linear(kind: str, terms: int) -> str:
    """Return the text of a graph with a product."""
    more = ', factors = "tf32"' if kind == "tf32" else ""
    dtype = "f32" if more else kind
    return LINEAR.format(dtype=dtype, terms=terms, more=more)


def results(graph: Graph, inputs: list[Array], folder: Path) -> tuple[Array, ...]:
    return Card("cuda").load(graph, folder).run(inputs)[0]


@pytest.mark.parametrize("kind", ALL_CASES)
def test_tiles_decide_no_bit(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for number, count in ((0, None), (1, 2), (2, 2)):
        monkeypatch.setattr(tilings, "best", lambda all_, _, n=number: (*all_, *all_)[n])
        chosen = ALL_CASES[kind][:count]
        inputs = [array for case in chosen for array in case.operands]
        graph = graph_of("products", chosen)
        found.append(results(graph, inputs, tmp_path))
        narrow, exact = (evaluate(graph, inputs, wide=wide)[0] for wide in (False, True))
        for actual, near, true in zip(found[-1], narrow, exact, strict=True):
            close = agreement(actual, near, true, 304)
            assert close.error <= close.bound if kind == "float16" else close.holds, close
    for large, *smaller in zip(*found, strict=False):
        for one in smaller:
            np.testing.assert_array_equal(large, one)


@pytest.mark.parametrize("dtype", ["f32", "bf16", "tf32"])
def test_a_row_has_the_same_bits_among_any_number_of_rows(
    dtype: str, tmp_path: Path
) -> None:
    graph = parse_graph(linear(dtype, 1100))
    kind = graph.params[0].type.dtype.numpy
    x, y, weight = (
        drawn(seed, *shape, dtype=kind)
        for seed, shape in enumerate([(70, 1100), (70, 24), (1100, 24)])
    )
    model = Card("cuda").load(graph, tmp_path)
    whole = model.run([x, y], [weight])[0][0]
    for count in (1, 8, 9, 16, 17, 33):
        part = model.run([x[:count], y[:count]], [weight])[0][0]
        np.testing.assert_array_equal(part, whole[:count])


@pytest.mark.parametrize(
    ("dtype", "rows", "terms"),
    [
        ("f32", 33, 20),
        ("f32", 2, 264),
        ("f32", 2, 1028),
        ("bf16", 17, 24),
        ("bf16", 17, 1032),
        ("tf32", 17, 20),
    ],
)
def test_threads_wait_for_each_other(dtype: str, rows: int, terms: int) -> None:
    text = linear(dtype, terms).replace("param @0", "input %x.2")
    text = text.replace("params = [*]", "params = []").replace("@0", "%x.2")
    graph = parse_graph(text.replace("inputs = [*, *]", "inputs = [*, *, *]"))
    kind = graph.inputs[0].type.dtype.numpy
    shapes = [(rows, terms), (rows, 24), (terms, 24)]
    inputs = [drawn(seed, *shape, dtype=kind) for seed, shape in enumerate(shapes)]
    made = SingleKernel(graph)
    aligned = made.check(inputs, N=rows)
    moved = made.run(inputs, {"N": rows}, shift=1)
    np.testing.assert_array_equal(moved, aligned)


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "tf32"])
def test_blocks_that_share_sums_give_the_bits_of_one_block(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dtype = ml_dtypes.bfloat16 if kind == "bfloat16" else np.float32
    more = {"factors": "tf32"} if kind == "tf32" else {}
    x, weight, few = (
        drawn(seed, *shape, dtype=dtype)
        for seed, shape in enumerate([(35, 1100), (1100, 40), (2, 2100)])
    )
    cells, taps = (
        drawn(3, 1, 125, 5, 7, dtype=dtype),
        drawn(4, 24, 125, 3, 3, dtype=dtype),
    )
    shared = [
        dot(x, weight, (), (), (1,), (0,), **more),
        dot(few, drawn(5, 24, 2100, dtype=dtype), (), (), (1,), (1,), **more),
        conv(cells, taps, padding=((1, 1), (0, 1)), **more),
    ]
    graph = graph_of("products", shared)
    inputs = [array for case in shared for array in case.operands]
    by_blocks = results(graph, inputs, tmp_path)
    monkeypatch.setattr(plan, "split_of", lambda *_: None)
    for number in (0, 2):
        monkeypatch.setattr(
            tilings, "best", lambda all_, _, n=number: (*all_, *all_[-1:])[n]
        )
        for one, whole in zip(by_blocks, results(graph, inputs, tmp_path), strict=True):
            np.testing.assert_array_equal(one, whole)
    exact, _ = evaluate(graph, inputs, wide=True)
    narrow, _ = evaluate(graph, inputs)
    for one, near, true in zip(by_blocks, narrow, exact, strict=True):
        close = agreement(one, near, true, 2100)
        assert close.error <= close.bound, close


def test_what_is_not_finite_stays_in_its_row_and_column(tmp_path: Path) -> None:
    x, weight = drawn(0, 12, 37), drawn(1, 37, 21)
    x[3, 5], x[4, 0], weight[2, 7] = np.nan, np.inf, -np.inf
    graph = graph_of("special", [dot(x, weight, (), (), (1,), (0,))])
    (actual,) = results(graph, [x, weight], tmp_path)
    (expected,), _ = evaluate(graph, [x, weight])
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_array_equal(np.isposinf(actual), np.isposinf(expected))
    assert np.isnan(actual[3]).all()
    assert np.isfinite(actual[:3, :7]).all()


@pytest.mark.parametrize("number", [0, 1])
def test_threads_wait_for_channels_of_taps(number: int) -> None:
    case = ALL_CASES["channels last"][number]
    made = SingleKernel(graph_of("taps", [case]))
    inputs = list(case.operands)
    aligned = made.check(inputs)
    np.testing.assert_array_equal(made.run(inputs, {}, shift=1), aligned)
