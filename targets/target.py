"""A machine that lxc makes code for."""

from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.targets.tvm_build import Processor


@dataclass(frozen=True)
class Target:
    """A machine by name: what LLVM is told, and what code for it needs before it may run.

    `features` are LLVM's names of what a processor must have. `machine` shapes the code.
    """

    name: str
    triple: str
    cpu: str
    features: tuple[str, ...]
    machine: Machine
    description: str
    switches: tuple[str, ...] = ()

    @property
    def architecture(self) -> str:
        """The first word of the triple, as the kernel names processors."""
        return self.triple.partition("-")[0]

    @property
    def processor(self) -> Processor:
        """What LLVM is told."""
        return Processor(self.triple, self.cpu, self.switches)
