"""Strategies for models that give passes something to do, and arrays to run them on."""

import zlib
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from lxc.ir.builder import Builder, constant_attributes
from lxc.ir.dim import evaluate_size, expression
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, DType, TensorType
from lxc.structure import LEAF, Structure
from tests.ir.random_nodes import (
    Draw,
    M,
    N,
    add_constant,
    add_convolution,
    add_elementwise,
    add_gather,
    add_reduction,
    add_slice_and_pad,
    add_sources,
    add_view,
    drawn_nodes,
)

SIZES = {"N": 3, "batch_2": 2}
ROWS = expression(N)


def add_dense(draw: Draw, build: Builder, pool: list[Value]) -> None:
    """Add a dense layer on parameters, with an affine chain behind it."""
    x, weight, vector = (value for value in pool if value.name in ("%x", "@w", "@v"))
    axis = draw(st.sampled_from([0, 1]))
    flipped = build.add(OPS["transpose"], weight, permutation=(1, 0))[0] if axis else weight
    (y,) = build.add(
        OPS["dot_general"],
        x,
        flipped,
        lhs_batch=(),
        rhs_batch=(),
        lhs_contract=(1,),
        rhs_contract=(axis,),
    )
    (spread,) = build.add(OPS["broadcast"], vector, shape=y.type.shape, axes=(1,))
    for name in draw(st.lists(st.sampled_from(AFFINE), max_size=4)):
        operands = (y,) if name == "negate" else draw(st.permutations([y, spread]))
        operands = (y, spread) if name == "divide" else operands
        (y,) = build.add(OPS[name], *operands)


AFFINE = ("add", "subtract", "multiply", "divide", "negate")


def add_filter(draw: Draw, build: Builder, pool: list[Value]) -> None:
    """Add a convolution on parameters with what often follows it."""
    x, kernel, vector = (value for value in pool if value.name in ("%image", "@k", "@v"))
    pads = ((draw(st.integers(0, 1)), draw(st.integers(0, 2))),)
    (y,) = build.add(
        OPS["conv"],
        x,
        kernel,
        strides=(draw(st.integers(1, 2)),),
        padding=pads,
        lhs_dilation=(1,),
        rhs_dilation=(1,),
        groups=2,
    )
    (spread,) = build.add(OPS["broadcast"], vector, shape=y.type.shape, axes=(1,))
    (scaled,) = build.add(OPS["multiply"], y, spread)
    (shifted,) = build.add(OPS["add"], scaled, spread)
    (largest,) = build.add(OPS["reduce"], shifted, kind="max", axes=(2,))
    (wide,) = build.add(OPS["broadcast"], largest, shape=shifted.type.shape, axes=(0, 1))
    build.add(OPS["subtract"], shifted, wide)


def add_prepared(draw: Draw, build: Builder, pool: list[Value]) -> None:
    """Add work on parameters that each call reads."""
    x, vector = (value for value in pool if value.name in ("%x", "@v"))
    (zero,) = build.add(OPS["constant"], **constant_attributes(np.zeros((), np.float32)))
    (wider,) = build.add(OPS["pad"], vector, zero, low=(0,), high=(1,), interior=(0,))
    (root,) = build.add(OPS["absolute"], wider)
    (part,) = build.add(OPS["slice"], root, start=(0,), stop=(4,), step=(1,))
    (spread,) = build.add(OPS["broadcast"], part, shape=x.type.shape, axes=(1,))
    build.add(OPS[draw(st.sampled_from(["multiply", "maximum"]))], x, spread)


def add_loop(draw: Draw, build: Builder, pool: list[Value]) -> None:
    """Add a cell with a weight, two carries that may change places and a stack."""
    x, weight = (value for value in pool if value.name in ("%x", "@square"))
    axis = draw(st.integers(0, 1))
    length = x.type.shape[axis]
    row = Value(x.type.with_shape((x.type.shape[1 - axis],)))
    (start,) = build.add(OPS["constant"], **constant_attributes(np.array([1.0, 2], "f4")))
    first, second, inner = Value(start.type), Value(start.type), Value(weight.type)
    cell = Builder()
    (product,) = cell.add(
        OPS["dot_general"],
        first,
        inner,
        lhs_batch=(),
        rhs_batch=(),
        lhs_contract=(0,),
        rhs_contract=(1,),
    )
    (total,) = cell.add(OPS["reduce"], row, kind="add", axes=(0,))
    (wide,) = cell.add(OPS["broadcast"], total, shape=(2,), axes=())
    (summed,) = cell.add(OPS["add"], product, wide)
    (new,) = cell.add(OPS["tanh"], summed, fast=False)
    carried = draw(st.sampled_from([first, second, new]))
    yields = (new, carried, draw(st.sampled_from([row, new])))
    build.add(
        OPS["scan"],
        start,
        start,
        weight,
        x,
        bodies=(Body((first, second, inner, row), tuple(cell.nodes), yields),),
        carries=2,
        consts=1,
        length=length,
        axis=axis,
        reverse=draw(st.booleans()),
    )


def add_numbers(draw: Draw, build: Builder, pool: list[Value]) -> None:
    """Add arithmetic on constants, and something that reads it."""
    number = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5])
    x = next(value for value in pool if value.name == "%x")
    scalars = [
        build.add(OPS["constant"], **constant_attributes(np.array(draw(number), "f4")))[0]
        for _ in range(2)
    ]
    (scalar,) = build.add(OPS[draw(st.sampled_from(AFFINE[:4]))], *scalars)
    spread = [
        build.add(OPS["broadcast"], value, shape=x.type.shape, axes=())[0]
        for value in (scalar, scalars[0])
    ]
    (both,) = build.add(OPS[draw(st.sampled_from(AFFINE[:4]))], *spread)
    for value in (both, spread[1]):
        (x,) = build.add(OPS[draw(st.sampled_from(AFFINE[:4]))], x, value)


def add_layers(draw: Draw, build: Builder, pool: list[Value]) -> None:
    """Add a chain with a chain, a layer and a no-op in it."""
    x = draw(st.sampled_from([value for value in pool if value.type.dtype is DType.F32]))
    inner = Builder()
    parameter, inside = Value(x.type), Value(x.type)
    (absolute,) = inner.add(OPS["absolute"], inside)
    body = Body((inside,), tuple(inner.nodes), (absolute, inside))
    outer = Builder()
    kind = draw(st.sampled_from(["chain", "layer"]))
    first, kept = outer.add(OPS[kind], parameter, bodies=(body,), kind="Inner")
    (same,) = outer.add(OPS["noop"], first)
    if draw(st.booleans()):
        (same,) = outer.add(OPS["negate"], same)
    whole = Body((parameter,), tuple(outer.nodes), (same, kept))
    build.add(OPS["chain"], x, bodies=(whole,), kind="Outer")


FLAT = (
    add_constant,
    add_elementwise,
    add_view,
    add_slice_and_pad,
    add_reduction,
    add_gather,
    add_sources,
    add_convolution,
    add_dense,
    add_filter,
    add_prepared,
    add_loop,
    add_numbers,
)


@st.composite
def models(draw: Draw, layers: bool = False) -> Graph:
    """Draw a graph, at the layer level or below it."""
    headers = [
        Value(TensorType(DType.F32, (ROWS, 4)), "%x"),
        Value(TensorType(DType.F32, (expression(M), 4, 5)), "%image"),
        Value(TensorType(DType.F32, (4, 4)), "@w"),
        Value(TensorType(DType.F32, (4, 2, 2)), "@k"),
        Value(TensorType(DType.F32, (4,)), "@v"),
        Value(TensorType(DType.F32, (2, 2)), "@square"),
        Value(TensorType(DType.F32, (4,)), "$mean"),
    ]
    build, pool = Builder(), list(headers)
    nodes = drawn_nodes(draw, build, pool, (*FLAT, add_layers) if layers else FLAT)
    same = [value for value in pool if value.type == headers[6].type]
    outputs = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))
    last = nodes[-1].results if nodes else ()
    return Graph(
        name="model",
        dims=(N, M),
        inputs=tuple(headers[:2]),
        params=tuple(headers[2:6]),
        state=(headers[6],),
        nodes=nodes,
        outputs=(*outputs, *last),
        updates=(draw(st.sampled_from([headers[6], *same])),),
        input_tree=Structure("tuple", (), (LEAF, LEAF)),
        param_tree=Structure("tuple", (), (LEAF,) * 4),
        state_tree=Structure("tuple", (), (LEAF,)),
    )


def arrays_for(values: Sequence[Value]) -> list[Array]:
    """Return an array of positive numbers for each header value."""
    arrays = []
    for value in values:
        shape = [evaluate_size(entry, SIZES) for entry in value.type.shape]
        source = np.random.default_rng(zlib.crc32(value.name.encode()))
        arrays.append(source.uniform(0.5, 1.5, shape).astype(np.float32))
    return arrays
