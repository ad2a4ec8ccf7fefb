"""Calls of kernels that are functions of the same object file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxc.ir.dim import Dim
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.work_text import work_text
from lxc.passes.records import NO_RECORDS, Records
from lxc.targets.kernels.cost import BYTES_PER_NANOSECOND, FLOPS_PER_NANOSECOND, Cost
from lxc.targets.llvm.addresses import Address
from lxc.targets.llvm.calls import Calls, naming
from lxc.targets.llvm.kernel import Kernel, make_kernel
from lxc.targets.tvm_api import (
    Expr,
    Function,
    Index,
    as_index,
    at_least,
    divide,
    store,
)
from lxc.targets.tvm_functions import (
    accumulate_status,
    call,
    function_name,
    move_bytes,
    pointer,
)


@dataclass(frozen=True)
class Call:
    """One call of a kernel, for reports: which kernel, for which node."""

    kernel: Kernel
    node: Node


class Library:
    """The kernels of a program, each distinct one once."""

    def __init__(
        self,
        name: str,
        dims: Sequence[Dim],
        machine: Machine,
        records: Records = NO_RECORDS,
    ) -> None:
        """Start without kernels; `name` starts the names of all."""
        self.name, self.dims, self.machine, self.records = name, dims, machine, records
        self.functions: dict[Expr, Function] = {}
        self.calls: list[Call] = []
        self._kernels: dict[str, tuple[Expr, Kernel]] = {}

    def kernel(self, node: Node, *, noalias: bool) -> Expr:
        """Return the name to call for the work of `node`."""
        key = f"{noalias} {work_text(node)}"
        if key not in self._kernels:
            name = f"{self.name}_kernel_{len(self._kernels)}"
            made = self.made(name, node, noalias=noalias)
            handle = function_name(name)
            self._kernels[key] = (handle, made)
            self.functions[handle] = made.function
        handle, made = self._kernels[key]
        self.calls.append(Call(made, node))
        return handle

    def made(self, name: str, node: Node, *, noalias: bool) -> Kernel:
        """Return a new kernel; a failure names the node."""
        with naming(node):
            return make_kernel(
                name, node, self.dims, self.machine, noalias=noalias, records=self.records
            )


class KernelCalls(Calls):
    """Writes calls of the kernels of a library."""

    def __init__(self, library: Library, *places: Any) -> None:
        """Know the kernels, and where values lie."""
        super().__init__(*places)
        self.library = library

    def kernel(self, node: Node) -> None:
        """Write the call of one kernel."""
        values = (*node.operands, node.result)
        target = self.library.kernel(node, noalias=self.is_apart(node))
        self.announce(self.library.calls[-1].kernel.cost)
        addresses = [pointer(self.address(value).number) for value in values]
        status = call(target, [*addresses, *self.writer.dims.values()])
        self.writer.write(accumulate_status(self.cells.status, status))

    def announce(self, cost: Cost) -> None:
        """Write down the nanoseconds of a kernel that may share its work."""
        if cost.pays_threads:
            computing = divide(self.size(cost.flops_now), FLOPS_PER_NANOSECOND)
            moving = divide(self.size(cost.bytes_now), BYTES_PER_NANOSECOND)
            time = at_least(at_least(computing, moving), 1)
            self.writer.write(store(self.cells.work, 0, as_index(time)))

    def copy(self, destination: Address, source: Value) -> None:
        """Write the copy of a value, unless it lies there already."""
        origin = self.address(source)
        if not origin.is_same(destination):
            self.move(destination, origin, self.bytes_of(source))

    def move(self, destination: Address, origin: Address, count: Index) -> None:
        """Write the copy of some bytes from one place to another."""
        places = pointer(destination.number), pointer(origin.number)
        self.writer.write(move_bytes(*places, count))
