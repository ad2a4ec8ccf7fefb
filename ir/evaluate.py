"""Run a graph on NumPy arrays by its ops' references: the golden model of every target.

In the wide mode every float is a float64, whatever its type says; constants and attributes
keep the values that the narrow types gave them, so the result is the exact meaning of the
program.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Dim, Expression, Size, dims_of, evaluate_size
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Body, Node, Value
from lxc.ir.op import Attribute
from lxc.ir.types import Array, DType, type_of_array

Bindings = dict[Value, Array]


def evaluate(
    program: Graph | Program,
    inputs: Sequence[Array],
    params: Sequence[Array] = (),
    state: Sequence[Array] = (),
    *,
    wide: bool = False,
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return the outputs and the new state, leaf by leaf in header order.

    Leaves have the header's types; `wide` computes in float64 and returns float64.
    """
    prepared: tuple[Array, ...] = ()
    if isinstance(program, Program):
        half = program.prepare
        prepared = Evaluation(half, wide).run(((half.params, params), (half.state, state)))[
            0
        ]
        program = program.run
    sections = (
        (program.inputs, inputs),
        (program.params, params),
        (program.state, state),
        (program.prepared, prepared),
    )
    return Evaluation(program, wide).run(sections)


class Evaluation:
    """One run of a graph: the sizes of its dimensions and the width of its floats."""

    def __init__(self, graph: Graph, wide: bool) -> None:
        """Know the graph; sizes follow from the arrays."""
        self.graph = graph
        self.wide = wide
        self.sizes: dict[str, int] = {}

    def run(
        self, sections: Sequence[tuple[Sequence[Value], Sequence[Array]]]
    ) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """Bind the header values of every section, then run the nodes."""
        bound: Bindings = {}
        for values, arrays in sections:
            if len(values) != len(arrays):
                raise LxcError(
                    "LXC-E0105",
                    f"{len(values)} arrays are needed and {len(arrays)} are given",
                )
            self.bind_sizes(values, arrays)
            for value, array in zip(values, arrays, strict=True):
                bound[value] = self.checked(value, np.asarray(array))
        for value in self.graph.data:
            bound[value] = self.checked(value, self.graph.arrays[value.name])
        with np.errstate(all="ignore"):
            self.run_nodes(self.graph.nodes, bound)
        return (
            tuple(bound[value] for value in self.graph.outputs),
            tuple(bound[value] for value in self.graph.updates),
        )

    def bind_sizes(self, values: Sequence[Value], arrays: Sequence[Array]) -> None:
        """Read the sizes of dimensions off the arrays where a shape names one alone."""
        known = {str(dim): dim for dim in self.graph.dims}
        for value, array in zip(values, arrays, strict=True):
            for entry, number in zip(value.type.shape, np.shape(array), strict=False):
                if str(entry) in known:
                    check_range(known[str(entry)], number)
                    self.sizes.setdefault(str(entry), number)

    def checked(self, value: Value, array: Array) -> Array:
        """Return `array` in the width of this run, or raise if `value` has another type."""
        shape = self.shape(value.type.shape)
        dtypes = {value.type.dtype.numpy} | ({np.dtype(np.float64)} if self.wide else set())
        if array.shape != shape or array.dtype not in dtypes:
            raise LxcError(
                "LXC-E0103",
                f"{value.name or 'a value'} has another type",
                expected=f"{value.name}: {value.type}",
                actual=f"{value.name}: {type_of_array(array)}",
            )
        return self.widened(array, value.type.dtype)

    def widened(self, array: Array, dtype: DType) -> Array:
        """Return `array` in the element type that `dtype` has in this run."""
        return array.astype(self.dtype(dtype).numpy, copy=False)

    def dtype(self, dtype: DType) -> DType:
        """Return the element type that stands for `dtype` in this run."""
        return DType.F64 if self.wide and dtype.is_float else dtype

    def shape(self, shape: Sequence[Size]) -> tuple[int, ...]:
        """Return a shape in plain numbers."""
        return tuple(self.number(entry) for entry in shape)

    def number(self, entry: Size) -> int:
        """Return a size in plain numbers."""
        unknown = [dim for dim in dims_of(entry) if dim.name not in self.sizes]
        if unknown:
            raise LxcError(
                "LXC-E0111",
                f"no input tells the size of dimension {unknown[0]}",
                hint="give one input a shape with this dimension alone on an axis",
            )
        return evaluate_size(entry, self.sizes)

    def attribute(self, value: Attribute) -> Attribute:
        """Return an attribute as the reference takes it in this run."""
        if isinstance(value, DType):
            return self.dtype(value)
        if isinstance(value, Expression):
            return self.number(value)
        if isinstance(value, tuple):
            return tuple(self.attribute(item) for item in value)
        return value

    def run_nodes(self, nodes: Sequence[Node], bound: Bindings) -> None:
        """Run nodes in order; `bound` gains their results."""
        for node in nodes:
            operands = tuple(bound[value] for value in node.operands)
            results = node.op.run(operands, self.attributes(node), self.bodies(node))
            for value, array in zip(node.results, results, strict=True):
                bound[value] = self.widened(np.asarray(array), value.type.dtype)

    def attributes(self, node: Node) -> Mapping[str, Attribute]:
        """Return the attributes of a node as its reference takes them."""
        return {name: self.attribute(value) for name, value in node.attributes.items()}

    def bodies(self, node: Node) -> tuple[Callable[..., tuple[Array, ...]], ...]:
        """Return the bodies of a node as functions of arrays."""
        return tuple(partial(self.run_body, body) for body in node.bodies)

    def run_body(self, body: Body, *operands: Any) -> tuple[Array, ...]:
        """Run one body."""
        bound: Bindings = dict(zip(body.parameters, operands, strict=True))
        self.run_nodes(body.nodes, bound)
        return tuple(bound[value] for value in body.outputs)


def check_range(dim: Dim, number: int) -> None:
    """Refuse a size outside of the bounds of its dimension."""
    if not dim.low <= number <= dim.high:
        raise LxcError(
            "LXC-E0111",
            f"dimension {dim} is out of range",
            expected=f"{dim}: {dim.low}..{dim.high}",
            actual=f"{dim}: {number}",
        )
