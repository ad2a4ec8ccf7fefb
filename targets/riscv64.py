"""64-bit RISC-V processors under Linux."""

from lxc.ir.machine import Machine
from lxc.targets.llvm.compiled import LLVM
from lxc.targets.target import Target

TRIPLE = "riscv64-unknown-linux-gnu"
GENERAL = ("a", "c", "d", "f", "m")
"""What the letters of RV64GC stand for, beside the integers."""
REGISTERS = 28
"""There are 32. Arithmetic takes no operand from memory here, as on Arm."""
CACHES = 32 << 10, 256 << 10


def risc_v(name: str, more: tuple[str, ...], lanes: int, description: str) -> Target:
    """Return a target that needs RV64GC and the extensions `more`."""
    features = (*GENERAL, *more)
    machine = Machine(name, lanes, REGISTERS, True, *CACHES, converts_halves=False)
    switches = tuple(f"+{feature}" for feature in features)
    return Target(
        name, TRIPLE, "generic-rv64", features, machine, description, LLVM, switches
    )


PROCESSORS = (
    risc_v(
        "riscv64-linux", (), 1, "64-bit RISC-V under Linux (RV64GC): one number at a time"
    ),
    risc_v(
        "riscv64-linux-v",
        ("v",),
        4,
        "64-bit RISC-V with vector registers (V 1.0) of 128 bits or more",
    ),
)
