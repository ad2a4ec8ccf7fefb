"""How the result of a kernel without an anchor lies across what it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import prod

from lxc.ir.dim import Size
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.group import Group
from lxc.targets.tvm_api import Index

WORDS = (DType.F32, DType.I32, DType.U32)
"""The types with one element in every lane of a vector of the machine."""
REPEATED = ("broadcast", "constant", "iota")
"""What is made of few elements, if any, that are read again and again."""
Insides = dict[int, range]
"""The entries that are no filling, for every axis on which there is some."""


@dataclass(frozen=True)
class Turn:
    """Which axes of a result lie across.

    `across` are neighbours that are innermost in what is read, `last` the innermost ones of
    the result. `inside` are the entries of axes that are no filling of a pad.
    """

    across: range
    last: range
    inside: tuple[tuple[int, range], ...]

    def edges(self, run: range) -> list[int]:
        """Return where filling ends and begins along some axes."""
        parts = [part for axis, part in self.inside if axis in run]
        return [edge for part in parts for edge in (part.start, part.stop)]

    def is_filling(self, run: range, start: Index) -> bool:
        """Return whether a piece of some axes that begins at `start` is filling."""
        return any(start not in part for axis, part in self.inside if axis in run)


def turn_in(source: Source, group: Group, machine: Machine) -> Turn | None:
    """Return how a result lies across what it reads, if it is worth to turn squares."""
    kind = group.stored.type
    turn = turn_of(source, group.stored) if kind.dtype in WORDS else None
    if turn is None or machine.lanes == 1:
        return None
    for run in (turn.across, turn.last):
        sizes = [n for n in kind.shape[run.start : run.stop] if isinstance(n, int)]
        if len(sizes) < len(run) or prod(sizes) < machine.lanes:
            return None
    return turn


def turn_of(source: Source, value: Value, halo: Node | None = None) -> Turn | None:
    """Return how a value lies across all that it is made of; a `halo` is a pad of it."""
    node = source.producers.get(value)
    if node is None:
        return None
    if node.op.kind == "elementwise":
        turns = {turn_of(source, one, halo) for one in node.operands if large(source, one)}
        return turns.pop() if len(turns) == 1 else None
    if node.op.name == "pad" and halo is None:
        return turn_of(source, node.operands[0], node)
    if node.op.name != "transpose":
        return None
    order: tuple[int, ...] = attributes_of(node)["permutation"]
    if order[-1] == len(order) - 1 or not reads_runs(source, node.operands[0]):
        return None
    inside = insides(halo) if halo else {}
    for axis, part in insides_before(source, node.operands[0]).items():
        inside.setdefault(order.index(axis), part)
    return Turn(
        neighbours(order, order.index(len(order) - 1), inside),
        neighbours(order, len(order) - 1, inside),
        tuple(sorted(inside.items(), key=lambda one: one[0])),
    )


def reads_runs(source: Source, value: Value) -> bool:
    """Return whether neighbours in a value are made of neighbours, in the same order."""
    node = source.producers.get(value)
    if node is None or node.op.name in REPEATED:
        return True
    runs = node.op.kind == "elementwise" or node.op.name in ("pad", "reshape")
    if node.op.name == "slice":
        runs = attributes_of(node)["step"][-1] == 1
    return runs and all(reads_runs(source, operand) for operand in node.operands)


def large(source: Source, value: Value) -> bool:
    """Return whether a value is made of elements that are read once each."""
    node = source.producers.get(value)
    return node is None or node.op.name not in REPEATED


def insides(pad: Node) -> Insides:
    """Return the entries of what a pad yields that are its operand's."""
    facts, before, after = attributes_of(pad), pad.operands[0].type, pad.result.type
    return {
        axis: range(low, low + size)
        for axis, (low, size, whole) in enumerate(
            zip(facts["low"], before.shape, after.shape, strict=True)
        )
        if size != whole and isinstance(low, int) and isinstance(size, int)
    }


def insides_before(source: Source, value: Value) -> Insides:
    """Return the same for a value that follows a pad; only its leading axes may differ."""
    node, same = source.producers.get(value), value.type.rank
    while node is not None and node.op.name != "pad":
        if node.op.name == "reshape":
            shapes = node.result.type.shape, node.operands[0].type.shape
            same = min(same, alike_at_end(*shapes))
        elif node.op.kind != "elementwise":
            return {}
        node = source.producers.get(node.operands[0])
    if node is None:
        return {}
    shift = value.type.rank - node.result.type.rank
    found = {axis + shift: part for axis, part in insides(node).items()}
    return {axis: part for axis, part in found.items() if axis >= value.type.rank - same}


def alike_at_end(shape: Sequence[Size], other: Sequence[Size]) -> int:
    """Return how many of the last axes of two shapes are the same."""
    pairs = zip(reversed(shape), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def neighbours(order: Sequence[int], axis: int, inside: Insides) -> range:
    """Return the axes up to `axis` that a permutation leaves side by side.

    Those with filling are walked one by one.
    """
    first = axis
    while (
        first
        and order[first - 1] == order[first] - 1
        and not {first, first - 1} & {*inside}
    ):
        first -= 1
    return range(first, axis + 1)
