"""What passes decided about two nodes, and why."""

from dataclasses import asdict, dataclass
from typing import Any

from lxc.ir.node import Node

VERDICTS = {
    "fusion": ("separate", "fused   "),
    "layout": ("plain   ", "blocked "),
    "order": ("first   ", "last    "),
    "algorithm": ("direct  ", "winograd"),
    "precision": ("float32 ", "reduced "),
    "tiles": ("modelled", "tuned   "),
    "loop": ("stepwise", "resident"),
    "sums": ("whole   ", "shared  "),
    "generator": ("generic ", "shaped  "),
}
"""What decisions are about, and their two outcomes as they are printed."""


@dataclass(frozen=True)
class Refusal:
    """Why a producer cannot join a reader: the rule, the fact, and what would change it."""

    rule: str
    reason: str
    would_allow: str


@dataclass(frozen=True)
class Decision:
    """Whether a producer runs in the kernel of the node that reads it.

    Where it is `about` layout: whether the channels of the second are in blocks of lanes.
    Where it is about order: whether the channels of the second lie behind the cells.
    Where it is about the algorithm: whether the second is computed by Winograd's tiles.
    Where it is about precision: whether the second, a product, rounds its factors.
    Where it is about tiles: whether a record says what the second is computed by.
    Where it is about a loop: whether one kernel computes all steps of the second.
    Where it is about sums: whether blocks of a card share those of the second, a product.
    Where it is about a generator: whether one shapes the loops of the second.
    `layers` holds the layer paths of the two, `shapes` the types of what they make.
    `would_allow` is empty where they are fused, or in blocks.
    """

    producer: str
    consumer: str
    fused: bool
    rule: str
    reason: str
    would_allow: str
    layers: tuple[str, str]
    shapes: tuple[str, str]
    about: str = "fusion"

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`."""
        return asdict(self)

    def __str__(self) -> str:
        """Print one line in the words of the model: its layer paths."""
        ends = [
            f"{layer or 'the model'} {op} {shape}"
            for layer, op, shape in zip(
                self.layers, (self.producer, self.consumer), self.shapes, strict=True
            )
        ]
        verdict = VERDICTS[self.about][self.fused]
        line = f"{verdict} {ends[0]} -> {ends[1]}: {self.rule}: {self.reason}"
        return f"{line}; it would take: {self.would_allow}" if self.would_allow else line


def counted(number: int, what: str) -> str:
    """Return a number of things, of which one is called `what`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def decided(
    producer: Node,
    consumer: Node,
    verdict: Refusal | None,
    rule: str = "",
    reason: str = "",
) -> Decision:
    """Return the decision about two nodes: a refusal, or fused by `rule`."""
    return Decision(
        producer=str(producer.op),
        consumer=str(consumer.op),
        fused=verdict is None,
        rule=verdict.rule if verdict else rule,
        reason=verdict.reason if verdict else reason,
        would_allow=verdict.would_allow if verdict else "",
        layers=(", ".join(producer.location.layers), ", ".join(consumer.location.layers)),
        shapes=(
            ", ".join(str(value.type) for value in producer.results),
            ", ".join(str(value.type) for value in consumer.results),
        ),
    )
