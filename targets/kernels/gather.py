"""The kernel that reads entries at indices from memory, and nothing outside of the axis."""

from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.nest import Coordinates
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.storage import stored
from lxc.targets.tvm_api import (
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


def gather(work: NodeWork) -> None:
    """Write a copy of whole runs of elements, or of one vector of single elements."""
    writer, (entry, at) = work.writer, work.operands
    x, indices = work.node.operands
    axis, shape = attributes_of(work.node)["axis"], work.sizes(x)
    count = index_of(indices.type.element_count, writer.dims)
    outer, entries, run = product(shape[:axis]), shape[axis], product(shape[axis + 1 :])
    single = is_one(run)

    def body(rows: Coordinates, lane: Index, width: int) -> None:
        number, inner = (lane, 0) if single else (rows[1], lane)
        # Without entries there may be no memory to read.
        element = constant(0, stored(x.type.dtype))
        if not (isinstance(entries, int) and entries == 0):
            index = inside(load(at, number), indices.type.dtype, entries)
            place = writer.hold(index, "int64", width if single else 1)
            read = load(entry, (rows[0] * entries + place) * run + inner)
            known = isinstance(entries, int)
            element = read if known else only_if(as_index(entries) > 0, read, element)
        writer.store(work.result, (rows[0] * count + number) * run + inner, element, width)

    rows, lanes = ([outer], count) if single else ([outer, count], run)
    work.each_vector(rows, lanes, body)


def inside(index: Expr, dtype: DType, entries: Index) -> Expr:
    """Return the nearest index of an axis as an int64."""
    if dtype.name.startswith("U"):
        last = cast("uint64", as_index(entries) - 1)
        return cast("int64", at_most(cast("uint64", index), last))
    return at_least(at_most(cast("int64", index), as_index(entries) - 1), 0)
