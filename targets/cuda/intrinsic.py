"""One function of the device that kernels call by name."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lxc.errors import InternalError
from lxc.targets.tvm_api import Expr, Stmt, extern
from lxc.targets.tvm_grid import device_call, device_statement

Together = Literal["thread", "warp", "block", "grid"]


@dataclass(frozen=True)
class Intrinsic:
    """A function of the device that kernels call by name.

    `declaration` is its head in C++. `bodies` pairs the least compute capability with CUDA
    text, the newest first. `together` says who executes it at once: each thread for itself,
    all 32 lanes of a warp, all threads of a block, or all blocks of a launch.

    `meaning` is called with arrays of the arguments, one row per thread; of pointers it
    gets a `meanings.Place`. That of threads gets `meanings.Threads` first. A `pure` one
    reads and writes no memory, and returns the same for the same arguments.
    """

    declaration: str
    bodies: tuple[tuple[int, str], ...]
    together: Together
    meaning: Callable[..., Any]
    pure: bool = False

    @property
    def name(self) -> str:
        """The name that kernels call it by."""
        found = re.search(r"\b(lxc_\w+)\(", self.declaration)
        if found is None:
            raise InternalError("code generation", f"no name in {self.declaration}")
        return found[1]

    @property
    def count(self) -> int:
        """How many arguments it takes."""
        inside = self.declaration[self.declaration.index("(") + 1 : -1]
        return inside.count(",") + 1 if inside else 0

    @property
    def source(self) -> str:
        """Its definition in CUDA."""
        head, name = self.declaration.split(f"{self.name}(")
        start, result = ("", head) if ">" not in head else head.split("> ")
        before = f"{start}>\n" if start else ""
        lines = [f"{before}__device__ __forceinline__ {result}{self.name}({name} {{"]
        for number, (capability, body) in enumerate(self.bodies):
            if len(self.bodies) > 1:
                word = "#if" if number == 0 else "#elif"
                lines.append(f"{word} __CUDA_ARCH__ >= {capability}0")
            lines.extend(f"    {line}" for line in body.strip().splitlines())
        lines.extend(["#endif"] if len(self.bodies) > 1 else [])
        return "\n".join([*lines, "}"])

    def value(self, dtype: str, *arguments: Expr) -> Expr:
        """Return what it returns, of an element type."""
        self.check(arguments)
        if self.pure:
            return extern(dtype, self.name, *arguments)
        return device_call(dtype, self.name, *arguments)

    def statement(self, *arguments: Expr) -> Stmt:
        """Return the statement that calls it for what it does."""
        self.check(arguments)
        return device_statement(self.name, *arguments)

    def check(self, arguments: tuple[Expr, ...]) -> None:
        """Raise if a call has too few or too many arguments."""
        if len(arguments) != self.count:
            raise InternalError("code generation", f"{self.name} takes {self.count}")
