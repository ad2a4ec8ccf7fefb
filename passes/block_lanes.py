"""How many channels a block has.

Mostly it is as many as fit into a vector. A machine may have instructions for tiles of
pairs of bfloat16, which sum up more terms at once than a vector has lanes. Blocks of two
vectors are then read by fewer of them.
"""

from math import prod

from lxc.ir.dim import bounds
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.ops.contract import conv
from lxc.ir.types import DType
from lxc.passes.blocked_values import number_of
from lxc.passes.convolution_costs import refusal
from lxc.passes.nodes import attributes_of

TERMS = 32
"""What one instruction sums up at most."""


def terms_together(run: int) -> int:
    """Return how many terms of a run one instruction sums up; none are left over."""
    fitting = [n for n in range(2, TERMS + 1, 2) if run and run % n == 0]
    return max(fitting, default=0)


def lanes_of_blocks(graph: Graph, machine: Machine) -> int:
    """Return the channels of a block that let convolutions take the fewest instructions.

    They are those of one vector, unless all convolutions are products of tiles.
    """
    lanes = machine.lanes
    convolutions = [node for node in graph.nodes if node.op is conv]
    found = [node for node in convolutions if refusal(node, lanes) is None]
    halves = all(node.operands[0].type.dtype is DType.BF16 for node in found)
    if not (machine.has_bf16_tiles and halves):
        return lanes
    widths = (lanes, 2 * lanes)
    return min(widths, key=lambda width: sum(instructions(node, width) for node in found))


def instructions(node: Node, lanes: int) -> int:
    """Return how many steps of sums a convolution takes on blocks of so many lanes."""
    outputs, inputs, *taps = map(number_of, node.operands[1].type.shape)
    groups = attributes_of(node)["groups"]
    cells = prod(bounds(size)[1] for size in node.result.type.shape[2:])
    columns = groups * -(-outputs // groups // lanes) * lanes
    narrow = inputs + inputs % 2
    blocks, deep = (-(-inputs // lanes), lanes) if inputs >= lanes else (1, narrow)
    run = deep * (taps[-1] if taps else 1)
    steps = run // max(1, terms_together(run))
    count: int = cells * columns * blocks * prod(taps[:-1]) * steps
    return count
