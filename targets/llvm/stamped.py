"""The back end for processors, with entries that note when each of their calls ends.

Kernels are inlined into the entry, so nobody outside can tell them apart. Here the entry
calls `lxc_stamp` behind every kernel and every copy. A library has two functions more:
`NAME_trace` says where this thread's next calls write their events, pairs of a number and
a time in nanoseconds; `NAME_traced` returns how many there were.
"""

from dataclasses import dataclass, replace
from typing import Any

from lxc.ir.graph import Program
from lxc.ir.node import Node
from lxc.passes.choices import Choices
from lxc.targets.llvm import support
from lxc.targets.llvm.addresses import Address
from lxc.targets.llvm.c_abi import Sources
from lxc.targets.llvm.compiled import ProcessorCode, Processors
from lxc.targets.llvm.entry import Lowered, lower
from lxc.targets.llvm.kernel_calls import KernelCalls
from lxc.targets.target import Request, Target
from lxc.targets.tvm_api import Index, as_index
from lxc.targets.tvm_build import COMPILE_LOCK
from lxc.targets.tvm_functions import call_c

COPY, BEGIN = -1, -2
"""The numbers of events that end no kernel. Those of kernels are the places of their calls
among all calls of both entries."""

CLOCK = "#define _GNU_SOURCE\n"
"""What the C library wants to see before it declares its clocks."""


class StampedCalls(KernelCalls):
    """Writes calls of kernels, and behind each of them a stamp.

    Each entry starts with two stamps, so that the time between them is what one costs.
    """

    def __init__(self, *arguments: Any) -> None:
        """Write the stamps that an entry starts with."""
        super().__init__(*arguments)
        self.stamp(BEGIN)
        self.stamp(BEGIN)

    def stamp(self, number: int) -> None:
        """Write what notes the time."""
        self.writer.write(call_c("lxc_stamp", as_index(number)))

    def kernel(self, node: Node) -> None:
        """Write the call of one kernel and its stamp."""
        super().kernel(node)
        self.stamp(len(self.library.calls) - 1)

    def move(self, destination: Address, origin: Address, count: Index) -> None:
        """Write the copy of some bytes and its stamp."""
        super().move(destination, origin, count)
        self.stamp(COPY)


@dataclass(frozen=True)
class StampedProcessors(Processors):
    """Makes libraries that note the times of their calls."""

    def lowered(
        self, program: Program, target: Target, name: str, choices: Choices
    ) -> Lowered:
        """Return the functions of a planned program."""
        with COMPILE_LOCK:
            return lower(program, name, target.machine, choices.records, StampedCalls)

    def sources(self, request: Request, code: ProcessorCode) -> Sources:
        """Return the C text of a library, with what notes the times."""
        name, made = request.signature.name, super().sources(request, code)
        stamps = support.renamed(support.text("stamps.c"), name)
        return replace(
            made,
            source=CLOCK + made.source + stamps,
            exports=(*made.exports, f"{name}_trace", f"{name}_traced"),
        )


STAMPED = StampedProcessors()
