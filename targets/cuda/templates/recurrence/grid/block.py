"""What a block of a shared loop has of each value, and how it goes through that."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lxc.ir.node import Value
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import GRID_BARRIER
from lxc.targets.cuda.templates.recurrence.grid.exchange import Exchange
from lxc.targets.cuda.templates.recurrence.grid.own import OwnPart, Share
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop
from lxc.targets.cuda.templates.recurrence.memory import carries_of, homes_of
from lxc.targets.cuda.templates.recurrence.weights import each
from lxc.targets.kernels.sizes import index_of
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    address_of,
    as_index,
    constant,
    divide,
    is_less,
    load,
    modulo,
    store,
)
from lxc.targets.tvm_grid import part_of


class GridBlock:
    """One of the blocks of a loop: its share of the units, and its memory."""

    def __init__(
        self,
        writer: GridWriter,
        plan: GridLoop,
        memory: tuple[Sequence[Buffer], Sequence[Buffer]],
        exchange: Exchange,
        arrays: Mapping[str, Buffer],
        share: Share,
    ) -> None:
        """Write that the block met no other; `memory` are operands and results.

        The `arrays` are shared by its threads.
        """
        self.writer, self.plan, self.share = writer, plan, share
        self.operands, self.results = memory
        self.exchange, self.arrays = exchange, arrays
        self.facts, self.body = attributes_of(plan.node), plan.node.bodies[0]
        self.rows = index_of(plan.rows, writer.dims)
        self.length = index_of(self.facts["length"], writer.dims)
        self.carries = carries_of(plan.node)
        whole = len(self.carries) + self.facts["consts"]
        given = list(zip(self.body.parameters, self.operands, strict=True))
        self.constants = dict(given[len(self.carries) : whole])
        self.sequences = dict(given[whole:])
        self.homes = homes_of(plan.node)
        self.met = writer.array("uint32", 1)
        writer.write(store(self.met, 0, constant(0, "uint32")))

    @contextmanager
    def elements_of(self, value: Value) -> Iterator[tuple[Index, Index]]:
        """Write a loop over what the block has of a value; yields row and column."""
        writer, share, groups = self.writer, self.share, self.plan.groups(value)
        with each(writer, self.rows * (groups * share.size)) as entry:
            row = writer.name(divide(entry, groups * share.size), self.rows)
            rest = writer.name(modulo(entry, groups * share.size), groups * share.size)
            group = writer.name(divide(rest, share.size), groups)
            number = share.unit(modulo(rest, share.size))
            with writer.block() as inner:
                unit = writer.name(number, share.units)
                yield row, group * share.units + unit

            def write() -> None:
                for statement in inner:
                    writer.write(statement)

            if share.units % share.size == 0:
                write()
            else:
                exists = is_less(as_index(number), as_index(share.units))
                writer.choose(exists, write, lambda: None)

    def columns(self, value: Value) -> int:
        """Return how many columns a value has."""
        return int(value.type.shape[1])

    def carried(self, number: int, step: Index) -> OwnPart:
        """Return where the block has its part of a carry at the start of a step."""
        value = self.carries[number]
        count = self.plan.own_elements(value)
        array = self.arrays[f"carry{number}"]
        view = self.part(array, modulo(step, 2) * count, count)
        return OwnPart(view, self.plan.groups(value), self.share)

    def exchanged(self, value: Value, step: Index) -> Buffer:
        """Return where all blocks find a value of a step."""
        array = self.exchange.arrays[value]
        if value not in self.carries:
            return array
        count = self.plan.exchanged_elements(value) // 2
        return self.part(array, modulo(step, 2) * count, count)

    def part(self, whole: Buffer, start: Index, count: Index) -> Buffer:
        """Return a part of an array, which this writes down."""
        writer = self.writer
        start = writer.prover.simplify(start)
        view, declaration = part_of(whole, start, writer.fresh("part"), count)
        writer.write(declaration)
        return view

    def row_part(self, whole: Buffer, value: Value, step: Index) -> Buffer:
        """Return one step of an array in memory."""
        count = self.rows * self.columns(value)
        return self.part(whole, step * count, count)

    def meet(self) -> None:
        """Write a barrier of all blocks."""
        after = load(self.met, 0) + constant(self.plan.blocks, "uint32")
        self.writer.write(store(self.met, 0, after))
        counter = address_of(self.exchange.counter, 0)
        self.writer.write(GRID_BARRIER.statement(counter, load(self.met, 0)))
