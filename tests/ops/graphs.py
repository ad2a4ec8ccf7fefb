"""Graphs of several ops, made by a function of a builder and the inputs."""

from collections.abc import Callable, Sequence

from lxc.ir.builder import Builder
from lxc.ir.dim import Dim
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.types import TensorType
from lxc.structure import LEAF, Structure


def graph_from(
    name: str,
    types: Sequence[TensorType],
    write: Callable[..., Sequence[Value]],
    dims: tuple[Dim, ...] = (),
) -> Graph:
    """Return the graph whose outputs `write` returns, given a builder and the inputs."""
    inputs = tuple(Value(kind, f"%x.{n}") for n, kind in enumerate(types))
    builder = Builder()
    outputs = tuple(write(builder, *inputs))
    return Graph(
        name,
        dims=dims,
        inputs=inputs,
        data=tuple(value for value, _ in builder.data.values()),
        arrays={hashed: array for hashed, (_, array) in builder.data.items()},
        nodes=tuple(builder.nodes),
        outputs=outputs,
        input_tree=Structure("list", (), (LEAF,) * len(inputs)),
        output_tree=Structure("list", (), (LEAF,) * len(outputs)),
        param_tree=Structure("list"),
        state_tree=Structure("list"),
    )
