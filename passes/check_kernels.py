"""The form that fusion gives a graph, checked kernel by kernel.

1. Every node is `fused`, opaque or a scan, and the body of a scan has the same form.
2. A `fused` node yields one value.
3. Its body holds elementwise nodes, views and sources, and at most one reduction, or it
   works row by row: its reductions go over the same rows, what follows them has one element
   per row or a row of elements, and nothing is padded.
4. From the reduction to the yielded value there are only elementwise nodes of the shape of
   the reduction's result, and behind them reshapes, or one pad of a constant, or the views
   that bring it out of blocks of lanes.
5. In front of a product there are only broadcasts, transposes, slices and reverses; in
   front of overlapping windows nothing; in front of any reduction no padding.
"""

from collections.abc import Sequence

from lxc.ir.node import Body, Node, Value
from lxc.ir.ops.shape import pad, reshape
from lxc.ir.ops.structure import fused, scan
from lxc.passes.block_exits import follows_in_exit
from lxc.passes.fusion_rules import HALOED, INSIDE, PRODUCT_VIEWS, PRODUCTS, overlaps
from lxc.passes.nodes import described
from lxc.passes.rows import rows_in, sides_of


def kernel_fault(nodes: Sequence[Node]) -> str | None:
    """Return what breaks the form and where, or None."""
    for node in nodes:
        if node.op is fused:
            fault = body_fault(node.bodies[0])
        elif node.op is scan:
            fault = kernel_fault(node.bodies[0].nodes)
        else:
            fault = None if node.op.kind == "opaque" else "it is not a kernel"
        if fault:
            return f"{fault}: {described(node)}"
    return None


def body_fault(body: Body) -> str | None:
    """Return what is wrong with the body of one kernel, or None."""
    if len(body.outputs) != 1 or not body.nodes:
        return "a kernel makes one value"
    anchors = [node for node in body.nodes if node.op.kind == "reduction"]
    if any(node.op.kind not in (*INSIDE, "reduction") for node in body.nodes):
        return "a kernel holds no kernels"
    if rows := rows_in(body.nodes):
        sides = sides_of(body.nodes, rows)
        fits = sides is not None and body.outputs[0] in sides
        return None if fits else "all of a kernel goes along the same rows"
    if len(anchors) > 1:
        return "a kernel has one reduction, or several of the same rows"
    if not anchors:
        return None
    return epilogue_fault(body, anchors[0]) or prologue_fault(body, anchors[0])


def epilogue_fault(body: Body, anchor: Node) -> str | None:
    """Return what is wrong between the reduction and the yielded value, or None."""
    shape = anchor.result.type.shape
    elementwise = {anchor.result}
    last: set[Value] = set()
    path = [anchor]
    for node in body.nodes:
        read = set(node.operands)
        ends = node.op is reshape or follows_in_exit(node, path, anchor)
        if ends and read & (elementwise | last):
            last.add(node.result)
            path.append(node)
        elif read & last:
            return "nothing follows the last reshape or pad of a kernel"
        elif node.op is pad and node.operands[0] in elementwise and anchor.op in HALOED:
            last.add(node.result)
        elif read & elementwise:
            if node.op.kind != "elementwise" or node.result.type.shape != shape:
                return "only elementwise nodes of its shape follow a reduction"
            elementwise.add(node.result)
    if body.outputs[0] not in elementwise | last:
        return "a kernel yields what its reduction leads to"
    return None


def prologue_fault(body: Body, anchor: Node) -> str | None:
    """Return what is wrong in front of the reduction, or None."""
    read = set(anchor.operands)
    for node in reversed(body.nodes):
        if not read & set(node.results):
            continue
        if anchor.op in PRODUCTS and node.op not in PRODUCT_VIEWS:
            return "only views stand in front of a product"
        if overlaps(anchor) or node.op is pad:
            return "windows that overlap, and paddings, are read from memory"
        read.update(node.operands)
    return None
