"""Kernels that work row by row: each row is walked several times while it is in the cache.

A walk reduces the row, stores what later walks read again, or stores the result. Some rows
are walked at once, so that there is work while one waits for its reductions; threads share
the rows. A result depends on its own row alone, in an order of operations that is fixed by
the length of a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lxc.errors import InternalError
from lxc.ir.dim import Size
from lxc.ir.machine import Machine
from lxc.ir.node import Body, Node, Value
from lxc.ir.types import DType, TensorType
from lxc.passes.row_plan import RowPlan, Walk, plan_rows, steps_of
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.function_rules import falling_exp
from lxc.targets.kernels.nest import walk
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.reductions import reduce
from lxc.targets.kernels.row_facts import RowFacts, facts_of
from lxc.targets.kernels.row_parts import Parts, Places, parts_of, pulled_nodes
from lxc.targets.kernels.row_scalars import RowScalars, row_scalars
from lxc.targets.kernels.row_vectors import (
    PartialResults,
    Vectors,
    rows_at_once,
    vectors_of,
)
from lxc.targets.kernels.scalar import RULES
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.split import vectors
from lxc.targets.kernels.step import Rule, Step
from lxc.targets.kernels.storage import computed, rounded, stored, to_memory
from lxc.targets.kernels.streams import Streams, streams_of
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Index, constant, differs, load

LONG_WORK = 8
"""From this many steps per element on, one chain hides the time of a sum."""


def write_rows(
    writer: Writer,
    body: Body,
    operands: Sequence[Buffer],
    result: Buffer,
    machine: Machine,
    *,
    parallel: bool,
) -> str:
    """Write the loops of a row kernel; return the name of the algorithm."""
    plan = plan_rows(body.nodes, body.outputs[0])
    if plan is None:
        raise InternalError("code generation", "a fused body is more than one kernel")
    facts = facts_of(body.nodes, plan)
    scalars = row_scalars(body, plan, facts)
    buffers = dict(zip(body.parameters, operands, strict=True))
    kernel = RowKernel(writer, plan, facts, scalars, buffers, result, machine)
    count = index_of(plan.rows.count, writer.dims)
    pieces = vectors(0, count, kernel.rows_at_once())
    walk(
        writer,
        [],
        [pieces],
        lambda _, chosen: kernel.write(chosen[0][1], chosen[0][0].size),
        parallel=parallel,
    )
    return "rows"


@dataclass(frozen=True)
class Steps:
    """A walk with its vectors, and the reductions in the form that generators take."""

    walk: Walk
    parts: Parts
    vectors: Vectors
    anchors: tuple[Anchor, ...]
    work: int


@dataclass(frozen=True)
class Numbers:
    """What some rows have one number each of: as arrays of all, and by row."""

    together: dict[Value, Buffer]
    alone: tuple[dict[Value, Buffer], ...]


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
        numbers = Numbers({}, tuple({} for _ in range(count)))
        walks = [self.steps(one) for one in self.plan.walks]
        hardest = max(walks, key=lambda steps: steps.work)
        for number, steps in enumerate(walks):
            streams = self.streams() if steps is hardest else Streams(())
            self.write_walk(first, steps, streams, numbers)
            self.write_scalars(first, number + 1, numbers)
        if self.plan.sides[self.plan.stored] == "one":
            self.save_numbers(first, numbers)

    def save_numbers(self, first: Index, numbers: Numbers) -> None:
        """Write the result of rows that have one number each."""
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

    def write_walk(
        self, first: Index, steps: Steps, streams: Streams, numbers: Numbers
    ) -> None:
        """Write one walk along each row; `numbers` gains what it reduced."""
        one, count = steps.walk, len(numbers.alone)
        length = self.size(self.plan.rows.length)
        sources = [self.source(memory, one.known) for memory in numbers.alone]
        results = [self.partial(one, steps.vectors, count) for one in steps.anchors]

        def step(part: Index, inner: Index, width: int, chain: int) -> None:
            if width == steps.vectors.width and steps.parts.count == 1:
                start = (first + count) * length + (inner - self.writer.lane(width)) * count
                streams.fetch(self.writer, start, width * count)
            for row, source in enumerate(sources):
                elements = Elements(self.writer, source, width)
                places = Places(self.writer.dims, steps.parts, first + row, part, inner)
                for node, partial in zip(one.reductions, results, strict=True):
                    (target,) = node.operands
                    element = elements.at(target, places.of(target))
                    partial.add(elements, element, row, chain)
                if one.kept:
                    place, dtype = places.of(one.kept), one.kept.type.dtype
                    element = elements.at(one.kept, place)
                    elements.save(self.result, place.position, element, dtype)

        steps.vectors.write(self.writer, step)
        for node, partial in zip(one.reductions, results, strict=True):
            elements = self.elements_of_rows(numbers)
            total = load(partial.merged(), self.writer.lane(count))
            self.keep(node.result, result_of(partial.anchor, total, elements), numbers)

    def write_scalars(self, first: Index, number: int, numbers: Numbers) -> None:
        """Write what is spread along the rows once so many walks are done."""
        elements = self.elements_of_rows(numbers)
        for value, known in self.scalars.known.items():
            if known == number and self.scalars.memory[value] not in numbers.together:
                position = first + self.writer.lane(len(numbers.alone))
                place = Place(self.shape(value), position=position)
                self.keep(value, elements.at(value, place), numbers)

    def keep(self, value: Value, element: Expr, numbers: Numbers) -> None:
        """Write one number for each row to memory of its own."""
        count, writer = len(numbers.alone), self.writer
        dtype, memory = value.type.dtype, self.scalars.memory[value]
        cells = writer.array(stored(dtype), count)
        # Otherwise a product might be fused with what reads it, depending on `count`.
        number = self.writer.settled(stored(dtype), to_memory(element, dtype))
        writer.store(cells, writer.lane(count), number, count)
        numbers.together[memory] = cells
        for row, alone in enumerate(numbers.alone):
            alone[memory] = writer.array(stored(dtype), 1)
            writer.store(alone[memory], 0, load(cells, row), 1)


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
    return elements.hold(rounded(total, anchor.dtype), anchor.held)
