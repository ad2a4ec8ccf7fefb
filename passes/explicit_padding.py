"""Give padding a node of its own, so that kernels never check bounds."""

from lxc.ir.builder import make_node
from lxc.ir.dim import Size
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.ops.channels_last import channels_last_conv
from lxc.ir.ops.contract import conv
from lxc.ir.ops.reduce import identity, reduce_window
from lxc.ir.ops.shape import pad
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import DType
from lxc.passes.fuse import PORTABLE
from lxc.passes.nodes import attributes_of, scalar, with_attributes
from lxc.passes.single_pass import Setting
from lxc.passes.tiled_products import pads_in_place


def explicit_padding(graph: Graph, machine: Machine = PORTABLE) -> Graph:
    """Put a pad node in front of padded or input-dilated convolutions and padded windows.

    The padded cells of a window hold the number that its reduction starts from. What a
    kernel of the machine pads by itself stays as it is.
    """
    return rewrite(
        graph, lambda node: None if pads_in_place(node, machine) else pad_first(node)
    )


def pad_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph for the machine of a setting."""
    return explicit_padding(graph, setting.machine)


def pad_first(node: Node) -> Replacement | None:
    """Return a pad and the bare node, or None where there is nothing to pad."""
    if node.op is conv:
        return pad_convolution(node)
    if node.op is channels_last_conv:
        return pad_channels_last(node)
    if node.op is reduce_window:
        return pad_window(node)
    return None


def pad_convolution(node: Node) -> Replacement | None:
    """Move the padding and the input dilation of a convolution into a pad."""
    dilation = attributes_of(node)["lhs_dilation"]
    padding = attributes_of(node)["padding"]
    if all(entry == 1 for entry in dilation) and not any(map(is_padded, padding)):
        return None
    edges = ((0, 0), (0, 0), *padding)
    gaps = (0, 0, *(entry - 1 for entry in dilation))
    before = pad_nodes(node, 0.0 if is_float(node) else 0, edges, gaps)
    bare = with_attributes(
        node,
        (before[-1].result, *node.operands[1:]),
        padding=((0, 0),) * len(padding),
        lhs_dilation=(1,) * len(dilation),
    )
    return Replacement(bare.results, (*before, bare))


def pad_channels_last(node: Node) -> Replacement | None:
    """Move the padding of a convolution with channels behind the cells into a pad."""
    padding = attributes_of(node)["padding"]
    if not any(map(is_padded, padding)):
        return None
    edges = ((0, 0), *padding, (0, 0))
    before = pad_nodes(node, 0.0 if is_float(node) else 0, edges, (0,) * len(edges))
    bare = with_attributes(
        node,
        (before[-1].result, *node.operands[1:]),
        padding=((0, 0),) * len(padding),
    )
    return Replacement(bare.results, (*before, bare))


def pad_window(node: Node) -> Replacement | None:
    """Move the padding of a window reduction into a pad."""
    padding = attributes_of(node)["padding"]
    if not any(map(is_padded, padding)):
        return None
    dtype = node.operands[0].type.dtype
    start = identity(attributes_of(node)["kind"], dtype.numpy)
    number = (
        bool(start) if dtype is DType.BOOL else float(start) if is_float(node) else start
    )
    before = pad_nodes(node, number, padding, (0,) * len(padding))
    bare = with_attributes(node, (before[-1].result,), padding=((0, 0),) * len(padding))
    return Replacement(bare.results, (*before, bare))


def pad_nodes(
    node: Node,
    number: bool | int | float,
    edges: tuple[tuple[Size, Size], ...],
    gaps: tuple[int, ...],
) -> tuple[Node, Node]:
    """Return a constant and the pad of the first operand of `node` with it."""
    x: Value = node.operands[0]
    fill = scalar(number, x.type, node.location)
    attributes = {
        "low": tuple(low for low, _ in edges),
        "high": tuple(high for _, high in edges),
        "interior": gaps,
    }
    return fill, make_node(pad, (x, fill.result), attributes, (), node.location)


def is_padded(edges: tuple[Size, Size]) -> bool:
    """Return whether an axis has padding on either side."""
    return edges != (0, 0)


def is_float(node: Node) -> bool:
    """Return whether the first operand of `node` holds floats."""
    return node.operands[0].type.dtype.is_float
