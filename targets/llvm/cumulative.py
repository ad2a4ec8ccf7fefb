"""The kernel that keeps every partial result of a reduction, element after element."""

from collections.abc import Sequence

import numpy as np

from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.ops.reduce import identity
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.llvm.anchors import COMBINE
from lxc.targets.llvm.nest import walk
from lxc.targets.llvm.sizes import index_of, product
from lxc.targets.llvm.split import Pieces, vectors
from lxc.targets.llvm.storage import computed, from_memory, rounded, to_memory
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Index, constant, load


def cumulative(
    writer: Writer,
    node: Node,
    operands: Sequence[Buffer],
    result: Buffer,
    machine: Machine,
    parallel: bool,
) -> None:
    """Write a walk along the axis with a vector of neighbours beside it."""
    kind, axis = attributes_of(node)["kind"], attributes_of(node)["axis"]
    dtype = node.result.type.dtype
    held = computed(dtype)
    shape = [index_of(entry, writer.dims) for entry in node.result.type.shape]
    outer, entries, run = product(shape[:axis]), shape[axis], product(shape[axis + 1 :])

    def body(counters: tuple[Index, ...], chosen: tuple[tuple[Pieces, Index], ...]) -> None:
        ((piece, start),) = chosen
        width, lane = piece.size, writer.lane(piece.size)

        def hold(value: Expr, name: str) -> Expr:
            return writer.hold(value, name, width)

        total = writer.array(held, width)
        writer.store(total, lane, start_of(kind, dtype), width)
        with writer.loop(entries) as step:
            place = (counters[0] * entries + step) * run + start + lane
            element = hold(from_memory(load(operands[0], place), dtype), held)
            combined = COMBINE[kind](load(total, lane), element, held, hold)
            writer.store(total, lane, combined, width)
            kept = hold(rounded(load(total, lane), dtype), held)
            writer.store(result, place, to_memory(kept, dtype), width)

    walk(writer, [outer], [vectors(0, run, machine.lanes)], body, parallel=parallel)


def start_of(kind: str, dtype: DType) -> Expr:
    """Return what leaves any element as it is, which 0.0 + -0.0 would not."""
    if not dtype.is_float:
        return constant(int(identity(kind, dtype.numpy)), computed(dtype))
    start = -0.0 if kind == "add" else float(identity(kind, np.float32))
    return constant(start, computed(dtype))
