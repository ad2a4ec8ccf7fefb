"""Machine code for cards, and what the assembler says of every kernel in it."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

from lxc.errors import LxcError
from lxc.targets.cuda.architectures import Architecture
from lxc.targets.cuda.device_code import DeviceSource
from lxc.targets.cuda.toolchain import find_device_compiler

KERNEL = re.compile(r"Compiling entry function '(\w+)' for '\w+'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill")
REGISTERS = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


@dataclass(frozen=True)
class Usage:
    """What one kernel takes of a card: registers of a thread, and bytes.

    `shared_bytes` are those that it has without being given more at its launch. What is
    spilled lies in memory because the registers did not do.
    """

    registers: int
    shared_bytes: int
    stack_bytes: int
    spilled_bytes: int

    def with_shared(self, given: int) -> "Usage":
        """Return what it takes where a launch gives a block so many bytes to share."""
        return replace(self, shared_bytes=self.shared_bytes + given)

    def to_json(self) -> dict[str, int]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class Image:
    """The machine code of all kernels for one kind of card, or text for any later one.

    `usage` is by kernel; text has none.
    """

    architecture: Architecture
    content: bytes
    usage: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of a file with the content."""
        ending = "ptx" if self.architecture.is_text else "cubin"
        return f"{self.architecture.name}.{ending}"


class ImageMaker(Protocol):
    """What makes images of the kernels of a program."""

    def images(
        self, source: DeviceSource, architectures: Sequence[Architecture]
    ) -> Sequence[Image]:
        """Return one image for each kind of card, in the same order."""

    def version(self) -> str:
        """Return what it is in one line."""

    def driver(self) -> int:
        """Return the version of CUDA that the images are made with: 13010 for 13.1."""

    def lacks(self) -> Mapping[str, str]:
        """Return what it needs and this machine lacks, and how to get each of it."""


@dataclass(frozen=True)
class Toolkit:
    """NVIDIA's compiler for cards, as far as this machine has one."""

    def images(
        self, source: DeviceSource, architectures: Sequence[Architecture]
    ) -> tuple[Image, ...]:
        """Return one image for each kind of card, in the same order."""
        compiler, whole = find_device_compiler(), source.whole

        def image(architecture: Architecture) -> Image:
            content, log = compiler.compile(whole, architecture)
            return Image(architecture, content, usages(log))

        with ThreadPoolExecutor(max(1, len(architectures))) as pool:
            return tuple(pool.map(image, architectures))

    def version(self) -> str:
        """Return what the compiler is in one line."""
        return find_device_compiler().version()

    def driver(self) -> int:
        """Return the version of CUDA that the images are made with: 13010 for 13.1."""
        return find_device_compiler().driver()

    def lacks(self) -> Mapping[str, str]:
        """Return what it needs and this machine lacks, and how to get each of it."""
        try:
            find_device_compiler()
        except LxcError as missing:
            return {"a compiler for cards": str(missing.hint)}
        return {}


TOOLKIT = Toolkit()


def usages(log: str) -> dict[str, Usage]:
    """Return what the assembler says about each kernel of one kind of card."""
    _, *parts = KERNEL.split(log)
    return {name: usage(said) for name, said in zip(parts[::2], parts[1::2], strict=True)}


def usage(said: str) -> Usage:
    """Return what the assembler says about one kernel."""
    registers, shared, stack = (
        pattern.search(said) for pattern in (REGISTERS, SHARED, STACK)
    )
    frame, stores, loads = map(int, stack.groups()) if stack else (0, 0, 0)
    return Usage(
        int(registers[1]) if registers else 0,
        int(shared[1]) if shared else 0,
        frame,
        max(stores, loads),
    )
