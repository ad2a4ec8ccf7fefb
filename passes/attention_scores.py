"""The way from a product of queries and keys to the weights of values, recognised."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lxc.ir.node import Node, Value
from lxc.ir.op import Op
from lxc.ir.ops.arithmetic import add, divide, multiply, subtract
from lxc.ir.ops.contract import dot_general
from lxc.ir.ops.functions import exp
from lxc.ir.ops.logic import select
from lxc.ir.ops.reduce import reduce
from lxc.ir.ops.shape import broadcast, reshape
from lxc.ir.types import Array, Shape
from lxc.passes.attention_masks import Causal, Mask, Masks
from lxc.passes.decision import Refusal
from lxc.passes.known_values import KnownValues
from lxc.passes.nodes import attributes_of

READ_ELSEWHERE = Refusal(
    "read-elsewhere",
    "something else reads scores or weights, so they must be in memory",
    "scores and weights that only lead to the result",
)
MASKED_FIRST = Refusal(
    "masked-first",
    "masks come before the scale, which would change them too",
    "a scale in front of the masks",
)
TWO_NUMBERS = Refusal(
    "two-numbers",
    "masks hide scores behind different numbers",
    "one number for all hidden scores",
)


@dataclass(frozen=True)
class Stage:
    """A mask, and the shape of the scores that it belongs to."""

    part: Mask | Causal
    shape: Shape


@dataclass(frozen=True)
class Scores:
    """A product of queries and keys, and what happens to it in front of softmax."""

    product: Node
    scale: float = 1.0
    hidden: float | None = None
    masks: tuple[Stage, ...] = field(default=())


class Finder:
    """Finds scores behind weights; `readers` counts how often each value is read."""

    def __init__(
        self, known: KnownValues, readers: Mapping[Value, int], arrays: Mapping[str, Array]
    ) -> None:
        """Look at what is known of the graph."""
        self.known, self.readers = known, readers
        self.masks = Masks(known, arrays)
        self.looked_behind: dict[Value, Scores | Refusal | None] = {}

    def scores(self, weights: Value) -> Scores | Refusal | None:
        """Return what `weights` are the softmax of; None if they are none of a product."""
        softmax = self.softmax(self.reshaped(weights))
        if softmax is None:
            return None
        value, inner = softmax
        found = self.behind(value)
        if found is None:
            return None
        if any(self.readers[one] != count for one, count in inner.items()):
            return READ_ELSEWHERE
        return found

    def once(self, value: Value) -> bool:
        """Return whether one node reads a value."""
        return self.readers[value] == 1

    def reshaped(self, value: Value) -> Value:
        """Return what a value shows with its last axis as it is."""
        while node := self.known.maker(value, reshape):
            (inner,) = node.operands
            if not self.once(value) or inner.type.shape[-1:] != value.type.shape[-1:]:
                break
            value = inner
        return value

    def softmax(self, weights: Value) -> tuple[Value, dict[Value, int]] | None:
        """Return the operand of a softmax, and how often what is inside of it is read."""
        share = self.known.maker(weights, divide)
        powers = self.known.maker(share.operands[0], exp) if share else None
        if share is None or powers is None:
            return None
        apart = self.known.maker(powers.operands[0], subtract)
        total = self.over_rows(share.operands[1], "add")
        if apart is None or total != powers.result:
            return None
        value = apart.operands[0]
        if self.over_rows(apart.operands[1], "max") != value:
            return None
        return value, {weights: 1, powers.result: 2, apart.result: 1, value: 2}

    def over_rows(self, value: Value, kind: str) -> Value | None:
        """Return what a value repeats the reduction along the last axis of."""
        spread = self.known.maker(value, broadcast)
        last = value.type.rank - 1
        if spread is None or attributes_of(spread)["axes"] != tuple(range(last)):
            return None
        node = self.known.maker(spread.operands[0], reduce)
        if node is None or attributes_of(node) != {"kind": kind, "axes": (last,)}:
            return None
        return node.operands[0]

    def behind(self, value: Value) -> Scores | Refusal | None:
        """Return the product that scores come from, and what happened to it."""
        if value not in self.looked_behind:
            node = self.known.made.get(value)
            step = STEPS.get(node.op) if node else None
            self.looked_behind[value] = step(self, node) if node and step else None
        return self.looked_behind[value]

    def inner(self, value: Value) -> Scores | Refusal | None:
        """Return the scores behind an operand, which nothing else may read."""
        found = self.behind(value)
        if isinstance(found, Scores) and not self.once(value):
            return READ_ELSEWHERE
        return found

    def through_reshape(self, node: Node) -> Scores | Refusal | None:
        """Look through a reshape that leaves the keys alone."""
        if node.operands[0].type.shape[-1:] != node.result.type.shape[-1:]:
            return None
        return self.inner(node.operands[0])

    def through_scale(self, node: Node) -> Scores | Refusal | None:
        """Look through a product with a number or a quotient by one."""
        for place in (1, 0) if node.op is multiply else (1,):
            number = self.known.number(node.operands[place])
            if number is None or (node.op is divide and not number):
                continue
            found = self.inner(node.operands[1 - place])
            if isinstance(found, Scores):
                if found.masks:
                    return MASKED_FIRST
                by = float(number) if node.op is multiply else 1 / float(number)
                return replace(found, scale=float(np.float32(found.scale * by)))
            return found
        return None

    def through_sum(self, node: Node) -> Scores | Refusal | None:
        """Look through a mask that is added."""
        for place in (0, 1):
            found = self.inner(node.operands[place])
            if isinstance(found, Scores):
                mask = self.masks.added(node.operands[1 - place])
                return with_mask(found, mask, node)
            if found:
                return found
        return None

    def through_choice(self, node: Node) -> Scores | Refusal | None:
        """Look through a mask that hides scores behind a number."""
        condition, *ways = node.operands
        for place in (0, 1):
            number = self.known.number(ways[1 - place])
            if number is None:
                continue
            found = self.inner(ways[place])
            if not isinstance(found, Scores):
                return found
            if found.hidden not in (None, float(number)):
                return TWO_NUMBERS
            found = replace(found, hidden=float(number))
            for part in self.masks.conditions(condition, inverted=bool(place)):
                found = with_mask(found, part, node)
            return found
        return None


def with_mask(found: Scores, part: Mask | Causal, node: Node) -> Scores:
    """Return scores with one mask more."""
    stage = Stage(part, node.result.type.shape)
    return replace(found, masks=(*found.masks, stage))


STEPS: Mapping[Op, Callable[[Finder, Node], Scores | Refusal | None]] = {
    dot_general: lambda finder, node: Scores(node),
    reshape: Finder.through_reshape,
    multiply: Finder.through_scale,
    divide: Finder.through_scale,
    add: Finder.through_sum,
    select: Finder.through_choice,
}
"""What may stand between a product and softmax, and the product."""
