"""A machine that lxc makes code for, and what makes the code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lxc.ir.graph import Program
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.passes.choices import Choices
from lxc.passes.decision import Decision
from lxc.passes.records import Answer
from lxc.runtime.signature import Signature
from lxc.targets.kernels.cost import Cost
from lxc.targets.tvm_build import Processor


class Kernel(Protocol):
    """What reports say of a kernel."""

    @property
    def name(self) -> str:
        """The name of its function."""

    @property
    def algorithm(self) -> str:
        """How it does its work."""

    @property
    def cost(self) -> Cost:
        """What one call takes."""

    @property
    def answer(self) -> Answer | None:
        """Which variant it is, if there are several."""


class Call(Protocol):
    """One call of a kernel, for one node."""

    @property
    def kernel(self) -> Kernel:
        """What is called."""

    @property
    def node(self) -> Node:
        """The work that it does."""


class Lowered(Protocol):
    """A planned program as functions, before they are machine code."""

    @property
    def calls(self) -> Sequence[Call]:
        """The calls of kernels in their order."""

    @property
    def prepared_bytes(self) -> int:
        """The memory of the prepared values."""

    @property
    def arena_bytes(self) -> int:
        """The scratch memory of a call."""


class Code(Protocol):
    """A program as code for one target."""

    @property
    def lowered(self) -> Lowered:
        """The functions that it was made of."""

    def stage(self, kind: str) -> bytes:
        """Return one of the stages of its back end: text, or a file."""

    def facts(self, kernel: str) -> Mapping[str, Any]:
        """Return what an artifact says of a kernel beside what holds for all targets."""


@dataclass(frozen=True)
class Request:
    """A planned program that becomes a library, by the names of its signature.

    `compiler` is the C compiler that links it.
    """

    program: Program
    signature: Signature
    choices: Choices
    compiler: str


@dataclass(frozen=True)
class Built:
    """A library, and the object file and the header for those who link on their own.

    `driver` is the oldest version of CUDA whose driver runs it, 13000 for 13.0; 0 where
    there is no card.
    """

    code: Code
    library: bytes
    object_bytes: bytes
    header: str
    driver: int = 0


@dataclass(frozen=True)
class Stage:
    """What `--emit` can show: its kind, and how a file of it is named.

    What `is_dumped` is text that can always be shown.
    """

    kind: str
    file: str
    is_dumped: bool = True


class BackEnd(Protocol):
    """What is different between kinds of targets."""

    @property
    def pipeline(self) -> tuple[str, ...]:
        """The passes from a graph at tensor level to a planned program."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What there is to see between the planned program and the library."""

    @property
    def images(self) -> tuple[str, ...]:
        """The kinds of card that a library has code for; none for a processor."""

    def decisions(self, program: Program) -> Sequence[Decision]:
        """Return what code generation decides beside what the passes did."""

    def lowered(
        self, program: Program, target: "Target", name: str, choices: Choices
    ) -> Lowered:
        """Return the functions of a planned program."""

    def code(self, program: Program, target: "Target", name: str, choices: Choices) -> Code:
        """Return the code of a planned program."""

    def built(self, request: Request, target: "Target") -> Built:
        """Return the library of a planned program."""

    def tools(self, compiler: str) -> Mapping[str, str]:
        """Return the versions of what makes a library beside TVM, by kind of tool."""

    def lacks_to_link(self, target: "Target") -> Mapping[str, str]:
        """Return what this machine lacks to make a library, and how to get each of it."""

    def lacks_to_run(self, target: "Target") -> list[str]:
        """Return what this machine lacks to run a library."""


@dataclass(frozen=True)
class Target:
    """A machine by name: what LLVM is told, and what code for it needs before it may run.

    `features` are LLVM's names of what a processor must have. `machine` shapes the kernels,
    and `back_end` makes the library. Where kernels run on a card, the rest is about the
    processor that launches them.
    """

    name: str
    triple: str
    cpu: str
    features: tuple[str, ...]
    machine: Machine
    description: str
    back_end: BackEnd
    switches: tuple[str, ...] = ()

    @property
    def architecture(self) -> str:
        """The first word of the triple, as the kernel names processors."""
        return self.triple.partition("-")[0]

    @property
    def processor(self) -> Processor:
        """What LLVM is told."""
        return Processor(self.triple, self.cpu, self.switches)
