"""One step of a block of a shared loop."""

from collections.abc import Mapping

from lxc.ir.node import Node, Value
from lxc.targets.cuda.intrinsics import BARRIER
from lxc.targets.cuda.templates.recurrence.grid.block import GridBlock
from lxc.targets.cuda.templates.recurrence.grid.own import OwnElements, OwnPart
from lxc.targets.cuda.templates.recurrence.grid.products import SharedProduct
from lxc.targets.cuda.templates.recurrence.grid.weights import ChainWeights
from lxc.targets.cuda.templates.recurrence.memory import TERMS
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import group_of
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.storage import computed
from lxc.targets.tvm_api import Buffer, Expr, Index, load, store


class Step:
    """Writes one step of a block.

    `is_fresh` says that threads wrote what others of the block may not see yet; `unmet` are
    the values that other blocks may not.
    """

    def __init__(
        self, block: GridBlock, weights: Mapping[Node, ChainWeights], counter: Index
    ) -> None:
        """Find what a step reads and where it writes."""
        self.block, self.writer, self.plan = block, block.writer, block.plan
        self.weights = weights
        self.step = block.length - 1 - counter if block.facts["reverse"] else counter
        self.is_fresh = False
        self.unmet: set[Value] = set()
        self.memory = dict(block.constants)
        for value, operand in block.sequences.items():
            self.memory[value] = block.row_part(operand, value, self.step)
        self.own: dict[Value, OwnPart] = {}
        self.after: dict[int, OwnPart] = {}
        self.ahead: dict[int, Buffer] = {}
        for number, value in enumerate(block.carries):
            self.own[value] = block.carried(number, counter)
            self.after[number] = block.carried(number, counter + 1)
            if value in self.plan.exchanged:
                self.memory[value] = block.exchanged(value, counter)
                self.ahead[number] = block.exchanged(value, counter + 1)

    def write(self) -> None:
        """Write the kernels of the body, and what the step hands on."""
        block = self.block
        for number, node in enumerate(block.body.nodes):
            self.own[node.result] = self.place(number, node.result)
            if node.result in self.plan.exchanged:
                self.memory[node.result] = block.exchanged(node.result, 0)
            self.settle(node)
            if node in self.plan.products:
                self.write_product(node)
            else:
                self.write_elements(node)
            self.is_fresh = True
            if node.result in self.plan.exchanged:
                self.unmet.add(node.result)
        for number, value in enumerate(block.body.outputs):
            self.hand_on(number, value)
        block.meet()

    def settle(self, node: Node) -> None:
        """Write the barrier behind which a kernel finds what it reads."""
        if self.unmet & self.plan.across.get(node, frozenset()):
            self.block.meet()
            self.unmet.clear()
        elif self.is_fresh:
            self.writer.write(BARRIER.statement())
        self.is_fresh = False

    def place(self, number: int, value: Value) -> OwnPart:
        """Return where the block leaves its part of a value."""
        if value in self.block.homes:
            return self.after[self.block.homes[value]]
        groups = self.plan.groups(value)
        return OwnPart(self.block.arrays[f"value{number}"], groups, self.block.share)

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
        block, chained = self.block, self.plan.products[node]
        number = list(self.plan.products).index(node)
        arrays = block.arrays[f"rows{number}"], block.arrays[f"sums{number}"]
        source, own = self.source(node)
        rows = chained.product.rows
        is_wide = rows in self.plan.exchanged and chained.product.depth % TERMS == 0
        pairs = zip(node.bodies[0].parameters, node.operands, strict=True)
        work = SharedProduct(
            self.writer,
            self.weights[node],
            arrays,
            source,
            own,
            frozenset(inside for inside, value in pairs if value in block.sequences),
            self.memory[rows] if is_wide and rows is not None else None,
            (self.plan.pass_rows, block.rows),
        )

        def save(elements: Elements, row: Index, column: Index, element: Expr) -> None:
            self.save(elements, node.result, row, column, element)

        work.write(save)

    def write_elements(self, node: Node) -> None:
        """Write a kernel without a product, element by element."""
        writer, (source, own) = self.writer, self.source(node)
        stored = group_of(node.bodies[0]).stored
        shape = [index_of(entry, writer.dims) for entry in stored.type.shape]
        with self.block.elements_of(node.result) as (row, column):
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
        place = row * self.block.columns(value) + column
        if value in self.plan.exchanged:
            elements.save(self.memory[value], place, element, dtype)
        home = self.block.homes.get(value)
        if home in self.ahead:
            elements.save(self.ahead[home], place, element, dtype)

    def hand_on(self, number: int, value: Value) -> None:
        """Write what the next step, or the stacked result, takes over."""
        block, writer = self.block, self.writer
        is_carry = number < len(block.carries)
        if is_carry and block.homes.get(value) == number:
            return
        if self.is_fresh:
            writer.write(BARRIER.statement())
            self.is_fresh = False
        to: list[Buffer] = []
        if not is_carry:
            to.append(block.row_part(block.results[number], value, self.step))
        elif number in self.ahead:
            to.append(self.ahead[number])
        with block.elements_of(value) as (row, column):
            place = row * block.columns(value) + column
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
