"""Checks of generated code that no test of its results would fail for."""

import re
from math import prod

from lxc.errors import InternalError

LARGEST_FRAME = 1 << 14
FUNCTION = re.compile(r"^define [^@]*@(\S+?)\(", re.MULTILINE)
STACK = re.compile(r" = alloca (.*?)(?:, align \d+)?(?:, ![^\n]*)?$", re.MULTILINE)
COUNT = re.compile(r"(\d+) x ")
SCALAR = re.compile(r"[a-z]+\d*")
WIDTHS = {"half": 2, "float": 4, "double": 8, "ptr": 8}


def check_code(llvm: str) -> None:
    """Refuse code that takes memory behind the plan's back: from the heap, or much stack.

    `llvm` is the optimised program; what is left of small arrays in it did not become
    registers.
    """
    if "TVMBackendAllocWorkspace" in llvm:
        raise InternalError("code generation", "a kernel takes memory from the heap")
    starts = [match.start() for match in FUNCTION.finditer(llvm)]
    for start, end in zip(starts, [*starts[1:], len(llvm)], strict=True):
        part = llvm[start:end]
        frame = sum(bytes_of(found) for found in STACK.findall(part))
        if frame > LARGEST_FRAME:
            name = FUNCTION.match(part)
            shown = name.group(1) if name else "a kernel"
            raise InternalError("code generation", f"{shown} needs {frame} bytes of stack")


def uses_tiles(llvm: str) -> bool:
    """Return whether code computes on registers that hold whole tiles."""
    return "@llvm.x86.ldtilecfg" in llvm


def bytes_of(kind: str) -> int:
    """Return the size of an LLVM type, all fields of a structure one after the other."""
    count = prod(map(int, COUNT.findall(kind)))
    fields = SCALAR.findall(COUNT.sub("", kind))
    return count * sum(map(width_of, fields))


def width_of(name: str) -> int:
    """Return the size of a scalar type of LLVM."""
    if name in WIDTHS:
        return WIDTHS[name]
    return max(1, int(name[1:]) // 8) if name[1:].isdigit() else 8
