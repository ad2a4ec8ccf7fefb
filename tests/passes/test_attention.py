"""Attention as models write it becomes one node, with the same meaning; so do siblings."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn, ops
from lxc.ir.agreement import relative_error
from lxc.ir.dim import evaluate_size
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, walk
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, Outcome, passes_named, run_passes

LENGTH = lxc.Dim("T", 1, 40)
Function = Callable[..., Any]


def spec(*shape: Any, dtype: str = "float32") -> lxc.TensorSpec:
    return lxc.TensorSpec(shape, dtype)


def tensor_level(graph: Graph) -> Graph:
    program = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(program, Graph)
    return program


def traced(function: Function, *specs: lxc.TensorSpec) -> Graph:
    model = nn.WrappedFunction(lambda xs: function(*xs))
    return tensor_level(lxc.trace(model, specs, {}, {}))


def fused(graph: Graph, *names: str) -> Outcome:
    return run_passes(graph, passes_named(names or ("merge-products", "fuse-attention")))


def attention_nodes(graph: Graph, *names: str) -> list[Node]:
    program = fused(graph, *names).program
    assert isinstance(program, Graph)
    return [node for node in walk(program.nodes) if str(node.op) == "attention"]


def product(x: Any, y: Any) -> Any:
    return ops.matmul(x, ops.swapaxes(y, -1, -2))


def by_einsum(q: Any, k: Any, v: Any) -> Any:
    scores = ops.einsum("bqhd,bkhd->bhqk", q, k) / 3.0
    return ops.einsum("bhqk,bkhd->bqhd", ops.softmax(scores), v)


def with_triangle(q: Any, k: Any, v: Any) -> Any:
    seen = ops.tril(ops.ones((10, 10), dtype=bool))
    scores = ops.where(seen, product(q * 0.5, k), -np.inf)
    return ops.matmul(ops.softmax(scores), v)


def with_added_mask(q: Any, k: Any, v: Any, mask: Any) -> Any:
    scores = product(q, k) * 0.5 + (1 - mask[:, None, None, :]) * -1e9
    return ops.swapaxes(ops.matmul(ops.softmax(scores), v), 1, 2)


def with_repeated_heads(q: Any, k: Any, v: Any) -> Any:
    k, v = ops.repeat(k, 2, 1), ops.repeat(v, 2, 1)
    return ops.matmul(ops.softmax(product(q, k)), v)


def in_groups(q: Any, k: Any, v: Any) -> Any:
    scores = ops.einsum("bkgtd,bksd->bkgts", q, k) * 0.5
    return ops.einsum("bkgts,bksd->bkgtd", ops.softmax(scores), v)


def of_one_query(q: Any, k: Any, v: Any, position: Any) -> Any:
    scores = ops.einsum("bhd,bhtd->bht", q, k) * 0.5
    scores = ops.where(ops.arange(20) <= position, scores, -1e9)
    return ops.einsum("bht,bhtd->bhd", ops.softmax(scores), v)


def without_heads(q: Any, k: Any, v: Any) -> Any:
    return ops.matmul(ops.softmax(product(q, k)), v)


def shifted_band(q: Any, k: Any, v: Any) -> Any:
    rows, columns = ops.arange(7)[:, None], ops.arange(9)[None, :]
    hidden = ops.logical_not(columns < rows + 3)
    scores = ops.where(hidden, -1e9, product(q, k))
    return ops.matmul(ops.softmax(scores), v)


FORMS: dict[str, tuple[Function, Sequence[lxc.TensorSpec]]] = {
    "einsum": (by_einsum, [spec(2, LENGTH, 4, 8)] * 3),
    "triangle": (with_triangle, [spec(2, 4, 10, 8)] * 3),
    "added mask": (with_added_mask, [*[spec(2, 4, LENGTH, 8)] * 3, spec(2, LENGTH)]),
    "repeated heads": (
        with_repeated_heads,
        [spec(2, 4, LENGTH, 8), *[spec(2, 2, LENGTH, 8)] * 2],
    ),
    "groups": (in_groups, [spec(2, 2, 3, 10, 8), *[spec(2, 2, 12, 8)] * 2]),
    "one query": (
        of_one_query,
        [spec(2, 4, 8), *[spec(2, 4, 20, 8)] * 2, spec(dtype="int64")],
    ),
    "no heads": (without_heads, [spec(LENGTH, 8), spec(12, 8), spec(12, 5)]),
    "band": (shifted_band, [spec(1, 7, 8), *[spec(1, 9, 8)] * 2]),
}


def array_for(value: Value) -> Array:
    """Return an array that depends on the name only, of numbers that fit a mask as well."""
    shape = [evaluate_size(entry, {"T": 9, "B": 2}) for entry in value.type.shape]
    random = np.random.default_rng(zlib.crc32(value.name.encode()))
    if not value.type.dtype.is_float:
        return np.asarray(random.integers(0, 2, shape)).astype(value.type.dtype.numpy)
    return random.standard_normal(shape).astype(np.float32)


def same_results(before: Graph, after: Any) -> bool:
    headers = (before.inputs, before.params, before.state)
    arrays = [[array_for(value) for value in values] for values in headers]
    pairs = zip(evaluate(before, *arrays)[0], evaluate(after, *arrays)[0], strict=True)
    return all(relative_error(new, old.astype(np.float64)) < 1e-5 for old, new in pairs)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_becomes_one_node_with_the_same_meaning(name: str) -> None:
    function, specs = FORMS[name]
    graph = traced(function, *specs)
    (node,) = attention_nodes(graph)
    assert not any(str(one.op) == "exp" for one in walk(fused(graph).program.nodes))  # type: ignore[union-attr]
    assert same_results(graph, fused(graph).program)
    assert len(node.operands) == 4 + (name in ("added mask", "one query"))


@pytest.mark.parametrize(("name", "offset"), [("triangle", 0), ("band", 2)])
def test_a_triangle_is_causal(name: str, offset: int) -> None:
    function, specs = FORMS[name]
    (node,) = attention_nodes(traced(function, *specs))
    assert (node.attributes["causal"], node.attributes["offset"]) == (True, offset)


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("rope", [False, True])
def test_the_layer_is_one_attention_and_two_products(heads: int, rope: bool) -> None:
    layer = kaun.multi_head_attention(32, 4, heads, is_causal=True, rope=rope)
    parameters = kaun.init(layer, dtype="float32", rng=0)
    x = spec(lxc.Dim("B", 1, 4), LENGTH, 32)
    context = kaun.Context({kaun.attention_mask_key: spec(*x.shape[:2], dtype="bool")})
    for given in (None, context):
        found = lxc.trace(layer, x, parameters, training=False, rngs=None, ctx=given)
        graph = tensor_level(found)
        (node,) = attention_nodes(graph)
        assert node.attributes["queries_first"]
        assert node.operands[1].type.shape[1] == heads
        after = fused(graph).program
        assert isinstance(after, Graph)
        products = [one for one in after.nodes if str(one.op) == "dot_general"]
        assert len(products) == 2
        assert same_results(graph, after)


def almost(change: Callable[[Any], Any], weights: Callable[[Any], Any]) -> Graph:
    def function(q: Any, k: Any, v: Any) -> Any:
        return ops.matmul(weights(ops.softmax(change(product(q, k)))), v)

    return traced(function, *[spec(2, 4, 6, 8)] * 3)


@pytest.mark.parametrize(
    ("change", "weights"),
    [
        (ops.tanh, lambda x: x),
        (lambda x: ops.where(x > 0, x, -1e9), lambda x: x),
        (lambda x: (x + np.arange(6, dtype=np.float32)) * 2, lambda x: x),
        (lambda x: x / 0.0, lambda x: x),
        (lambda x: x, lambda x: x * 2),
        (lambda x: x, lambda x: ops.swapaxes(x, -1, -2)),
        (lambda x: ops.swapaxes(x, 1, 2), lambda x: ops.swapaxes(x, 1, 2)),
    ],
)
def test_what_almost_is_attention_stays(
    change: Callable[[Any], Any], weights: Callable[[Any], Any]
) -> None:
    graph = almost(change, weights)
    assert fused(graph, "fuse-attention").program is graph


COUNTED = """
graph @counted lux {
  input %x.0: f32[2, 4, 8]
  input %x.1: f32[2, 4, 8]
  input %x.2: f32[2, 4, 8]
  tree inputs = [*, *, *]
  tree params = []
  tree state = []
  tree outputs = [*]

  %0: f32[2, 4, 4] = dot_general(%x.0, %x.1) {lhs_batch = [0], rhs_batch = [0], \
lhs_contract = [2], rhs_contract = [2]}
  %1: KIND[4, 4] = iota() {dtype = KIND, shape = [4, 4], axis = 0}
  %2: KIND[4, 4] = iota() {dtype = KIND, shape = [4, 4], axis = 1}
  %3: KIND[] = constant() {dtype = KIND, shape = [], value = [NUMBER]}
  %4: KIND[4, 4] = broadcast(%3) {shape = [4, 4], axes = []}
  %5: KIND[4, 4] = subtract(%1, %4)
  %6: bool[4, 4] = less_equal(%2, %5)
  %7: bool[2, 4, 4] = broadcast(%6) {shape = [2, 4, 4], axes = [1, 2]}
  %8: f32[] = constant() {dtype = f32, shape = [], value = [-0x1p+20]}
  %9: f32[2, 4, 4] = broadcast(%8) {shape = [2, 4, 4], axes = []}
  %10: f32[2, 4, 4] = select(%7, %0, %9)
  %11: f32[2, 4] = reduce(%10) {kind = "max", axes = [2]}
  %12: f32[2, 4, 4] = broadcast(%11) {shape = [2, 4, 4], axes = [0, 1]}
  %13: f32[2, 4, 4] = subtract(%10, %12)
  %14: f32[2, 4, 4] = exp(%13)
  %15: f32[2, 4] = reduce(%14) {kind = "add", axes = [2]}
  %16: f32[2, 4, 4] = broadcast(%15) {shape = [2, 4, 4], axes = [0, 1]}
  %17: f32[2, 4, 4] = divide(%14, %16)
  %18: f32[2, 4, 8] = dot_general(%17, %x.2) {lhs_batch = [0], rhs_batch = [0], \
lhs_contract = [2], rhs_contract = [1]}
  return %18
}
"""


@pytest.mark.parametrize(
    ("kind", "number", "causal"),
    [("i32", "1", True), ("f32", "0x1p-1", False), ("u32", "1", False), ("i8", "1", False)],
)
def test_only_counters_that_cannot_wrap_make_it_causal(
    kind: str, number: str, causal: bool
) -> None:
    graph = parse_graph(COUNTED.replace("KIND", kind).replace("NUMBER", number))
    (node,) = attention_nodes(graph)
    assert node.attributes["causal"] == causal
    assert same_results(graph, fused(graph).program)


def test_sums_of_sums_are_looked_through_once() -> None:
    def doubled(x: Any) -> Any:
        for _ in range(60):
            x = x + x * 0.5
        return x

    def function(x: Any, v: Any) -> Any:
        return ops.matmul(ops.softmax(doubled(x)), v)

    graph = traced(function, spec(4, 6), spec(6, 3))
    assert fused(graph, "fuse-attention").program is graph


def test_decisions_say_why() -> None:
    def shown(q: Any, k: Any, v: Any) -> Any:
        weights = ops.softmax(product(q, k))
        return ops.matmul(weights, v), weights

    whole = fused(traced(without_heads, *[spec(6, 8)] * 3)).decisions
    assert [(one.fused, one.rule) for one in whole] == [(True, "attention")]
    kept = fused(traced(shown, *[spec(6, 8)] * 3)).decisions
    assert [(one.fused, one.rule) for one in kept] == [(False, "read-elsewhere")]
    first = fused(
        almost(lambda x: (x + np.arange(6, dtype=np.float32)) * 2, lambda x: x)
    ).decisions
    assert [(one.fused, one.rule) for one in first] == [(False, "masked-first")]
