"""Strategies for whole graphs and programs, with memory plans."""

import numpy as np
from hypothesis import strategies as st

from lxc.ir.builder import Builder
from lxc.ir.dim import expression
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Value
from lxc.ir.types import DType, TensorType
from lxc.tree import EMPTY, LEAF, Structure
from tests.ir.random_nodes import FLAT, NESTING, TREES, TYPES, Draw, M, N, drawn_nodes


@st.composite
def graphs(draw: Draw) -> Graph:
    """Draw a well-formed graph with a header of every section."""
    section = st.lists(TYPES, max_size=2)
    # The first inputs bind both dimensions.
    bound = [
        TensorType(DType.F32, (expression(N), 2)),
        TensorType(DType.I8, (expression(M),)),
    ]
    inputs = [*bound, *draw(section)]
    params, state = draw(section), draw(section)
    headers = [
        tuple(Value(entry, f"{sigil}{section}_{i}.a") for i, entry in enumerate(types))
        for sigil, section, types in (
            ("%", "x", inputs),
            ("@", "w", params),
            ("$", "s", state),
        )
    ]
    build = Builder()
    pool = [value for values in headers for value in values]
    if draw(st.booleans()):
        pool.append(build.store(np.arange(draw(st.integers(17, 20)), dtype=np.float32))[0])
    nodes = drawn_nodes(draw, build, pool, (*FLAT, *NESTING))
    updates = tuple(
        draw(st.sampled_from([v for v in pool if v.type == old.type])) for old in headers[2]
    )
    trees = [
        Structure(
            "dict", tuple(f"x_{i}" for i in range(len(values))), (LEAF,) * len(values)
        )
        for values in headers
    ]
    return Graph(
        name=draw(st.sampled_from(["model", "digits_2"])),
        calling=draw(st.sampled_from(["lux", "kaun"])),
        mode=draw(st.sampled_from(["test", "train", "mixed"])),
        dims=(N, M),
        inputs=headers[0],
        params=headers[1],
        state=headers[2],
        data=tuple(value for value, _ in build.data.values()),
        arrays={value.name: array for value, array in build.data.values()},
        nodes=nodes,
        outputs=tuple(draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))),
        updates=updates,
        input_tree=trees[0],
        param_tree=trees[1] if params else EMPTY,
        state_tree=trees[2] if state else EMPTY,
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
