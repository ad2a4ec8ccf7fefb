"""Run one op through a graph, in both widths of the interpreter."""

from typing import Any

from lxc.ir.builder import Builder
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Value
from lxc.ir.op import OPS
from lxc.ir.types import Array, type_of_array
from lxc.ir.verify import verify
from lxc.structure import LEAF, Structure


def run(
    name: str,
    *arrays: Array,
    wide: bool = False,
    bodies: tuple[Body, ...] = (),
    **attributes: Any,
) -> tuple[Array, ...]:
    """Return the results of the op `name`, computed by the interpreter."""
    inputs = tuple(Value(type_of_array(a), f"%x_{i}") for i, a in enumerate(arrays))
    build = Builder()
    outputs = build.add(OPS[name], *inputs, bodies=bodies, **attributes)
    tree = Structure("tuple", (), (LEAF,) * len(inputs))
    graph = Graph(
        "m", inputs=inputs, nodes=tuple(build.nodes), outputs=outputs, input_tree=tree
    )
    verify(graph)
    return evaluate(graph, arrays, wide=wide)[0]


def run_one(name: str, *arrays: Array, wide: bool = False, **attributes: Any) -> Array:
    """Return the only result of the op `name`."""
    (result,) = run(name, *arrays, wide=wide, **attributes)
    return result
