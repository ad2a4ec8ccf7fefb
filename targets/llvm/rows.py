"""Kernels that work row by row: each row is walked several times while it is in the cache.

A walk reduces the row, stores what later walks read again, or stores the result. Threads
share the rows. A result depends on its own row alone, in an order of operations that is
fixed by the length of a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxc.errors import InternalError
from lxc.ir.dim import Size
from lxc.ir.machine import Machine
from lxc.ir.node import Body, Value
from lxc.passes.row_plan import RowPlan, Walk, plan_rows, steps_of
from lxc.targets.llvm.element import Elements, Source
from lxc.targets.llvm.nest import walk
from lxc.targets.llvm.place import Place
from lxc.targets.llvm.reductions import reduce
from lxc.targets.llvm.row_parts import Places, parts_of, pulled_nodes
from lxc.targets.llvm.row_scalars import RowScalars, row_scalars
from lxc.targets.llvm.row_vectors import PartialResults, vectors_of
from lxc.targets.llvm.sizes import index_of
from lxc.targets.llvm.storage import stored, to_memory
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, Index

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
    scalars = row_scalars(body, plan)
    buffers = dict(zip(body.parameters, operands, strict=True))
    kernel = RowKernel(writer, plan, scalars, buffers, result, machine)
    count = index_of(plan.rows.count, writer.dims)
    walk(writer, [count], [], lambda at, _: kernel.write(at[0]), parallel=parallel)
    return "rows"


@dataclass(frozen=True)
class RowKernel:
    """What all rows of a kernel share."""

    writer: Writer
    plan: RowPlan
    scalars: RowScalars
    buffers: Mapping[Value, Buffer]
    result: Buffer
    machine: Machine

    def write(self, row: Index) -> None:
        """Write the walks along one row."""
        memory: dict[Value, Buffer] = {}
        for number, one in enumerate(self.plan.walks):
            self.write_walk(row, one, memory)
            self.write_scalars(row, number + 1, memory)
        value = self.plan.stored
        if self.plan.sides[value] == "one":
            elements = Elements(self.writer, self.source(memory, None), 1)
            element = elements.at(value, Place(self.shape(value), position=row))
            elements.save(self.result, row, element, value.type.dtype)

    def source(self, memory: Mapping[Value, Buffer], known: Value | None) -> Source:
        """Return the nodes with their memory; `known` lies in that of the result."""
        nodes = [node for node in self.scalars.nodes if known not in node.results]
        buffers = {**self.buffers, **memory}
        if known:
            buffers[known] = self.result
        return Source(Body((), tuple(nodes), (self.plan.stored,)), buffers)

    def shape(self, value: Value) -> tuple[Index, ...]:
        """Return the shape of a value as indices."""
        return tuple(index_of(entry, self.writer.dims) for entry in value.type.shape)

    def size(self, size: Size) -> Index:
        """Return a size as an index."""
        return index_of(size, self.writer.dims)

    def write_walk(self, row: Index, one: Walk, memory: dict[Value, Buffer]) -> None:
        """Write one walk along a row; `memory` gains what it reduced."""
        source = self.source(memory, one.known)
        targets = [node.operands[0] for node in one.reductions]
        pulled = pulled_nodes(source, [*targets, *([one.kept] if one.kept else [])])
        parts = parts_of(pulled, self.plan.rows)
        vectors = vectors_of(
            self.size(parts.count),
            self.size(parts.size),
            self.machine,
            len(targets),
            long=sum(map(steps_of, pulled)) > LONG_WORK,
        )
        anchors = [reduce(node, self.writer.dims, source) for node in one.reductions]
        results = [PartialResults(self.writer, anchor, vectors) for anchor in anchors]

        def step(part: Index, inner: Index, width: int, chain: int) -> None:
            elements = Elements(self.writer, source, width)
            places = Places(self.writer.dims, parts, row, part, inner)
            for target, partial in zip(targets, results, strict=True):
                partial.add(elements, elements.at(target, places.of(target)), chain)
            if one.kept:
                place, dtype = places.of(one.kept), one.kept.type.dtype
                element = elements.at(one.kept, place)
                elements.save(self.result, place.position, element, dtype)

        vectors.write(self.writer, step)
        for node, partial in zip(one.reductions, results, strict=True):
            self.keep(node.result, partial.merged(source), memory)

    def write_scalars(self, row: Index, number: int, memory: dict[Value, Buffer]) -> None:
        """Write what is spread along a row once so many walks are done."""
        elements = Elements(self.writer, self.source(memory, None), 1)
        for value, known in self.scalars.known.items():
            if known == number and self.scalars.memory[value] not in memory:
                place = Place(self.shape(value), position=row)
                self.keep(value, elements.at(value, place), memory)

    def keep(self, value: Value, element: Expr, memory: dict[Value, Buffer]) -> None:
        """Write one element to memory of its own."""
        dtype = value.type.dtype
        cell = self.writer.array(stored(dtype), 1)
        self.writer.store(cell, 0, to_memory(element, dtype), 1)
        memory[self.scalars.memory[value]] = cell
