"""Kernels that work row by row: each row is walked several times while it is in the cache.

A walk reduces the row, stores what later walks read again, or stores the result. Some rows
are walked at once, so that there is work while one waits for its reductions; threads share
the rows. A result depends on its own row alone, in an order of operations that is fixed by
the length of a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lxc.ir.dim import Size
from lxc.ir.machine import Machine
from lxc.ir.node import Body, Node, Value
from lxc.ir.types import DType, TensorType
from lxc.passes.row_plan import RowPlan, Walk, steps_of
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.element_rules.functions import falling_exp
from lxc.targets.kernels.element_rules.table import RULES
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.reductions import reduce
from lxc.targets.kernels.rows.facts import RowFacts
from lxc.targets.kernels.rows.numbers import Numbers
from lxc.targets.kernels.rows.parts import Parts, Places, parts_of, pulled_nodes
from lxc.targets.kernels.rows.scalars import RowScalars
from lxc.targets.kernels.rows.vectors import (
    PartialResults,
    Vector,
    Vectors,
    rows_at_once,
    vectors_of,
)
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.step import Rule, Step
from lxc.targets.kernels.storage import computed, stored
from lxc.targets.kernels.streams import Streams, streams_of
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Index, constant, differs, load

LONG_WORK = 8
"""From this many steps per element on, one chain hides the time of a sum."""


@dataclass(frozen=True)
class Steps:
    """A walk with its vectors, and the reductions in the form that generators take."""

    walk: Walk
    parts: Parts
    vectors: Vectors
    anchors: tuple[Anchor, ...]
    work: int


@dataclass(frozen=True)
class Turn:
    """One walk along some rows, the first of which is `first`.

    `further` rows, which other walks have to do with, lie between them and those that
    are fetched to be read.
    """

    first: Index
    steps: Steps
    streams: Streams
    numbers: Numbers
    further: int = 0

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.numbers.alone)


@dataclass(frozen=True)
class RowKernel:
    """What all rows of a kernel share."""

    writer: Writer
    plan: RowPlan
    facts: RowFacts
    scalars: RowScalars
    buffers: Mapping[Value, Buffer]
    result: Buffer
    machine: Machine

    def write(self, first: Index, count: int) -> None:
        """Write the walks along `count` rows at once."""
        numbers = Numbers.of_rows(count)
        for number in range(len(self.plan.walks)):
            self.write_turns(self.turn(first, number, numbers))
            self.write_scalars(first, number + 1, numbers)
        self.save_numbers(first, numbers)

    def turn(
        self, first: Index, number: int, numbers: Numbers, *, further: int = 0
    ) -> Turn:
        """Return a walk along rows with the memory to fetch meanwhile."""
        walks = [self.steps(one) for one in self.plan.walks]
        hardest = max(walks, key=lambda steps: steps.work)
        streams = self.streams() if walks[number] is hardest else Streams(())
        return Turn(first, walks[number], streams, numbers, further)

    def save_numbers(self, first: Index, numbers: Numbers) -> None:
        """Write the result of rows if they have one number each."""
        if self.plan.sides[self.plan.stored] != "one":
            return
        value, elements = self.plan.stored, self.elements_of_rows(numbers)
        position = first + self.writer.lane(len(numbers.alone))
        element = elements.at(value, Place(self.shape(value), position=position))
        elements.save(self.result, position, element, value.type.dtype)

    def rows_at_once(self) -> int:
        """Return how many rows to walk at once."""
        steps = [self.steps(one) for one in self.plan.walks]
        partial = max(len(one.anchors) * one.vectors.count for one in steps)
        row_bytes = self.size(self.plan.rows.length) * self.plan.stored.type.dtype.bytes
        return rows_at_once(partial, row_bytes, self.machine)

    def nodes(self, known: Value | None) -> tuple[Node, ...]:
        """Return the nodes that are computed if `known` is in the memory of the result."""
        return tuple(node for node in self.scalars.nodes if known not in node.results)

    def source(self, memory: Mapping[Value, Buffer], known: Value | None) -> Source:
        """Return the nodes with their memory; `known` lies in that of the result."""
        buffers = {**self.buffers, **memory}
        if known:
            buffers[known] = self.result
        nodes, facts = self.nodes(known), self.facts
        rules: dict[Node, Rule] = dict.fromkeys(facts.falling, falling_exp)
        for node in nodes:
            if node.result in facts.steady:
                rules[node] = rounded_first(rules.get(node) or RULES[node.op.name])
        return Source(Body((), nodes, (self.plan.stored,)), buffers, rules)

    def elements_of_rows(self, numbers: Numbers) -> Elements:
        """Return the elements of what rows have one of, a row in every lane."""
        source = self.source(numbers.together, None)
        own = frozenset(numbers.together)
        return Elements(self.writer, source, len(numbers.alone), by_lane=own)

    def shape(self, value: Value) -> tuple[Index, ...]:
        """Return the shape of a value as indices."""
        return tuple(index_of(entry, self.writer.dims) for entry in value.type.shape)

    def size(self, size: Size) -> Index:
        """Return a size as an index."""
        return index_of(size, self.writer.dims)

    def steps(self, one: Walk) -> Steps:
        """Return a walk with what is the same for all rows."""
        source = self.source({}, one.known)
        targets = [node.operands[0] for node in one.reductions]
        pulled = pulled_nodes(source, [*targets, *([one.kept] if one.kept else [])])
        parts = parts_of(pulled, self.plan.rows)
        work = sum(map(steps_of, pulled))
        anchors = [self.anchor(node, source) for node in one.reductions]
        kinds = [anchor.kind for anchor in anchors]
        vectors = self.vectors(parts, kinds, long=work > LONG_WORK)
        return Steps(one, parts, vectors, tuple(anchors), work)

    def vectors(self, parts: Parts, kinds: Sequence[str], *, long: bool) -> Vectors:
        """Return the vectors for a walk with reductions of some kinds."""
        sizes = self.size(parts.count), self.size(parts.size)
        return vectors_of(*sizes, self.machine, kinds, long=long)

    def partial(self, anchor: Anchor, vectors: Vectors, count: int) -> PartialResults:
        """Write the start of a reduction along `count` rows and return it."""
        return PartialResults(self.writer, anchor, vectors, count, self.machine.lanes)

    def anchor(self, node: Node, source: Source) -> Anchor:
        """Return a reduction in the form that generators take."""
        made = reduce(node, self.writer.dims, source)
        return replace(made, loose=node in self.facts.loose)

    def streams(self) -> Streams:
        """Return the memory to fetch for the rows that follow."""
        rows, stored = self.plan.rows, self.plan.stored
        whole = Value(TensorType(stored.type.dtype, (rows.count, rows.length)))
        result = (stored, self.result)
        return streams_of(self.scalars.nodes, whole, self.buffers, result, self.machine)

    def write_turns(self, *turns: Turn) -> None:
        """Write walks of several rows in one loop; their numbers gain what they reduce.

        The vectors are those of the first one, and in number those of all.
        """
        vectors = turns[0].steps.vectors
        results = [
            [self.partial(one, vectors, turn.count) for one in turn.steps.anchors]
            for turn in turns
        ]
        sources = [
            [self.source(memory, turn.steps.walk.known) for memory in turn.numbers.alone]
            for turn in turns
        ]

        def step(part: Index, run: Sequence[Vector]) -> None:
            for turn, partials, found in zip(turns, results, sources, strict=True):
                self.fetch(turn, run)
                for row, source in enumerate(found):
                    for one in run:
                        elements = Elements(self.writer, source, one.width)
                        at = turn.first + row, part, one.inner
                        places = Places(self.writer.dims, turn.steps.parts, *at)
                        walk, chain = turn.steps.walk, one.chain
                        self.write_step(walk, elements, places, row, chain, partials)

        vectors.write(self.writer, step)
        for turn, partials in zip(turns, results, strict=True):
            self.finish(turn, partials)

    def fetch(self, turn: Turn, run: Sequence[Vector]) -> None:
        """Write what fetches the memory of the rows behind those of a walk."""
        width = run[0].width
        if width == turn.steps.vectors.width and turn.steps.parts.count == 1:
            length = self.size(self.plan.rows.length)
            start = (run[0].inner - self.writer.lane(width)) * turn.count
            start = (turn.first + turn.count) * length + start
            count, further = len(run) * width * turn.count, turn.further * length
            turn.streams.fetch(self.writer, start, count, further=further)

    def write_step(
        self,
        one: Walk,
        elements: Elements,
        places: Places,
        row: int,
        chain: int,
        results: Sequence[PartialResults],
    ) -> None:
        """Write what a walk does with one vector of a row."""
        for node, partial in zip(one.reductions, results, strict=True):
            (target,) = node.operands
            element = elements.at(target, places.of(target))
            partial.add(elements, element, row, chain)
        if one.kept:
            place, dtype = places.of(one.kept), one.kept.type.dtype
            element = elements.at(one.kept, place)
            elements.save(self.result, place.position, element, dtype)

    def finish(self, turn: Turn, results: Sequence[PartialResults]) -> None:
        """Write the ends of the reductions of a walk."""
        for node, partial in zip(turn.steps.walk.reductions, results, strict=True):
            elements = self.elements_of_rows(turn.numbers)
            total = load(partial.merged(), self.writer.lane(turn.count))
            found = result_of(partial.anchor, total, elements)
            self.keep(
                node.result, elements.in_memory(found, node.result.type.dtype), turn.numbers
            )

    def write_scalars(self, first: Index, number: int, numbers: Numbers) -> None:
        """Write what is spread along the rows once so many walks are done."""
        elements = self.elements_of_rows(numbers)
        for value, known in self.scalars.known.items():
            if known == number and self.scalars.memory[value] not in numbers.together:
                position = first + self.writer.lane(len(numbers.alone))
                place = Place(self.shape(value), position=position)
                element = elements.in_memory(elements.at(value, place), value.type.dtype)
                self.keep(value, element, numbers)

    def keep(self, value: Value, element: Expr, numbers: Numbers) -> None:
        """Write one number for each row, as it is stored, to memory of its own."""
        memory = self.scalars.memory[value]
        # Otherwise a product might be fused with what reads it, depending on the rows.
        number = self.writer.settled(stored(value.type.dtype), element)
        numbers.add(self.writer, memory, number)


def rounded_first(rule: Rule) -> Rule:
    """Return a rule whose result is rounded before anything is done with it."""

    def settled_rule(step: Step, *operands: Expr) -> Expr:
        dtype = step.node.result.type.dtype
        return step.settled(computed(dtype), rule(step, *operands))

    return settled_rule


def result_of(anchor: Anchor, total: Expr, elements: Elements) -> Expr:
    """Return a finished result of a reduction as it is computed on."""
    if anchor.dtype is DType.BOOL:
        return differs(total, constant(0, "int32"))
    return elements.rounded(total, anchor.dtype)
