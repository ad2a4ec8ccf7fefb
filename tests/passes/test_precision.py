"""Products get the precision that is asked for their layers, and lose no more than told."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph, Program
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array, DType
from lxc.passes import TARGET_PIPELINE, Choices, passes_named, run_passes
from lxc.passes.lower_precision import lower_precision
from lxc.passes.precision import Precision, PrecisionPlan, check_paths, plan_of

INT8 = PrecisionPlan(Precision.INT8)
TINY = float(np.finfo(np.float32).smallest_subnormal)

FORMS = {
    "rows and columns": ("3, 5", "5, 4", "3, 4", ([], [], [1], [0])),
    "a transposed weight": ("3, 5", "4, 5", "3, 4", ([], [], [1], [1])),
    "no columns": ("3, 5", "5", "3", ([], [], [1], [0])),
    "two summed axes": ("3, 5, 2", "5, 4, 2", "3, 4", ([], [], [1, 2], [0, 2])),
    "turned batch axes": (
        *("3, 5, 7, 2", "4, 7, 3, 2, 6", "2, 3, 5, 4, 6"),
        ([3, 0], [3, 2], [2], [1]),
    ),
}


def product(form: str, layer: str = "head") -> Graph:
    x, weight, result, axes = FORMS[form]
    names = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    facts = ", ".join(f"{name} = {own}" for name, own in zip(names, axes, strict=True))
    return parse_graph(
        f"graph @m lux {{ input %x: f32[{x}] param @w: f32[{weight}] tree params = [*]\n"
        f"%0: f32[{result}] = dot_general(%x, @w) {{{facts}}} at {layer}\nreturn %0 }}"
    )


def drawn(graph: Graph, seed: int = 0) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    shapes = [value.type.shape for value in (*graph.inputs, *graph.params)]
    x, weight = (
        random.standard_normal([int(str(n)) for n in shape]).astype(np.float32)
        for shape in shapes
    )
    return x, weight


def results(graph: Graph, x: Array, weight: Array, *, wide: bool = False) -> Array:
    ((y,), _) = evaluate(graph, [x], [weight], wide=wide)
    return y


@pytest.mark.parametrize("form", FORMS)
def test_a_weight_is_off_by_half_a_scale_at_most(form: str) -> None:
    graph = product(form)
    x, weight = drawn(graph)
    exact = results(graph, x, weight, wide=True)
    error = np.abs(results(lower_precision(graph, INT8), x, weight) - exact)
    _, contract = FORMS[form][3][2:]
    scales = np.abs(weight).max(axis=tuple(contract), keepdims=True) / 127
    half = np.broadcast_to(scales / 2, weight.shape).astype(np.float32)
    bound = results(graph, np.abs(x), half, wide=True)
    assert (error <= bound * (1 + 1e-5)).all()
    assert error.max() > bound.max() / 1000


def test_the_largest_weight_of_a_column_and_zeros_are_exact() -> None:
    graph = product("rows and columns")
    weight = np.zeros((5, 4), np.float32)
    weight[2] = [0.3, -1e30, 0, TINY]
    x = np.zeros((3, 5), np.float32)
    x[:, 2] = 1
    y = results(lower_precision(graph, INT8), x, weight)
    np.testing.assert_allclose(y[:, :3], weight[2:3, :3].repeat(3, 0), rtol=2e-7)
    # Nothing smaller than half of the smallest scale is told from zero.
    assert abs(y[0, 3]) <= np.finfo(np.float32).smallest_normal / 2


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_makes_its_column_nan(wrong: float) -> None:
    graph = product("rows and columns")
    x, weight = drawn(graph)
    sound = results(lower_precision(graph, INT8), x, weight)
    weight[1, 2] = wrong
    y = results(lower_precision(graph, INT8), x, weight)
    assert np.isnan(y[:, 2]).all()
    np.testing.assert_array_equal(np.delete(y, 2, 1), np.delete(sound, 2, 1))


def test_calls_read_a_quarter_of_the_bytes() -> None:
    outcome = run_passes(
        product("rows and columns"),
        passes_named(TARGET_PIPELINE),
        choices=Choices(precision=INT8),
    )
    assert isinstance(outcome.program, Program)
    handed = {
        value.type.dtype: value.type.element_count for value in outcome.program.run.prepared
    }
    assert handed == {DType.I8: 20, DType.F32: 4}
    assert not {value.name for value in outcome.program.run.params} & read(outcome.program)


def read(program: Program) -> set[str]:
    return {value.name for node in program.run.nodes for value in node.operands}


PLANS: Sequence[tuple[str | Mapping[str, str], Mapping[str, str]]] = (
    ("bf16", {"head": "bf16", "": "bf16"}),
    (
        {"": "int8", "head": "float32"},
        {"head": "float32", "head.out": "float32", "x": "int8"},
    ),
    ({"head": "int8"}, {"head": "int8", "heads": "float32", "": "float32"}),
    ({"a.*": "int8", "a.b": "bf16"}, {"a.b": "bf16", "a.c.d": "int8", "a": "float32"}),
    ({"*.out": "bf16", "a": "int8"}, {"a.out": "bf16", "a.in": "int8"}),
    ({"layer_?": "int8", "layer_*": "bf16"}, {"layer_1": "int8", "layer_12": "bf16"}),
    ({"a.b": "int8", "a": "bf16"}, {"a.b.c": "int8", "a.x": "bf16"}),
)


@pytest.mark.parametrize(("given", "wanted"), PLANS)
def test_the_most_specific_path_decides(
    given: str | Mapping[str, str], wanted: Mapping[str, str]
) -> None:
    plan = plan_of(given)
    assert {layer: str(plan.of([layer])) for layer in wanted} == wanted
    assert plan_of(json.loads(json.dumps(plan.to_json()))) == plan
    assert hash(plan) == hash(plan_of(plan.to_json()))


def test_work_of_several_layers_has_the_most_precise_of_theirs() -> None:
    plan = plan_of({"": "int8", "a": "bf16", "b": "float32"})
    assert plan.of(["c", "a"]) is Precision.BF16
    assert plan.of(["a", "b", "c"]) is Precision.FLOAT32
    assert plan.of([]) is Precision.INT8


def test_a_path_without_a_layer_is_refused() -> None:
    graph = product("rows and columns", "encoder.first.out")
    for path in ("encoder", "encoder.first", "*.first.out", "encoder.fir??"):
        check_paths(plan_of({path: "int8"}), graph)
    with pytest.raises(LxcError) as caught:
        check_paths(plan_of({"": "int8", "encoder.frist": "float32"}), graph)
    assert caught.value.hint == "there is encoder.first"
    with pytest.raises(LxcError):
        check_paths(plan_of({"encoder.first.out.deeper": "float32"}), graph)


def test_every_product_is_explained() -> None:
    text = (
        "graph @m lux { input %x: f32[4, 4] param @a: f32[4, 4] param @k: f32[4, 4, 1] "
        "tree params = [*, *]\n"
        + "".join(
            f"%{number}: f32[4, 4] = dot_general({left}, {right}) {{lhs_batch = [], "
            f"rhs_batch = [], lhs_contract = [1], rhs_contract = [0]}} at {layer}\n"
            for number, (left, right, layer) in enumerate(
                [("%x", "@a", "one"), ("%x", "@a", "two"), ("@a", "%x", "three")]
            )
        )
        + "%3: f32[1, 4, 4] = reshape(%x) {shape = [1, 4, 4]}\n"
        "%4: f32[1, 4, 4] = conv(%3, @k) {strides = [1], padding = [[0, 0]], "
        "lhs_dilation = [1], rhs_dilation = [1], groups = 1} at four\n"
        "return %0, %1, %2, %4 }"
    )
    plan = plan_of({"": "int8", "two": "float32"})
    outcome = run_passes(
        parse_graph(text),
        passes_named(["lower-precision"]),
        choices=Choices(precision=plan),
    )
    said = {one.layers[1]: (one.fused, one.rule) for one in outcome.decisions}
    assert said == {
        "one": (True, "int8"),
        "two": (False, "float32"),
        "three": (False, "no-weight"),
        "four": (False, "convolution"),
    }
    assert str(outcome.decisions[0]).startswith(
        "reduced  one @a f32[4, 4] -> one dot_general"
    )
    assert str(outcome.decisions[3]).startswith(
        "float32  four @k f32[4, 4, 1] -> four conv"
    )
