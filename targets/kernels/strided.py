"""Values that a kernel reads through views of memory, as a start and a step per axis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lxc.errors import InternalError
from lxc.ir.node import Node, Value
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.sizes import index_of, strides_of
from lxc.targets.tvm_api import Buffer, Expr, Index, is_one

Dims = Mapping[str, Expr]


@dataclass(frozen=True)
class Strided:
    """Elements of `buffer`: the first at `start`, neighbours along axis a `steps[a]` apart.

    A condition is held as bytes that are 0 or 1.
    """

    buffer: Buffer
    start: Index
    steps: tuple[Index, ...]
    is_condition: bool

    def position(self, *coordinates: Index) -> Index:
        """Return the index in memory of the element at leading coordinates, 0 behind."""
        total = self.start
        for entry, step in zip(coordinates, self.steps, strict=False):
            total = total + entry * step
        return total


def strided(source: Source, value: Value, dims: Dims) -> Strided:
    """Return a value that is a parameter of a body, or a view of one without reshapes."""
    if value in source.buffers:
        shape = [index_of(entry, dims) for entry in value.type.shape]
        steps = tuple(strides_of(shape))
        is_condition = value.type.dtype is DType.BOOL
        return Strided(source.buffers[value], 0, steps, is_condition)
    node = source.producers.get(value)
    if node is None or node.op.name not in STEPS:
        raise InternalError("code generation", "a kernel looks through more than views")
    inner = strided(source, node.operands[0], dims)
    return STEPS[node.op.name](node, inner, dims)


def transposed(node: Node, inner: Strided, dims: Dims) -> Strided:
    """Return the steps in another order."""
    order: Sequence[int] = attributes_of(node)["permutation"]
    return replace(inner, steps=tuple(inner.steps[axis] for axis in order))


def broadcast(node: Node, inner: Strided, dims: Dims) -> Strided:
    """Return steps of 0 along axes on which elements repeat."""
    steps: list[Index] = [0] * node.result.type.rank
    entries = zip(
        attributes_of(node)["axes"], node.operands[0].type.shape, inner.steps, strict=True
    )
    for axis, entry, step in entries:
        steps[axis] = 0 if is_one(entry) else step
    return replace(inner, steps=tuple(steps))


def sliced(node: Node, inner: Strided, dims: Dims) -> Strided:
    """Start further on and take longer steps."""
    starts = [index_of(entry, dims) for entry in attributes_of(node)["start"]]
    steps = zip(inner.steps, attributes_of(node)["step"], strict=True)
    taken = tuple(step * by for step, by in steps)
    return replace(inner, start=inner.position(*starts), steps=taken)


def reversed_axes(node: Node, inner: Strided, dims: Dims) -> Strided:
    """Start at the end of some axes and go back."""
    axes = attributes_of(node)["axes"]
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    start = inner.position(
        *(size - 1 if axis in axes else 0 for axis, size in enumerate(shape))
    )
    steps = tuple(-s if axis in axes else s for axis, s in enumerate(inner.steps))
    return replace(inner, start=start, steps=steps)


STEPS: Mapping[str, Callable[[Node, Strided, Dims], Strided]] = {
    "transpose": transposed,
    "broadcast": broadcast,
    "slice": sliced,
    "reverse": reversed_axes,
}
"""How every view that may stand in front of a product changes start and steps."""
