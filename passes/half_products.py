"""Products of bfloat16 factors, summed up in float32."""

from lxc.ir.builder import make_node
from lxc.ir.node import Node, Value
from lxc.ir.ops.contract import conv, kernel_sizes
from lxc.ir.ops.logic import cast
from lxc.ir.rewrite import Replacement
from lxc.ir.types import DType
from lxc.passes.decision import Refusal
from lxc.passes.nodes import attributes_of, with_attributes

FEWEST_INPUTS = 8
"""Channels of a group are mostly filling of blocks where there are fewer of them."""


def in_half(node: Node) -> Replacement | Refusal:
    """Return a product of factors rounded to bfloat16, with a result in float32."""
    if node.op is conv:
        refusal = refusal_of_convolution(node)
        if refusal:
            return refusal
    casts = [rounded(value, node) for value in node.operands]
    factors = [one.result for one in casts]
    made = with_attributes(node, factors, result=DType.F32)
    return Replacement(made.results, (*casts, made))


def refusal_of_convolution(node: Node) -> Refusal | None:
    """Return why a convolution stays float32, or None."""
    order = attributes_of(node)["weight_order"]
    _, inputs, _ = kernel_sizes(node.operands[1].type.shape, order)
    if attributes_of(node)["groups"] == 1:
        return None
    if inputs == 1:
        return Refusal(
            "depthwise",
            "each channel has a kernel of its own, which no pairs of channels share",
            "several input channels in a group",
        )
    if isinstance(inputs, int) and inputs < FEWEST_INPUTS:
        return Refusal(
            "few-channels",
            f"{inputs} input channels of a group do not fill blocks that lie two and two",
            f"at least {FEWEST_INPUTS} input channels in a group",
        )
    return None


def rounded(value: Value, node: Node) -> Node:
    """Return the node that rounds a factor of a product."""
    return make_node(cast, (value,), {"dtype": DType.BF16}, (), node.location)
