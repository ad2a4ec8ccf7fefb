"""Strategies for nodes: every kind of attribute, bodies, symbolic sizes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from lxc.ir.builder import Builder, constant_attributes
from lxc.ir.dim import Dim, Size, bounds, expression
from lxc.ir.node import Body, Location, Node, Value
from lxc.ir.op import OPS
from lxc.ir.types import DType, TensorType
from lxc.structure import LEAF, NONE, Structure

Draw = Callable[[st.SearchStrategy[Any]], Any]
N, M = Dim("N", 1, 8), Dim("batch_2", 2, 5)
SIZES: list[Size] = [
    1,
    2,
    3,
    5,
    expression(N),
    expression(N) * 2 + 1,
    M * N,
    (M + 1) // 2 + 2,
]
SHAPES = st.lists(st.sampled_from(SIZES), max_size=3).map(tuple)
TYPES = st.builds(TensorType, st.sampled_from(list(DType)), SHAPES)
INTEGERS = [dtype for dtype in DType if dtype.is_integer]
WORDS = st.sampled_from(["x", "weight", "layer_1", "nan", "inf", "tree", "f32", "at_2"])
SOURCES = st.sampled_from(
    ["", "model.py:3", 'a "b".py:1', "back\\slash.py:2", "new\nline.py:4"]
)
FLOATS = st.sampled_from([0.0, -0.0, 1.5, -1e30, 5e-324, math.inf, -math.inf, math.nan])
STATICS = st.one_of(
    st.booleans(), st.integers(-3, 3), FLOATS, st.text('ab"\\\n;', max_size=4)
).map(lambda value: Structure("static", value=value))


def nested(children: st.SearchStrategy[Structure]) -> st.SearchStrategy[Structure]:
    entries = st.lists(children, max_size=3).map(tuple)
    rows = st.builds(
        lambda k, c: Structure(k, (), c), st.sampled_from(["list", "tuple"]), entries
    )
    keys = st.dictionaries(WORDS, children, max_size=3)
    dicts = keys.map(lambda d: Structure("dict", tuple(d), tuple(d.values())))
    return st.one_of(rows, dicts)


TREES = st.recursive(st.one_of(st.just(LEAF), st.just(NONE), STATICS), nested, max_leaves=5)
LAYERS = st.sampled_from(["a", "a.b_1", "0", "1.weight", "nan.x", "inf"])
LOCATIONS = st.builds(
    Location,
    st.lists(
        st.sampled_from(["a", "a.b_1", "0", "1.weight", "nan.x", "inf"]),
        max_size=2,
        unique=True,
    ).map(tuple),
    SOURCES,
)


def add_constant(draw: Draw, build: Builder, pool: list[Value]) -> None:
    dtype = draw(st.sampled_from(list(DType)))
    numbers = draw(st.lists(FLOATS, min_size=1, max_size=4))
    with np.errstate(all="ignore"):
        array = np.array(numbers).astype(dtype.numpy)
    if dtype is DType.U64:
        array[0] = 2**64 - 1
    build.add(OPS["constant"], **constant_attributes(array))


def add_elementwise(draw: Draw, build: Builder, pool: list[Value]) -> None:
    floats = [v for v in pool if v.type.dtype.is_float]
    if not floats:
        return
    x = draw(st.sampled_from(floats))
    y = draw(st.sampled_from([v for v in floats if v.type == x.type]))
    if draw(st.booleans()):
        (less,) = build.add(OPS["less"], x, y)
        build.add(OPS["select"], less, x, y)
        return
    build.add(OPS["tanh"], x, fast=draw(st.booleans()))
    build.add(OPS[draw(st.sampled_from(["add", "maximum", "power", "divide"]))], x, y)


def add_cast(draw: Draw, build: Builder, pool: list[Value]) -> None:
    build.add(
        OPS["cast"], draw(st.sampled_from(pool)), dtype=draw(st.sampled_from(list(DType)))
    )


def add_view(draw: Draw, build: Builder, pool: list[Value]) -> None:
    x = draw(st.sampled_from(pool))
    order = draw(st.permutations(range(x.type.rank)))
    build.add(OPS["transpose"], x, permutation=tuple(order))
    build.add(OPS["reshape"], x, shape=(x.type.element_count, 1))
    rows = draw(st.sampled_from(SIZES))
    axes = tuple(range(1, x.type.rank + 1))
    build.add(OPS["broadcast"], x, shape=(rows, *x.type.shape), axes=axes)
    build.add(OPS["reverse"], x, axes=tuple(sorted(order[:1])))
    build.add(OPS["concat"], *[x] * draw(st.integers(1, 3)), axis=0) if order else None


def add_slice_and_pad(draw: Draw, build: Builder, pool: list[Value]) -> None:
    x = draw(st.sampled_from(pool))
    (zero,) = build.add(
        OPS["constant"], **constant_attributes(np.zeros((), x.type.dtype.numpy))
    )
    amounts = tuple(draw(st.sampled_from([0, 1, *SIZES[3:]])) for _ in x.type.shape)
    (wide,) = build.add(
        OPS["pad"], x, zero, low=amounts, high=amounts[::-1], interior=(0,) * x.type.rank
    )
    steps = tuple(draw(st.integers(1, 3)) for _ in x.type.shape)
    build.add(OPS["slice"], wide, start=amounts, stop=wide.type.shape, step=steps)


def add_reduction(draw: Draw, build: Builder, pool: list[Value]) -> None:
    candidates = [v for v in pool if v.type.rank and v.type.dtype is not DType.BOOL]
    if not candidates:
        return
    x = draw(st.sampled_from(candidates))
    axes = draw(st.sets(st.integers(0, x.type.rank - 1), min_size=1))
    kind = draw(st.sampled_from(["add", "max", "min", "multiply"]))
    build.add(OPS["reduce"], x, kind=kind, axes=tuple(sorted(axes)))
    window = tuple(1 if bounds(entry)[0] < 2 else 2 for entry in x.type.shape)
    ones, pads = (1,) * x.type.rank, ((0, 0),) * (x.type.rank - 1) + ((0, 1),)
    build.add(OPS["reduce_window"], x, kind=kind, window=window, strides=ones, padding=pads)
    if x.type.dtype.is_float:
        both: dict[str, Any] = {"lhs_batch": (), "rhs_batch": ()}
        last = (x.type.rank - 1,)
        build.add(OPS["dot_general"], x, x, **both, lhs_contract=last, rhs_contract=last)


def add_gather(draw: Draw, build: Builder, pool: list[Value]) -> None:
    candidates = [v for v in pool if v.type.rank]
    if not candidates:
        return
    x = draw(st.sampled_from(candidates))
    kind, rows = draw(st.sampled_from(INTEGERS)), draw(st.sampled_from(SIZES))
    (indices,) = build.add(OPS["iota"], dtype=kind, shape=(2, rows), axis=1)
    axis = draw(st.integers(0, x.type.rank - 1))
    build.add(OPS["gather"], x, indices, axis=axis, mode="clip")
    if x.type.dtype is not DType.BOOL:
        kind = draw(st.sampled_from(["add", "max", "min", "multiply"]))
        build.add(OPS["cumulative"], x, kind=kind, axis=axis)


def add_sources(draw: Draw, build: Builder, pool: list[Value]) -> None:
    shape = (*draw(SHAPES), draw(st.sampled_from(SIZES)))
    build.add(
        OPS["iota"], dtype=draw(st.sampled_from(list(DType)[1:])), shape=shape, axis=0
    )
    (key,) = build.add(OPS["constant"], **constant_attributes(np.array([7, 9], np.uint32)))
    build.add(OPS["random_bits"], key, shape=shape)
    build.add(OPS["random_split"], key, count=draw(st.integers(1, 3)))
    x = draw(st.sampled_from(pool))
    if x.type.rank:
        build.add(OPS["dim"], x, axis=x.type.rank - 1)


def add_convolution(draw: Draw, build: Builder, pool: list[Value]) -> None:
    dtype = draw(st.sampled_from([DType.F32, DType.BF16]))
    groups = draw(st.integers(1, 2))
    cells = draw(st.sampled_from(SIZES))
    (x,) = build.add(OPS["iota"], dtype=dtype, shape=(1, 2, cells), axis=2)
    (weight,) = build.add(OPS["iota"], dtype=dtype, shape=(4, 2 // groups, 2), axis=1)
    build.add(
        OPS["conv"],
        x,
        weight,
        strides=(draw(st.integers(1, 2)),),
        padding=((1, draw(st.sampled_from([1, N + 0]))),),
        lhs_dilation=(draw(st.integers(1, 2)),),
        rhs_dilation=(draw(st.integers(1, 2)),),
        groups=groups,
    )
    (last,) = build.add(OPS["iota"], dtype=dtype, shape=(1, cells, 2), axis=2)
    (taps,) = build.add(OPS["iota"], dtype=dtype, shape=(4, 2, 2 // groups), axis=1)
    build.add(
        OPS["channels_last_conv"],
        last,
        taps,
        strides=(draw(st.integers(1, 2)),),
        padding=((1, draw(st.sampled_from([1, N + 0]))),),
        rhs_dilation=(draw(st.integers(1, 2)),),
        groups=groups,
    )


def add_blocks(draw: Draw, build: Builder, pool: list[Value]) -> None:
    dtype = draw(st.sampled_from([DType.F32, DType.F16]))
    plain, cells = draw(st.booleans()), draw(st.sampled_from(SIZES))
    moves: dict[str, Any] = {"strides": (draw(st.integers(1, 2)),), "rhs_dilation": (1,)}
    lanes = () if plain else (4,)
    (x,) = build.add(OPS["iota"], dtype=dtype, shape=(N + 0, 2, cells, *lanes), axis=1)
    (weight,) = build.add(OPS["iota"], dtype=dtype, shape=(3, 2, 1, *lanes, 4), axis=1)
    build.add(OPS["blocked_conv"], x, weight, **moves, groups=1, plain=plain)
    if plain:
        (panels,) = build.add(OPS["iota"], dtype=dtype, shape=(3, 2, cells, 4), axis=1)
        axes: dict[str, Any] = {"lhs_batch": (), "lhs_contract": (1, 2)}
        columns = draw(st.integers(9, 12))
        build.add(OPS["packed_dot"], x, panels, **axes, columns=columns)
    else:
        (taps,) = build.add(OPS["iota"], dtype=dtype, shape=(2, 1, 4), axis=1)
        build.add(OPS["depthwise_conv"], x, taps, **moves)


def add_body(draw: Draw, build: Builder, pool: list[Value]) -> None:
    operands = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))
    name = draw(st.sampled_from(["fused", "layer", "chain"]))
    body = draw(bodies(tuple(v.type for v in operands), depth=build.depth + 1))
    attributes: dict[str, Any] = {}
    if name != "fused":
        attributes = {
            "kind": draw(SOURCES),
            "tree_in": draw(TREES),
            "tree_out": draw(TREES),
        }
    build.add(OPS[name], *operands, bodies=(body,), **attributes)
    build.add(OPS["noop"], *operands)


def add_scan(draw: Draw, build: Builder, pool: list[Value]) -> None:
    candidates = [v for v in pool if v.type.rank and bounds(v.type.shape[0])[0] > 0]
    if not candidates:
        return
    sequence = draw(st.sampled_from(candidates))
    carry = draw(st.sampled_from(pool))
    row = Value(sequence.type.with_shape(sequence.type.shape[1:]))
    inside = Value(carry.type)
    build.add(
        OPS["scan"],
        carry,
        sequence,
        bodies=(Body((inside, row), (), (inside, row)),),
        carries=1,
        consts=0,
        length=sequence.type.shape[0],
        reverse=draw(st.booleans()),
    )


FLAT = (
    add_constant,
    add_elementwise,
    add_cast,
    add_view,
    add_slice_and_pad,
    add_reduction,
    add_gather,
    add_sources,
    add_convolution,
    add_blocks,
)
NESTING = (add_body, add_scan)


def is_small(value: Value) -> bool:
    """Return whether a value may grow further."""
    return value.type.max_bytes < 20_000 and value.type.rank < 5


def drawn_nodes(
    draw: Draw,
    build: Builder,
    pool: list[Value],
    steps: tuple[Any, ...] = (*FLAT, *NESTING),
) -> tuple[Node, ...]:
    """Grow `build` by a few steps; `pool` gains every new value that is not too large."""
    for step in draw(st.lists(st.sampled_from(steps), min_size=2, max_size=6)):
        build.location = draw(LOCATIONS)
        before = len(build.nodes)
        step(draw, build, pool)
        for node in build.nodes[before:]:
            pool.extend(
                v for v in node.results if v.type.max_bytes < 20_000 and v.type.rank < 5
            )
    return tuple(build.nodes)


@st.composite
def bodies(draw: Draw, types: tuple[TensorType, ...], depth: int = 1) -> Body:
    """Draw a closed body."""
    parameters = tuple(map(Value, types))
    build, pool = Builder(), list(parameters)
    build.depth = depth
    nodes = drawn_nodes(draw, build, pool, FLAT if depth > 1 else (*FLAT, add_body))
    return Body(parameters, nodes, tuple(draw(st.lists(st.sampled_from(pool), min_size=1))))
