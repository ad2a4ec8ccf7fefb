"""A loop as one kernel whose blocks share the units of every step, and wait for each other.

Every result is computed as a launch for each step would: a product is the sum, in order,
of chains of multiply-adds, and what follows is the same code. So the bits are the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lxc.ir.node import Node, Value
from lxc.passes.nodes import attributes_of, producers
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import BARRIER, GRID_BARRIER
from lxc.targets.cuda.templates.recurrence.grid.own import OwnElements, OwnPart, Share
from lxc.targets.cuda.templates.recurrence.grid.plan import ChainProduct, GridLoop
from lxc.targets.cuda.templates.recurrence.grid.products import SharedProduct
from lxc.targets.cuda.templates.recurrence.grid.weights import ChainWeights
from lxc.targets.cuda.templates.recurrence.memory import TERMS, carries_of, homes_of
from lxc.targets.cuda.templates.recurrence.weights import F32, each
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.storage import computed
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
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


@dataclass(frozen=True)
class Exchange:
    """The memory through which blocks tell each other what they made.

    `counter` is how often blocks came to a barrier. A carry lies twice in its array, for
    even and for odd steps.
    """

    counter: Buffer
    arrays: Mapping[Value, Buffer]


def write_grid_loop(
    writer: GridWriter,
    plan: GridLoop,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
    exchange: Exchange,
) -> str:
    """Write the kernel of a loop; return the algorithm."""
    writer.threads = plan.threads
    arrays = dict(zip(plan.arrays, writer.shared(*plan.arrays.values()), strict=True))
    with writer.team_loop(plan.blocks, plan.threads) as block:
        first = writer.name(block * plan.share, plan.units)
        share = Share(plan.units, plan.share, first)
        GridKernel(writer, plan, (operands, results), exchange, arrays, share).write()
    return f"scan by {plan.blocks} blocks"


def write_start(
    writer: GridWriter, plan: GridLoop, operands: Sequence[Buffer], exchange: Exchange
) -> str:
    """Write the kernel in front of that of a loop, whose first step finds its carries."""
    writer.store(exchange.counter, 0, constant(0, "uint32"), 1)
    rows = index_of(plan.rows, writer.dims)
    for value, operand in zip(carries_of(plan.node), operands, strict=False):
        if value in plan.exchanged:
            count = rows * int(value.type.shape[1])
            with writer.loop(count, parallel=True) as entry:
                element = writer.load(operand, entry, 1)
                writer.store(exchange.arrays[value], entry, element, 1)
    return "start of a scan by blocks"


class GridKernel:
    """Writes the code that all blocks execute for their units."""

    def __init__(
        self,
        writer: GridWriter,
        plan: GridLoop,
        memory: tuple[Sequence[Buffer], Sequence[Buffer]],
        exchange: Exchange,
        arrays: Mapping[str, Buffer],
        share: Share,
    ) -> None:
        """Write nothing yet; `memory` are operands and results, `arrays` are shared."""
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
        self.made = producers(self.body.nodes)
        self.weights: dict[Node, ChainWeights] = {}
        self.met = writer.array("uint32", 1)

    def write(self) -> None:
        """Write what brings the weights and the carries, and all steps."""
        writer = self.writer
        writer.write(store(self.met, 0, constant(0, "uint32")))
        for number, (node, chained) in enumerate(self.plan.products.items()):
            self.weights[node] = self.brought(number, chained)
        for number, value in enumerate(self.carries):
            with self.elements_of(value) as (row, column):
                start = load(self.operands[number], row * self.columns(value) + column)
                part = self.carried(number, 0)
                writer.write(store(part.buffer, part.index(row, column), start))
        writer.write(BARRIER.statement())
        with writer.loop(self.length) as counter:
            Step(self, counter).write()
        for number, value in enumerate(self.carries):
            part = self.carried(number, self.length)
            with self.elements_of(value) as (row, column):
                end = load(part.buffer, part.index(row, column))
                place = row * self.columns(value) + column
                writer.write(store(self.results[number], place, end))

    def brought(self, number: int, chained: ChainProduct) -> ChainWeights:
        """Write what brings a weight, and zeros behind rows; return where the weight is."""
        writer, depth = self.writer, chained.product.depth
        registers = writer.array(F32, chained.held) if chained.held else None
        memory = self.arrays.get(f"weight{number}")
        weights = ChainWeights(writer, chained, self.share, registers, memory)
        weights.bring(self.constants)
        behind = chained.width - depth
        if behind:
            with each(writer, self.plan.pass_rows * behind) as entry:
                row, term = divide(entry, behind), modulo(entry, behind)
                place = row * chained.width + depth + term
                rows = self.arrays[f"rows{number}"]
                writer.write(store(rows, place, constant(0.0, F32)))
        return weights

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


class Step:
    """Writes one step of a block.

    `is_fresh` says that threads wrote what others of the block may not see yet; `unmet` are
    the values that other blocks may not.
    """

    def __init__(self, kernel: GridKernel, counter: Index) -> None:
        """Find what a step reads and where it writes."""
        self.kernel, self.writer, self.plan = kernel, kernel.writer, kernel.plan
        self.step = kernel.length - 1 - counter if kernel.facts["reverse"] else counter
        self.is_fresh = False
        self.unmet: set[Value] = set()
        self.memory = dict(kernel.constants)
        for value, operand in kernel.sequences.items():
            self.memory[value] = kernel.row_part(operand, value, self.step)
        self.own: dict[Value, OwnPart] = {}
        self.after: dict[int, OwnPart] = {}
        self.ahead: dict[int, Buffer] = {}
        for number, value in enumerate(kernel.carries):
            self.own[value] = kernel.carried(number, counter)
            self.after[number] = kernel.carried(number, counter + 1)
            if value in self.plan.exchanged:
                self.memory[value] = kernel.exchanged(value, counter)
                self.ahead[number] = kernel.exchanged(value, counter + 1)

    def write(self) -> None:
        """Write the kernels of the body, and what the step hands on."""
        kernel = self.kernel
        for number, node in enumerate(kernel.body.nodes):
            self.own[node.result] = self.place(number, node.result)
            if node.result in self.plan.exchanged:
                self.memory[node.result] = kernel.exchanged(node.result, 0)
            self.settle(node)
            if node in self.plan.products:
                self.write_product(node)
            else:
                self.write_elements(node)
            self.is_fresh = True
            if node.result in self.plan.exchanged:
                self.unmet.add(node.result)
        for number, value in enumerate(kernel.body.outputs):
            self.hand_on(number, value)
        kernel.meet()

    def settle(self, node: Node) -> None:
        """Write the barrier behind which a kernel finds what it reads."""
        if self.unmet & self.plan.across.get(node, frozenset()):
            self.kernel.meet()
            self.unmet.clear()
        elif self.is_fresh:
            self.writer.write(BARRIER.statement())
        self.is_fresh = False

    def place(self, number: int, value: Value) -> OwnPart:
        """Return where the block leaves its part of a value."""
        if value in self.kernel.homes:
            return self.after[self.kernel.homes[value]]
        groups = self.plan.groups(value)
        return OwnPart(self.kernel.arrays[f"value{number}"], groups, self.kernel.share)

    def source(self, node: Node) -> tuple[Source, dict[Value, OwnPart]]:
        """Return the body of a kernel with the memory and the parts that it reads."""
        (body,) = node.bodies
        pairs = list(zip(body.parameters, node.operands, strict=True))
        memory = {
            inside: self.memory[value] for inside, value in pairs if value in self.memory
        }
        own = {inside: self.own[value] for inside, value in pairs if value in self.own}
        return Source(body, memory), own

    def write_product(self, node: Node) -> None:
        """Write a product and what follows it."""
        kernel, chained = self.kernel, self.plan.products[node]
        number = list(self.plan.products).index(node)
        arrays = kernel.arrays[f"rows{number}"], kernel.arrays[f"sums{number}"]
        source, own = self.source(node)
        rows = chained.product.rows
        is_wide = rows in self.plan.exchanged and chained.product.depth % TERMS == 0
        pairs = zip(node.bodies[0].parameters, node.operands, strict=True)
        work = SharedProduct(
            self.writer,
            kernel.weights[node],
            arrays,
            source,
            own,
            frozenset(inside for inside, value in pairs if value in kernel.sequences),
            self.memory[rows] if is_wide and rows is not None else None,
            (self.plan.pass_rows, kernel.rows),
        )

        def save(elements: Elements, row: Index, column: Index, element: Expr) -> None:
            self.save(elements, node.result, row, column, element)

        work.write(save)

    def write_elements(self, node: Node) -> None:
        """Write a kernel without a product, element by element."""
        writer, (source, own) = self.writer, self.source(node)
        stored = group_of(node.bodies[0]).stored
        shape = [index_of(entry, writer.dims) for entry in stored.type.shape]
        with self.kernel.elements_of(node.result) as (row, column):
            elements = OwnElements(writer, source, own)
            found = elements.at(stored, Place(shape, (row, column)))
            held = elements.hold(found, computed(stored.type.dtype))
            self.save(elements, node.result, row, column, held)

    def save(
        self, elements: Elements, value: Value, row: Index, column: Index, element: Expr
    ) -> None:
        """Write an element of a value to wherever the step leaves it."""
        part, dtype = self.own[value], value.type.dtype
        elements.save(part.buffer, part.index(row, column), element, dtype)
        place = row * self.kernel.columns(value) + column
        if value in self.plan.exchanged:
            elements.save(self.memory[value], place, element, dtype)
        home = self.kernel.homes.get(value)
        if home in self.ahead:
            elements.save(self.ahead[home], place, element, dtype)

    def hand_on(self, number: int, value: Value) -> None:
        """Write what the next step, or the stacked result, takes over."""
        kernel, writer = self.kernel, self.writer
        is_carry = number < len(kernel.carries)
        if is_carry and kernel.homes.get(value) == number:
            return
        if self.is_fresh:
            writer.write(BARRIER.statement())
            self.is_fresh = False
        to: list[Buffer] = []
        if not is_carry:
            to.append(kernel.row_part(kernel.results[number], value, self.step))
        elif number in self.ahead:
            to.append(self.ahead[number])
        with kernel.elements_of(value) as (row, column):
            place = row * kernel.columns(value) + column
            if value in self.own:
                found = load(self.own[value].buffer, self.own[value].index(row, column))
            else:
                found = load(self.memory[value], place)
            word = writer.hold(found, str(found.ty), 1)
            if is_carry:
                after = self.after[number]
                writer.write(store(after.buffer, after.index(row, column), word))
            for buffer in to:
                writer.write(store(buffer, place, word))
