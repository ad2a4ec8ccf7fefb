"""C text that asks the processor for what compiled code needs."""

from lxc.targets.target import Target

ASKED_FOR = (
    *("sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "avx", "avx2", "fma", "bmi", "bmi2"),
    *("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512bf16"),
)
"""What `__builtin_cpu_supports` of all compilers knows.

Others come with these; for tiles the system is asked before the first call.
"""
ARM_BITS = {
    "fp-armv8": 0,
    "neon": 1,
    "crc": 7,
    "lse": 8,
    "fullfp16": 10,
    "rdm": 12,
    "jsconv": 13,
    "complxnum": 14,
    "rcpc": 15,
    "dotprod": 20,
    "sve": 22,
    "fp16fml": 23,
    "lse2": 25,
    "rcpc-immo": 26,
    "flagm": 27,
}
"""The bits of AT_HWCAP."""
LATER_ARM_BITS = {"sve2": 1, "i8mm": 13, "bf16": 14}
"""The bits of AT_HWCAP2."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""The extensions of RISC-V that have a letter are the bits of AT_HWCAP in their order."""


def lacking(target: Target) -> str:
    """Return the statements of a function that names what is not there, or gives NULL."""
    features = target.features
    if target.architecture == "x86_64":
        known = [name for name in ASKED_FOR if name in features]
        rows = [f'if (!__builtin_cpu_supports("{n}")) return "{n}";' for n in known]
        rows.insert(0, "__builtin_cpu_init();")
    else:
        asked = {name: bit for name in features if (bit := system_bit(target, name))}
        rows = [f'if (!({bit})) return "{name}";' for name, bit in asked.items()]
    return "".join(f"    {one}\n" for one in (*rows, "return NULL;"))


def system_bit(target: Target, name: str) -> str:
    """Return the C text that asks the system for a feature, or nothing if none does."""
    tables = {"AT_HWCAP": ARM_BITS, "AT_HWCAP2": LATER_ARM_BITS}
    if target.architecture == "riscv64":
        tables = {"AT_HWCAP": {letter: bit for bit, letter in enumerate(LETTERS)}}
    found = (
        f"getauxval({key}) >> {bits[name]} & 1"
        for key, bits in tables.items()
        if name in bits
    )
    return next(found, "")
