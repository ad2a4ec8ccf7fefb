"""Launches of kernels in the order of a graph, as calls of the entry functions.

An entry runs on the host. It hands each launch to the library's `lxc_launch`: the number of
the kernel, how many blocks, and a table with the arguments, all 64 bits wide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lxc.ir.dim import Dim, bounds
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.work_text import work_text
from lxc.targets.cuda.grid_kernels import make_grid_kernel, make_start_kernel
from lxc.targets.cuda.kernel import (
    DeviceKernel,
    make_device_kernel,
    make_loop_kernel,
)
from lxc.targets.cuda.templates.recurrence.forms import loop_form
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop
from lxc.targets.cuda.templates.recurrence.memory import Recurrence, carries_of
from lxc.targets.kernels.sizes import covering_parts
from lxc.targets.llvm.addresses import Address
from lxc.targets.llvm.calls import Calls, naming
from lxc.targets.tvm_api import (
    Index,
    address_of,
    allocate,
    as_index,
    at_least,
    at_most,
    both,
    constant,
    differs,
    is_at_most,
    stack_array,
    store,
)
from lxc.targets.tvm_functions import answer_of, call_c
from lxc.targets.tvm_grid import with_values

LINE = 128
"""Bytes that a card moves at once: what blocks exchange begins at multiples."""
MOST_BLOCKS = 4096
"""More blocks than any card runs at once: the threads of these take several turns."""


@dataclass(frozen=True)
class Launch:
    """One launch of a kernel, for reports: which kernel, for which node."""

    kernel: DeviceKernel
    node: Node


class DeviceLibrary:
    """The kernels of a program for a card, each distinct one once."""

    def __init__(self, name: str, dims: Sequence[Dim], machine: Machine) -> None:
        """Start without kernels; `name` starts the names of all."""
        self.name, self.dims, self.machine = name, dims, machine
        self.kernels: list[DeviceKernel] = []
        self.calls: list[Launch] = []
        self._numbers: dict[str, int] = {}

    def kernel(self, node: Node, *, noalias: bool) -> int:
        """Return the number of the kernel for the work of `node`."""

        def make(name: str) -> DeviceKernel:
            return make_device_kernel(name, node, self.dims, self.machine, noalias=noalias)

        return self.number_of(node, make, noalias=noalias)

    def loop(self, plan: Recurrence, *, noalias: bool) -> int:
        """Return the number of the kernel for all steps of a loop."""

        def make(name: str) -> DeviceKernel:
            return make_loop_kernel(name, plan, self.dims, noalias=noalias)

        return self.number_of(plan.node, make, noalias=noalias)

    def grid_loop(self, plan: GridLoop) -> tuple[int, int]:
        """Return the numbers of the two kernels of a loop that blocks share."""

        def start(name: str) -> DeviceKernel:
            return make_start_kernel(name, plan, self.dims)

        def make(name: str) -> DeviceKernel:
            return make_grid_kernel(name, plan, self.dims)

        first = self.number_of(plan.node, start, noalias=False, part="start of ")
        return first, self.number_of(plan.node, make, noalias=False)

    def number_of(
        self,
        node: Node,
        make: Callable[[str], DeviceKernel],
        *,
        noalias: bool,
        part: str = "",
    ) -> int:
        """Return the number of a kernel, which is made unless there is one for this work.

        `part` says which kernel it is if there are several. A failure names the node.
        """
        key = f"{noalias} {part}{work_text(node)}"
        if key not in self._numbers:
            number = len(self.kernels)
            self._numbers[key] = number
            with naming(node):
                made = make(f"{self.name}_{number}")
            self.kernels += [made, made.following] if made.following else [made]
        number = self._numbers[key]
        made = self.kernels[number]
        together = [made, made.following] if made.following else [made]
        self.calls += [Launch(one, node) for one in together]
        return number


class Launches(Calls):
    """Writes launches for nodes, one after the other, into an entry function."""

    def __init__(self, library: DeviceLibrary, *places: Any) -> None:
        """Know the kernels, and where values lie."""
        super().__init__(*places)
        self.library = library
        self.workspace = self.scratch, 0

    def kernel(self, node: Node) -> None:
        """Write the launch of one kernel."""
        number = self.library.kernel(node, noalias=self.is_apart(node))
        values = (*node.operands, node.result)
        self.launch(number, values)
        if self.library.kernels[number].following:
            self.launch(number + 1, values)

    def scan(self, node: Node) -> None:
        """Write a loop: the launch of one kernel, or those of all its steps."""
        plan = loop_form(node)
        if isinstance(plan, str) or not self.is_loop_apart(node):
            super().scan(node)
        elif isinstance(plan, GridLoop):
            self.grid_loop(plan)
        else:
            number = self.library.loop(plan, noalias=self.is_apart(node))
            self.launch(number, (*node.operands, *node.results))

    def grid_loop(self, plan: GridLoop) -> None:
        """Write a loop that blocks share, and its steps for cards that hold fewer blocks.

        The steps are for calls with more rows too.
        """
        node = plan.node
        start, number = self.library.grid_loop(plan)
        exchange = self.exchange(plan)
        carries = [self.address(value) for value in node.operands[: plan.carries]]
        given = [self.address(value) for value in (*node.operands, *node.results)]

        def together() -> None:
            self.launch_at(start, [*carries, *exchange])
            self.launch_at(number, [*given, *exchange])

        context = address_of(self.cells.work, 0)
        holds = answer_of("lxc_holds", context, as_index(number), as_index(plan.blocks))
        condition = differs(holds, constant(0, "int32"))
        if bounds(plan.rows)[1] > plan.most_rows:
            rows = as_index(self.size(plan.rows))
            condition = both(is_at_most(rows, as_index(plan.most_rows)), condition)
        self.writer.choose(condition, together, lambda: Calls.scan(self, node))

    def exchange(self, plan: GridLoop) -> list[Address]:
        """Return fresh memory for the counter and for what blocks tell each other."""
        sizes = [4, *(4 * plan.exchanged_elements(value) for value in plan.exchanged)]
        found: list[Address] = []
        self.scratch = -(-self.scratch // LINE) * LINE
        for size in sizes:
            found.append(self.arena.part(self.scratch, size))
            self.scratch += -(-size // LINE) * LINE
        return found

    def is_loop_apart(self, node: Node) -> bool:
        """Return whether no result lies where other steps or blocks still read.

        A carry may end where it starts: a block reads its rows before it writes them.
        """
        starts = node.operands[: len(carries_of(node))]
        for number, result in enumerate(node.results):
            place = self.address(result)
            for other in node.operands:
                origin = self.address(other)
                is_own = number < len(starts) and starts[number] is other
                if place.meets(origin) and not (is_own and place.is_same(origin)):
                    return False
        return True

    def launch(self, number: int, values: Sequence[Value]) -> None:
        """Write the launch of a kernel for values, which are at their addresses."""
        places = [self.address(value) for value in values]
        size = self.library.kernels[number].workspace_bytes
        if size:
            places.append(self.workspace_of(size))
        self.launch_at(number, places)

    def launch_at(self, number: int, places: Sequence[Address]) -> None:
        """Write the launch of a kernel for arrays at some addresses."""
        kernel = self.library.kernels[number]
        dims = tuple(self.writer.dims.values())
        blocks = self.blocks(kernel)
        arguments = [*(place.number for place in places), *dims, blocks]
        table = stack_array(self.writer.fresh("arguments"), "int64", len(arguments))
        self.writer.write(allocate(table))
        for place, argument in enumerate(arguments):
            self.writer.write(store(table, place, as_index(argument)))
        count = as_index(len(arguments))
        context = address_of(self.cells.work, 0)
        start = address_of(table, 0)
        self.writer.write(
            call_c("lxc_launch", context, as_index(number), as_index(blocks), start, count)
        )

    def workspace_of(self, size: int) -> Address:
        """Return memory behind the arena, which all kernels that need some share.

        A launch begins when all before it are done.
        """
        first, had = self.workspace
        if size > had:
            if first + had < self.scratch:
                first = self.scratch
            self.workspace = first, -(-size // 64) * 64
            self.scratch = sum(self.workspace)
        return self.arena.part(first, size)

    def blocks(self, kernel: DeviceKernel) -> Index:
        """Return how many blocks a launch has."""
        names = dict(zip(kernel.dims, self.writer.dims.values(), strict=True))
        most: Index = 1
        for turns in kernel.turns:
            here = covering_parts(with_values(turns, names), kernel.threads)
            is_known = isinstance(here, int) and isinstance(most, int)
            most = max(most, here) if is_known else at_least(here, most)
        return (
            min(most, MOST_BLOCKS) if isinstance(most, int) else at_most(most, MOST_BLOCKS)
        )

    def copy(self, destination: Address, source: Value) -> None:
        """Write the copy of a value, unless it lies there already."""
        origin = self.address(source)
        if not origin.is_same(destination):
            context = address_of(self.cells.work, 0)
            count = as_index(self.bytes_of(source))
            self.writer.write(
                call_c("lxc_copy", context, destination.number, origin.number, count)
            )
