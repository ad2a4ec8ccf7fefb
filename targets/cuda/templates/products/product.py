"""A fused node as a product or a convolution with what follows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.ir.node import Node, Value
from lxc.passes.rows import rows_in
from lxc.passes.tiled_products import suits_tiles
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.contraction_forms import contraction_of
from lxc.targets.cuda.templates.products.ends import anchor_of
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.group import Group, group_of
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import Buffer


@dataclass(frozen=True)
class Product:
    """What a kernel computes, and the product in it, which is of the node `anchor`."""

    anchor: Node
    source: Source
    group: Group
    contraction: Contraction

    def work(self, writer: GridWriter, result: Buffer, variants: Variants) -> Work:
        """Return the kernel's work for what follows the sums."""
        anchor = anchor_of(self.contraction, writer)
        return Work(writer, self.source, self.group, anchor, result, variants)


def product_of(
    writer: GridWriter, node: Node, operands: Sequence[Buffer]
) -> Product | None:
    """Return the product that a node is, or None if tiles do not suit it."""
    if node.op.name != "fused" or rows_in(node.bodies[0].nodes):
        return None
    (body,) = node.bodies
    buffers: dict[Value, Buffer] = dict(zip(body.parameters, operands, strict=True))
    source, group = Source(body, buffers), group_of(body)
    if group.anchor is None or not suits_tiles(group.anchor):
        return None
    if group.halo is not None or group.exit is not None:
        return None
    contraction = contraction_of(group.anchor, source, writer.dims)
    return Product(group.anchor, source, group, contraction)
