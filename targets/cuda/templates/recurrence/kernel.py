"""A loop as one kernel: a block takes some rows of the batch through all steps.

Every result is computed as a launch for each step would: a product is the sum, in order,
of chains of multiply-adds, and what follows is the same code. So the bits are the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxc.ir.node import Node, Value
from lxc.passes.loop_memory import replaceable_operands
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import BARRIER
from lxc.targets.cuda.shared_memory import SharedArray
from lxc.targets.cuda.templates.recurrence.memory import (
    Recurrence,
    StepProduct,
    inner_size,
)
from lxc.targets.cuda.templates.recurrence.products import (
    StepWork,
    stage_rows,
    write_product,
)
from lxc.targets.cuda.templates.recurrence.weights import F32, Weights, each
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import group_of, is_alias
from lxc.targets.kernels.place import joined
from lxc.targets.kernels.sizes import covering_parts, index_of
from lxc.targets.tvm_api import Buffer, Index, at_most, divide, load, modulo, store
from lxc.targets.tvm_grid import part_of


@dataclass(frozen=True)
class Share:
    """The rows of a block: which is the first one, and how many they are."""

    first: Index
    count: Index


def write_recurrence(
    writer: GridWriter,
    plan: Recurrence,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
) -> str:
    """Write the kernel of a loop; return the algorithm."""
    writer.threads = plan.threads
    arrays = dict(zip(plan.arrays, writer.shared(*plan.arrays), strict=True))
    kernel = RecurrentKernel(writer, plan, operands, results, arrays)
    kernel.write()
    return "scan by rows" if plan.block_rows == 1 else f"scan by {plan.block_rows} rows"


class RecurrentKernel:
    """Writes the code that all blocks execute for their rows."""

    def __init__(
        self,
        writer: GridWriter,
        plan: Recurrence,
        operands: Sequence[Buffer],
        results: Sequence[Buffer],
        arrays: Mapping[SharedArray, Buffer],
    ) -> None:
        """Write nothing yet; `arrays` are those of the plan in shared memory."""
        self.writer, self.plan, self.arrays = writer, plan, arrays
        self.operands, self.results = operands, results
        self.facts, self.body = attributes_of(plan.node), plan.node.bodies[0]
        self.rows = index_of(plan.rows, writer.dims)
        self.length = index_of(self.facts["length"], writer.dims)
        carries, consts = self.facts["carries"], self.facts["consts"]
        self.carries = self.body.parameters[:carries]
        self.weights: dict[Node, Weights] = {}
        whole = carries + consts
        self.constants = dict(
            zip(self.body.parameters[carries:whole], operands[carries:whole], strict=True)
        )
        self.sequences = dict(
            zip(self.body.parameters[whole:], operands[whole:], strict=True)
        )

    def write(self) -> None:
        """Write what brings the weights, and the loop over rows of the batch."""
        writer, count = self.writer, self.plan.block_rows
        for product in self.plan.products.values():
            self.weights[product.node] = self.brought(product)
        shares = covering_parts(self.rows, count)
        with writer.team_loop(shares, writer.threads) as number:
            first = writer.name(number * count, shares * count)
            left = writer.name(at_most(self.rows - first, count), count + 1)
            self.write_share(Share(first, left))

    def brought(self, product: StepProduct) -> Weights:
        """Write what brings a weight, and return where it is."""
        plan, node = self.plan, product.node
        held, array = plan.held[node], plan.weights.get(node)
        registers = self.writer.array(F32, held) if held else None
        memory = self.arrays[array] if array else None
        weights = Weights(self.writer, product, held, registers, memory)
        weights.bring(self.constants)
        return weights

    def write_share(self, share: Share) -> None:
        """Write all steps of some rows."""
        writer = self.writer
        for number, operand in zip(range(len(self.carries)), self.operands, strict=False):
            start = self.part(operand, self.carries[number], share, 0)
            self.copy(start, self.carried(number, 0), self.carries[number], share)
        writer.write(BARRIER.statement())
        with writer.loop(self.length) as counter:
            Step(self, share, counter).write()
        for number, result in zip(range(len(self.carries)), self.results, strict=False):
            to = self.part(result, self.carries[number], share, 0)
            self.copy(self.carried(number, self.length), to, self.carries[number], share)
        # The next rows go to where these are.
        writer.write(BARRIER.statement())

    def part(self, whole: Buffer, value: Value, share: Share, step: Index) -> Buffer:
        """Return the rows of a block of one step of an array in memory."""
        size = inner_size(value) or 0
        start = (step * self.rows + share.first) * size
        return self.declared(whole, start, share.count * size)

    def carried(self, number: int, step: Index) -> Buffer:
        """Return where a carry lies at the start of a step."""
        array = self.plan.carries[number]
        half = array.count // 2
        return self.declared(self.arrays[array], modulo(step, 2) * half, half)

    def declared(self, whole: Buffer, start: Index, count: Index) -> Buffer:
        """Return a part of an array, which this writes down."""
        writer = self.writer
        start = writer.prover.simplify(start)
        view, declaration = part_of(whole, start, writer.fresh("part"), count)
        writer.write(declaration)
        return view

    def copy(self, source: Buffer, to: Buffer, like: Value, share: Share) -> None:
        """Write the copy of the rows of a block."""
        with each(self.writer, share.count * (inner_size(like) or 0)) as entry:
            self.writer.write(store(to, entry, load(source, entry)))


class Step:
    """Writes one step for some rows.

    `fresh` are the values that other threads may not see yet; of those that are `own`, a
    thread made the elements at the places where it makes those of others of the same size.
    """

    def __init__(self, kernel: RecurrentKernel, share: Share, counter: Index) -> None:
        """Find what a step reads and where it writes."""
        self.kernel, self.share, self.writer = kernel, share, kernel.writer
        self.plan, facts = kernel.plan, kernel.facts
        self.step = kernel.length - 1 - counter if facts["reverse"] else counter
        self.buffers = dict(kernel.constants)
        self.fresh: set[Value] = set()
        self.own: set[Value] = set()
        for number, value in enumerate(kernel.carries):
            self.buffers[value] = kernel.carried(number, counter)
        for value in self.plan.by_row:
            self.buffers[value] = kernel.part(kernel.constants[value], value, share, 0)
        for value, operand in kernel.sequences.items():
            self.buffers[value] = kernel.part(operand, value, share, self.step)
        self.after = [
            kernel.carried(number, counter + 1) for number in range(len(kernel.carries))
        ]

    def write(self) -> None:
        """Write the kernels of the body, and what the step hands on."""
        for node in self.kernel.body.nodes:
            self.write_node(node)
        for number, value in enumerate(self.kernel.body.outputs):
            self.hand_on(number, value)
        self.meet()

    def meet(self) -> None:
        """Write a barrier: all threads see what was made so far."""
        self.writer.write(BARRIER.statement())
        self.fresh.clear()
        self.own.clear()

    def write_node(self, node: Node) -> None:
        """Write one kernel of the body."""
        (result,) = node.results
        if is_alias(node.bodies[0]):
            (operand,) = node.operands
            self.buffers[result] = self.buffers[operand]
            if operand in self.fresh:
                self.fresh.add(result)
            return
        is_product = node in self.plan.products
        same = set() if is_product else self.own & set(replaceable_operands(node))
        if any(value in self.fresh and value not in same for value in node.operands):
            self.meet()
        self.buffers[result] = self.place(result)
        if is_product:
            self.write_product(node)
        else:
            self.write_elements(node)
            self.own.add(result)
        self.fresh.add(result)

    def place(self, value: Value) -> Buffer:
        """Return where the rows of a value go."""
        if value in self.plan.homes:
            return self.after[self.plan.homes[value]]
        return self.kernel.arrays[self.plan.values[value]]

    def source(self, node: Node) -> Source:
        """Return the body of a kernel with the memory that it reads."""
        (body,) = node.bodies
        pairs = zip(body.parameters, node.operands, strict=True)
        return Source(body, {parameter: self.buffers[value] for parameter, value in pairs})

    def write_product(self, node: Node) -> None:
        """Write a product, for which rows may have to be computed first."""
        kernel, product = self.kernel, self.plan.products[node]
        sequences = [value in kernel.sequences for value in node.operands]
        rows = self.buffers.get(product.rows) if product.rows else None
        work = StepWork(
            self.writer,
            product,
            self.source(node),
            kernel.weights[node],
            self.buffers[node.result],
            self.plan.block_rows,
            self.share.count,
        )
        if node in self.plan.staged:
            rows = kernel.arrays[self.plan.staged[node]]
            stage_rows(work, rows)
            self.meet()
        if rows is not None:
            write_product(work, rows, sequences)

    def write_elements(self, node: Node) -> None:
        """Write a kernel without a product, element by element."""
        writer, source = self.writer, self.source(node)
        stored, (result,) = group_of(node.bodies[0]).stored, node.results
        shape = [index_of(entry, writer.dims) for entry in stored.type.shape]
        size = inner_size(result) or 0
        with each(writer, self.share.count * size) as entry:
            row = writer.name(divide(entry, size), self.share.count)
            elements = Elements(writer, source, 1)
            place = joined(shape, (row,), modulo(entry, size))
            element = elements.at(stored, place)
            to = self.buffers[result]
            elements.save(to, place.position, element, stored.type.dtype)

    def hand_on(self, number: int, value: Value) -> None:
        """Write what the next step, or the stacked result, takes over."""
        kernel = self.kernel
        if self.plan.homes.get(value) == number:
            return
        if value in self.fresh and value not in self.own:
            self.meet()
        if number < len(kernel.carries):
            to = self.after[number]
        else:
            to = kernel.part(kernel.results[number], value, self.share, self.step)
        kernel.copy(self.buffers[value], to, value, self.share)
