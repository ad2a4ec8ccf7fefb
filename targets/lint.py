"""Checks of generated code that no test of its results would fail for."""

import re

from lxc.errors import InternalError
from lxc.targets.tvm_build import Generated

LARGEST_FRAME = 1 << 16
FRAME = re.compile(r"^\s*subq\s+\$(\d+), %rsp", re.MULTILINE)


def check_code(generated: Generated) -> None:
    """Refuse code that takes memory behind the plan's back: from the heap, or a large stack."""
    if "TVMBackendAllocWorkspace" in generated.llvm:
        raise InternalError("code generation", "a kernel takes memory from the heap")
    largest = max(map(int, FRAME.findall(generated.assembly)), default=0)
    if largest > LARGEST_FRAME:
        raise InternalError("code generation", f"a kernel needs {largest} bytes of stack")
