"""The kernel that keeps every partial result of a reduction, element after element."""

import numpy as np

from lxc.ir.ops.reduce import identity
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.anchors import COMBINE
from lxc.targets.kernels.nest import Coordinates
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.storage import computed, from_memory, rounded, to_memory
from lxc.targets.tvm_api import Expr, Index, constant, load


def cumulative(work: NodeWork) -> None:
    """Write a walk along the axis with a vector of neighbours beside it."""
    kind, axis = (attributes_of(work.node)[name] for name in ("kind", "axis"))
    writer, value = work.writer, work.node.result
    dtype, shape = value.type.dtype, work.sizes(value)
    held = computed(dtype)
    outer, entries, run = product(shape[:axis]), shape[axis], product(shape[axis + 1 :])

    def body(rows: Coordinates, inner: Index, width: int) -> None:
        lane = writer.lane(width)

        def hold(value: Expr, name: str) -> Expr:
            return writer.hold(value, name, width)

        by_hand = None if writer.converts_halves else hold
        total = writer.array(held, width)
        writer.store(total, lane, start_of(kind, dtype), width)
        with writer.loop(entries) as step:
            place = (rows[0] * entries + step) * run + inner
            element = hold(from_memory(load(work.operands[0], place), dtype, by_hand), held)
            combined = COMBINE[kind](load(total, lane), element, held, hold)
            writer.store(total, lane, combined, width)
            kept = hold(rounded(load(total, lane), dtype, by_hand), held)
            writer.store(work.result, place, to_memory(kept, dtype, by_hand), width)

    work.each_vector([outer], run, body)


def start_of(kind: str, dtype: DType) -> Expr:
    """Return what leaves any element as it is, which 0.0 + -0.0 would not."""
    if not dtype.is_float:
        return constant(int(identity(kind, dtype.numpy)), computed(dtype))
    start = -0.0 if kind == "add" else float(identity(kind, np.float32))
    return constant(start, computed(dtype))
