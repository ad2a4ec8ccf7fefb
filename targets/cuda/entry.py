"""A planned program as kernels of a card and the two entries that launch them."""

from dataclasses import dataclass
from functools import partial

from lxc.ir.graph import Program
from lxc.ir.machine import Machine
from lxc.targets.cuda.launches import DeviceLibrary, Launch, Launches
from lxc.targets.llvm.entry import lower_prepare, lower_run
from lxc.targets.tvm_api import Expr, Function
from lxc.targets.tvm_functions import function_name


@dataclass(frozen=True)
class LoweredForCard:
    """Kernels, host functions, and the memory that the two entries need."""

    library: DeviceLibrary
    functions: dict[Expr, Function]
    prepared_bytes: int
    arena_bytes: int

    @property
    def calls(self) -> tuple[Launch, ...]:
        """The launches in their order."""
        return tuple(self.library.calls)


def lower_for_card(program: Program, name: str, machine: Machine) -> LoweredForCard:
    """Return the kernels and entries of a planned program."""
    library = DeviceLibrary(name, program.run.dims, machine)
    launches = partial(Launches, library)
    prepare, prepared_bytes = lower_prepare(program.prepare, launches)
    run, arena_bytes = lower_run(program, launches)
    functions = {
        function_name(f"{name}_entry_prepare"): prepare.function(f"{name}_entry_prepare"),
        function_name(f"{name}_entry_run"): run.function(f"{name}_entry_run"),
    }
    return LoweredForCard(library, functions, prepared_bytes, arena_bytes)
