"""The kernel that reads entries at indices from memory, and nothing outside of the axis."""

from collections.abc import Sequence

from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.llvm.nest import walk
from lxc.targets.llvm.sizes import index_of, product
from lxc.targets.llvm.split import Pieces, vectors
from lxc.targets.llvm.storage import stored
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    at_least,
    at_most,
    cast,
    constant,
    is_one,
    load,
    only_if,
)


def gather(
    writer: Writer,
    node: Node,
    operands: Sequence[Buffer],
    result: Buffer,
    machine: Machine,
    parallel: bool,
) -> None:
    """Write a copy of whole runs of elements, or of one vector of single elements."""
    axis = attributes_of(node)["axis"]
    x, indices = node.operands
    shape = [index_of(entry, writer.dims) for entry in x.type.shape]
    count = index_of(indices.type.element_count, writer.dims)
    outer, entries, run = product(shape[:axis]), shape[axis], product(shape[axis + 1 :])
    single = is_one(run)

    def body(counters: tuple[Index, ...], chosen: tuple[tuple[Pieces, Index], ...]) -> None:
        ((piece, start),) = chosen
        lane = start + writer.lane(piece.size)
        row = counters[0]
        number, inner = (lane, 0) if single else (counters[1], lane)
        width = piece.size if single else 1
        # Without entries there may be no memory to read.
        element = constant(0, stored(x.type.dtype))
        if not (isinstance(entries, int) and entries == 0):
            index = inside(load(operands[1], number), indices.type.dtype, entries)
            place = writer.hold(index, "int64", width)
            read = load(operands[0], (row * entries + place) * run + inner)
            known = isinstance(entries, int)
            element = read if known else only_if(as_index(entries) > 0, read, element)
        writer.store(result, (row * count + number) * run + inner, element, piece.size)

    rows, lanes = ([outer], count) if single else ([outer, count], run)
    walk(writer, rows, [vectors(0, lanes, machine.lanes)], body, parallel=parallel)


def inside(index: Expr, dtype: DType, entries: Index) -> Expr:
    """Return the nearest index of an axis as an int64."""
    if dtype.name.startswith("U"):
        last = cast("uint64", as_index(entries) - 1)
        return cast("int64", at_most(cast("uint64", index), last))
    return at_least(at_most(cast("int64", index), as_index(entries) - 1), 0)
