"""What convolutions cost in plain order and in blocks of lanes.

Costs are counted in vector operations for one sample, with dimensions at their upper
bounds. A plain convolution has several times as many as its multiply-adds would fill,
because its operand or its result lies across the vectors. Bringing elements from one order
into the other is counted one by one.
"""

from dataclasses import dataclass
from math import prod
from typing import Literal

from lxc.ir.dim import bounds
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.ops.paired import PAIR
from lxc.ir.ops.winograd import TAPS
from lxc.ir.types import DType
from lxc.passes.algorithm_costs import DIRECT, Convolution, costs
from lxc.passes.blocked_values import number_of
from lxc.passes.decision import Refusal
from lxc.passes.nodes import attributes_of, is_symbolic
from lxc.passes.plain_convolutions import plain_steps

Way = Literal["plain", "blocked", "from plain", "depthwise"]
"""How a convolution is done; "from plain" reads plain channels and makes blocks."""

TURN = 2
"""What it costs to bring one element from one order into the other."""
LEAVE = 1
"""The same for a result that its own kernel stores in plain order."""
BREAK = 6
"""The same where a chain in blocks would end, and with it what its kernels share."""

IN_BLOCKS = ((DType.F32, DType.F32), (DType.BF16, DType.F32))
"""The types of factors and sums that there are kernels on blocks for."""


@dataclass(frozen=True)
class Option:
    """A way to do a convolution, and what it costs.

    `parts` is into how many values the channels of its result are taken apart.
    """

    way: Way
    steps: int
    parts: int = 1


@dataclass(frozen=True)
class Situation:
    """What is there around a convolution: forms of its operand and wishes for its result.

    `tiling` is the machine if convolutions on blocks may be computed by tiles.

    `parts` and `parts_wanted` are those of the reshape that alone reads the result and
    takes its channels apart, if one does.
    """

    is_plain: bool
    is_blocked: bool
    is_weight_known: bool
    is_wanted: bool
    parts: int = 1
    are_parts_wanted: bool = False
    tiling: Machine | None = None


def refusal(node: Node, lanes: int) -> Refusal | None:
    """Return why a convolution must not go into blocks of so many lanes, or None."""
    facts = attributes_of(node)
    x, weight = (operand.type for operand in node.operands)
    if (x.dtype, node.result.type.dtype) not in IN_BLOCKS:
        return Refusal("kind", f"its numbers are {x.dtype}", "f32")
    if x.dtype is DType.BF16 and lanes % PAIR:
        return Refusal("kind", "the machine has no vectors for pairs of bf16", "f32")
    if facts["weight_order"] != "oi":
        return Refusal("kind", "its weight is in another order", "weight order oi")
    padded = any(edges != (0, 0) for edges in facts["padding"])
    if padded or set(facts["lhs_dilation"]) != {1}:
        return Refusal("kind", "it pads its operand by itself", "a pad in front of it")
    if is_symbolic(weight.shape) or 0 in (*weight.shape, *x.shape[1:]):
        return Refusal("kind", "sizes of it are unknown or 0", "numbers above 0")
    return None


def options(node: Node, lanes: int, around: Situation) -> list[Option]:
    """Return the ways to do a convolution, the one to prefer first among equals."""
    found = blocked_ways(node, lanes, around, 1)
    if around.parts > 1:
        found += blocked_ways(node, lanes, around, around.parts)
    work = plain_steps(node, lanes, is_weight_known=around.is_weight_known)
    read = 0 if around.is_plain else BREAK * per_sample(node.operands[0])
    hand_on = TURN * per_sample(node.result) if around.is_wanted else 0
    return [*found, Option("plain", work + read + hand_on)]


def blocked_ways(node: Node, lanes: int, around: Situation, parts: int) -> list[Option]:
    """Return the ways whose result is in blocks, in so many parts."""
    x, weight = node.operands
    outputs, inputs, *taps = map(number_of, weight.type.shape)
    groups = int(attributes_of(node)["groups"])
    outputs, reach = outputs // parts, prod(taps)
    cells = per_sample(node.result) // (outputs * parts)
    wanted = around.is_wanted if parts == 1 else around.are_parts_wanted
    single = groups > 1 and inputs == 1 and outputs * parts == groups
    leave = TURN if single else LEAVE
    fixed = 0 if wanted else leave * per_sample(node.result)
    fixed += 0 if around.is_weight_known else TURN * weight_elements(node)
    turn = 0 if around.is_blocked else TURN * per_sample(x)
    turn_back = 0 if around.is_plain else BREAK * per_sample(x)
    vectors = -(-outputs // lanes) * parts * cells * reach
    if single:
        return [Option("depthwise", vectors + turn + fixed, parts)] if parts == 1 else []
    if groups > 1:
        whole = inputs % lanes == 0 and outputs // groups % lanes == 0
        steps = vectors * inputs + turn + fixed
        return [Option("blocked", steps, parts)] if whole else []
    full = -(-inputs // lanes) * lanes
    work = by_tiles(node, vectors * full, around)
    found = [Option("blocked", work + turn + fixed, parts)]
    if inputs < lanes:
        # More channels are too many places of memory to read from at a time, and pairs of
        # channels are brought side by side.
        turn = 0 if x.type.dtype is DType.F32 else TURN * per_sample(x)
        steps = vectors * inputs + turn_back + turn + fixed
        found.append(Option("from plain", steps, parts))
    return found


def by_tiles(node: Node, steps: int, around: Situation) -> int:
    """Return how many of the steps are left if tiles are the best way to do them."""
    facts, space = attributes_of(node), node.result.type.shape[2:]
    outputs, inputs, *taps = map(number_of, node.operands[1].type.shape)
    together = {*facts["strides"], *facts["rhs_dilation"]} == {1}
    if around.tiling is None or not around.is_weight_known or taps != [TAPS, TAPS]:
        return steps
    if not together or facts["groups"] != 1 or is_symbolic(space):
        return steps
    if node.operands[0].type.dtype is not DType.F32:
        return steps
    cells = number_of(space[0]), number_of(space[1])
    found = costs(Convolution(cells, inputs, outputs), around.tiling)
    return steps * min(found.values()) // max(1, found[DIRECT])


def weight_elements(node: Node) -> int:
    """Return the number of elements of the weight of a convolution."""
    return prod(number_of(entry) for entry in node.operands[1].type.shape)


def per_sample(value: Value) -> int:
    """Return the number of elements behind the first axis."""
    return prod(bounds(entry)[1] for entry in value.type.shape[1:])
