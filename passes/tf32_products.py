"""Products of float32 factors that matrix units round to TF32, summed up in float32."""

from lxc.ir.node import Node
from lxc.ir.rewrite import Replacement
from lxc.passes.decision import Refusal
from lxc.passes.nodes import with_attributes
from lxc.passes.tiled_products import suits_tiles

NO_UNITS = Refusal(
    "no-units",
    "this target has no units for TF32, and computes float32",
    "a target for cards",
)
NO_TILES = Refusal(
    "no-tiles",
    "its sums are too short for matrix units, or its groups too narrow",
    "sums of 8 terms and groups of 8 channels, of sizes that are known",
)


def in_tf32(node: Node) -> Replacement | Refusal:
    """Return a product of the same factors, rounded to TF32 as they are read."""
    if not suits_tiles(node):
        return NO_TILES
    made = with_attributes(node, factors="tf32")
    return Replacement(made.results, (made,))
