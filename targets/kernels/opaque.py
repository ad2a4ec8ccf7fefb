"""Kernels of ops that are never fused: random numbers, joining arrays, sizes."""

from collections.abc import Callable, Mapping

from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.cumulative import cumulative
from lxc.targets.kernels.gather import gather
from lxc.targets.kernels.nest import Coordinates
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.threefry import random_bits, random_split
from lxc.targets.tvm_api import Buffer, Index, as_index, load


def concat(work: NodeWork) -> None:
    """Write the operands one after the other into every run of the result."""
    axis = attributes_of(work.node)["axis"]
    whole = product(work.sizes(work.node.result)[axis:])
    offset: Index = 0
    for operand, value in zip(work.operands, work.node.operands, strict=True):
        shape = work.sizes(value)
        run = product(shape[axis:])
        join(work, operand, product(shape[:axis]), run, whole, offset)
        offset = offset + run


def join(
    work: NodeWork, operand: Buffer, rows: Index, run: Index, whole: Index, offset: Index
) -> None:
    """Write the copy of rows of `run` elements into rows of `whole` at `offset`."""

    def body(row: Coordinates, inner: Index, width: int) -> None:
        element = load(operand, row[0] * run + inner)
        work.writer.store(work.result, row[0] * whole + offset + inner, element, width)

    work.each_vector([rows], run, body)


def dim(work: NodeWork) -> None:
    """Write the size of an axis."""
    entry = work.node.operands[0].type.shape[attributes_of(work.node)["axis"]]
    work.writer.store(work.result, 0, as_index(index_of(entry, work.writer.dims)), 1)


OPAQUE: Mapping[str, Callable[[NodeWork], None]] = {
    "random_bits": random_bits,
    "random_split": random_split,
    "concat": concat,
    "dim": dim,
    "gather": gather,
    "cumulative": cumulative,
}
"""The kernel of every op that is a kernel of its own."""
