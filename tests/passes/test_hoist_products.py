"""Loops mean the same after what they need not wait for was moved out of them."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lxc.ir.builder import Builder
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Value, walk
from lxc.ir.op import OPS
from lxc.ir.types import Array, DType, TensorType
from lxc.passes import passes_named, run_passes
from lxc.structure import LEAF, Structure
from tests.ir.random_nodes import Draw
from tests.passes.test_meaning import SLOW

WIDE = 36
"""The least size of a square weight that is worth a product for all steps."""
ROWS, STEPS = 2, 3
PLAIN = TensorType(DType.F32, (ROWS, WIDE))


def add_product(draw: Draw, cell: Builder, pool: list[Value], weight: Value) -> Value:
    """Add a product with the weight, either way around."""
    axis = draw(st.sampled_from([0, 1]))
    (y,) = cell.add(
        OPS["dot_general"],
        draw(st.sampled_from(pool)),
        weight,
        lhs_batch=(),
        rhs_batch=(),
        lhs_contract=(1,),
        rhs_contract=(axis,),
    )
    return y


def add_turned_product(
    draw: Draw, cell: Builder, pool: list[Value], weight: Value
) -> Value:
    """Add a product whose operand has the contracted axis in front."""
    x = draw(st.sampled_from(pool))
    (turned,) = cell.add(OPS["transpose"], x, permutation=(1, 0))
    (y,) = cell.add(
        OPS["dot_general"],
        turned,
        weight,
        lhs_batch=(),
        rhs_batch=(),
        lhs_contract=(0,),
        rhs_contract=(0,),
    )
    return y


def add_elementwise(draw: Draw, cell: Builder, pool: list[Value], weight: Value) -> Value:
    """Add arithmetic on two values."""
    name = draw(st.sampled_from(["add", "multiply", "maximum"]))
    operands = [draw(st.sampled_from(pool)) for _ in range(2)]
    (y,) = cell.add(OPS[name], *operands)
    return y


def add_views(draw: Draw, cell: Builder, pool: list[Value], weight: Value) -> Value:
    """Add a slice that is padded, turned around and shaped back."""
    x = draw(st.sampled_from(pool))
    (zero,) = cell.add(OPS["constant"], dtype=DType.F32, shape=(), value=(0.5,))
    (y,) = cell.add(OPS["slice"], x, start=(0, 1), stop=(ROWS, WIDE), step=(1, 1))
    (y,) = cell.add(OPS["pad"], y, zero, low=(0, 1), high=(0, 0), interior=(0, 0))
    (y,) = cell.add(OPS["reverse"], y, axes=(1,))
    (y,) = cell.add(OPS["reshape"], y, shape=(WIDE, ROWS))
    (y,) = cell.add(OPS["reshape"], y, shape=PLAIN.shape)
    return y


def add_squashed(draw: Draw, cell: Builder, pool: list[Value], weight: Value) -> Value:
    """Add a function of one value."""
    (y,) = cell.add(OPS["tanh"], draw(st.sampled_from(pool)), fast=False)
    return y


STEPS_OF_A_CELL = (
    add_product,
    add_turned_product,
    add_elementwise,
    add_views,
    add_squashed,
)


@st.composite
def loops(draw: Draw) -> Graph:
    """Draw a loop with two carries over a weight, a vector and a sequence."""
    sequence = Value(TensorType(DType.F32, (STEPS, ROWS, WIDE)), "%x.0")
    start = Value(PLAIN, "%x.1")
    weight = Value(TensorType(DType.F32, (WIDE, WIDE)), "@0")
    bias = Value(TensorType(DType.F32, (WIDE,)), "@1")
    first, second, inner, vector, row = (
        Value(kind) for kind in (PLAIN, PLAIN, weight.type, bias.type, PLAIN)
    )
    cell = Builder()
    (spread,) = cell.add(OPS["broadcast"], vector, shape=PLAIN.shape, axes=(1,))
    (squashed,) = cell.add(OPS["tanh"], inner, fast=False)
    pool = [first, second, row, row, spread]
    for add in draw(st.lists(st.sampled_from(STEPS_OF_A_CELL), max_size=7)):
        pool.append(add(draw, cell, pool, draw(st.sampled_from([inner, squashed]))))
    outputs = [draw(st.sampled_from(pool)) for _ in range(4)]
    build = Builder()
    results = build.add(
        OPS["scan"],
        start,
        start,
        weight,
        bias,
        sequence,
        bodies=(
            Body((first, second, inner, vector, row), tuple(cell.nodes), tuple(outputs)),
        ),
        carries=2,
        consts=2,
        length=STEPS,
        axis=0,
        reverse=draw(st.booleans()),
    )
    return Graph(
        name="loop",
        dims=(),
        inputs=(sequence, start),
        params=(weight, bias),
        state=(),
        nodes=tuple(build.nodes),
        outputs=results,
        updates=(),
        input_tree=Structure("tuple", (), (LEAF, LEAF)),
        param_tree=Structure("tuple", (), (LEAF, LEAF)),
        output_tree=Structure("tuple", (), (LEAF,) * 4),
    )


def numbers(values: tuple[Value, ...]) -> list[Array]:
    """Return small numbers for header values."""
    source = np.random.default_rng(5)
    return [source.normal(0, 0.2, value.type.shape).astype("f4") for value in values]


def hoisted(graph: Any) -> Any:
    """Return a graph after the pass."""
    return run_passes(graph, passes_named(["hoist-products"])).program


@SLOW
@given(loops())
def test_a_loop_keeps_its_meaning_and_is_hoisted_from_once(graph: Graph) -> None:
    after = hoisted(graph)
    inputs, params = numbers(graph.inputs), numbers(graph.params)
    wanted, _ = evaluate(graph, inputs, params, [], wide=True)
    found, _ = evaluate(after, inputs, params, [], wide=True)
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9)
    assert str(hoisted(after)) == str(after)


@SLOW
@given(loops())
def test_no_product_is_left_in_a_step_that_reads_nothing_else(graph: Graph) -> None:
    after = run_passes(hoisted(graph), passes_named(["eliminate-dead"])).program
    assert isinstance(after, Graph)
    for loop in (node for node in walk(after.nodes) if node.op.name == "scan"):
        body = loop.bodies[0]
        sequences = body.parameters[2 + int(str(loop.attributes["consts"])) :]
        for inner in body.nodes:
            assert not (inner.op.name == "dot_general" and inner.operands[0] in sequences)
