"""Strategies for whole graphs and programs, with memory plans."""

import numpy as np
from hypothesis import strategies as st

from lxc.ir.builder import Builder
from lxc.ir.dim import expression
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Value
from lxc.ir.types import DType, TensorType
from lxc.structure import EMPTY, LEAF, Structure
from tests.ir.random_nodes import FLAT, NESTING, TREES, TYPES, Draw, M, N, drawn_nodes

Headers = tuple[tuple[Value, ...], tuple[Value, ...], tuple[Value, ...]]


@st.composite
def headers(draw: Draw) -> Headers:
    """Draw inputs, params and state; the first inputs bind both dimensions."""
    first = TensorType(DType.F32, (expression(N), 2))
    second = TensorType(DType.I8, (expression(M),))
    types = [draw(st.lists(TYPES, max_size=2)) for _ in range(3)]
    types[0] = [first, second, *types[0]]
    inputs, params, state = (
        tuple(Value(entry, f"{prefix}_{i}.a") for i, entry in enumerate(section))
        for prefix, section in zip(("%x", "@w", "$s"), types, strict=True)
    )
    return inputs, params, state


def tree_around(values: tuple[Value, ...]) -> Structure:
    """Return a tree with as many leaves as there are values."""
    return Structure("tuple", (), (LEAF,) * len(values)) if values else EMPTY


@st.composite
def graphs(draw: Draw) -> Graph:
    """Draw a well-formed graph with a header of every section."""
    inputs, params, state = draw(headers())
    build, pool = Builder(), [*inputs, *params, *state]
    if draw(st.booleans()):
        pool.append(build.store(np.arange(draw(st.integers(17, 20)), dtype=np.float32))[0])
    nodes = drawn_nodes(draw, build, pool, (*FLAT, *NESTING))
    updates = [st.sampled_from([v for v in pool if v.type == old.type]) for old in state]
    return Graph(
        name=draw(st.sampled_from(["model", "digits_2"])),
        calling=draw(st.sampled_from(["lux", "kaun"])),
        mode=draw(st.sampled_from(["test", "train", "mixed"])),
        dims=(N, M),
        inputs=inputs,
        params=params,
        state=state,
        data=tuple(value for value, _ in build.data.values()),
        arrays={value.name: array for value, array in build.data.values()},
        nodes=nodes,
        outputs=tuple(draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))),
        updates=tuple(map(draw, updates)),
        input_tree=tree_around(inputs),
        param_tree=tree_around(params),
        state_tree=tree_around(state),
        output_tree=draw(TREES),
    )


@st.composite
def planned(draw: Draw) -> Graph:
    """Draw a graph whose results have places in an arena."""
    graph: Graph = draw(graphs())
    values = [value for node in graph.nodes for value in node.results]
    end, places = 0, {}
    for value in values:
        places[value] = end
        end += -(-value.type.max_bytes // 64) * 64
    return graph.replaced(places=places, arena_bytes=end)


@st.composite
def programs(draw: Draw) -> Program:
    """Draw a graph split in two, whose first half hands the params on as prepared."""
    run: Graph = draw(planned())
    prepared = tuple(Value(v.type, f"^packed_{i}") for i, v in enumerate(run.params))
    prepare = run.replaced(
        inputs=(),
        nodes=(),
        outputs=run.params,
        updates=run.state,
        places={},
        arena_bytes=draw(st.sampled_from([0, 128])),
        input_tree=EMPTY,
        output_tree=LEAF,
    )
    return Program(prepare, run.replaced(prepared=prepared))
