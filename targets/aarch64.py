"""64-bit Arm processors under Linux."""

from lxc.ir.machine import Machine
from lxc.targets.llvm.compiled import LLVM
from lxc.targets.target import Target

TRIPLE = "aarch64-unknown-linux-gnu"
NEON = ("fp-armv8", "neon")
REGISTERS = 28
"""There are 32. Arithmetic takes no operand from memory here, so some hold elements of the
other factor of a product, which LLVM loads in pairs.
"""


def arm(
    name: str,
    cpu: str,
    features: tuple[str, ...],
    caches: tuple[int, int],
    description: str,
) -> Target:
    """Return a target with vector registers of four float32.

    `features` are those of `cpu` beyond NEON; `caches` are the bytes of its first and
    second cache.
    """
    machine = Machine(name, 4, REGISTERS, True, *caches)
    needed = tuple(sorted({*NEON, *features}))
    return Target(name, TRIPLE, cpu, needed, machine, description, LLVM)


V8_1 = ("crc", "lse", "rdm")
V8_2 = (*V8_1, "dotprod", "fullfp16", "rcpc")
V8_4 = (*V8_2, "complxnum", "flagm", "fp16fml", "jsconv", "lse2", "rcpc-immo")
WIDER = ("bf16", "i8mm", "sve")
"""Further vectors, whose registers are those of NEON or longer: kernels are written for
NEON, and LLVM takes single instructions of these where NEON has none.
"""
PROCESSORS = (
    arm(
        "aarch64-linux",
        "generic",
        (),
        (32 << 10, 256 << 10),
        "64-bit Arm under Linux: any processor since about 2013",
    ),
    arm(
        "cortex-a72",
        "cortex-a72",
        ("crc",),
        (32 << 10, 512 << 10),
        "64-bit Arm like Cortex-A72: single-board computers, Graviton",
    ),
    arm(
        "cortex-a76",
        "cortex-a76",
        V8_2,
        (64 << 10, 512 << 10),
        "64-bit Arm like Cortex-A76: single-board computers since 2022",
    ),
    arm(
        "neoverse-n1",
        "neoverse-n1",
        V8_2,
        (64 << 10, 1 << 20),
        "64-bit Arm like Neoverse N1: servers since 2019",
    ),
    arm(
        "apple-m1",
        "apple-m1",
        V8_4,
        (128 << 10, 3 << 20),
        "64-bit Arm like Apple M1, under Linux",
    ),
    arm(
        "neoverse-v1",
        "neoverse-v1",
        (*V8_4, *WIDER),
        (64 << 10, 1 << 20),
        "64-bit Arm like Neoverse V1: servers since 2022",
    ),
    arm(
        "neoverse-v2",
        "neoverse-v2",
        (*V8_4, *WIDER, "sve2"),
        (64 << 10, 2 << 20),
        "64-bit Arm like Neoverse V2: servers since 2023",
    ),
)
