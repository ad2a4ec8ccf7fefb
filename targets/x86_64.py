"""The levels of the x86-64 psABI, and the processor that lxc runs on."""

from lxc.errors import LxcError
from lxc.ir.machine import Machine
from lxc.runtime.features import this_machine
from lxc.targets.llvm.compiled import LLVM
from lxc.targets.target import Target
from lxc.targets.tvm_build import Processor, host_cpu, known_features

TRIPLE = "x86_64-unknown-linux-gnu"
V2 = ("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3")
V3 = (*V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave")
TILES = ("amx-bf16", "amx-tile")
V4 = (*V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")
INSTRUCTIONS = (
    "avx",
    "amx",
    "sse",
    "ssse",
    "bmi",
    "fma",
    "f16c",
    "gfni",
    "vaes",
    "vpclmul",
)
"""How the features that may shape code are named."""


def level(name: str, features: tuple[str, ...], lanes: int, description: str) -> Target:
    """Return one of the levels of the x86-64 psABI."""
    machine = machine_of(name, frozenset(features), lanes)
    needed = tuple(sorted(features))
    return Target(name, TRIPLE, name, needed, machine, description, LLVM)


def machine_of(name: str, features: frozenset[str], lanes: int) -> Machine:
    """Return what shapes the code for an x86-64 processor with these features."""
    wide = "avx512vl" in features
    registers, second_cache = (32, 1 << 20) if wide else (16, 256 << 10)
    return Machine(
        name,
        lanes,
        registers,
        "fma" in features,
        32 << 10,
        second_cache,
        has_bf16_dot="avx512bf16" in features,
        has_bf16_tiles=features.issuperset(TILES),
        has_look_up=wide,
        converts_halves="f16c" in features,
    )


def extended(name: str, more: tuple[str, ...], description: str) -> Target:
    """Return the last level of the psABI with some more features."""
    features = tuple(sorted({*V4, *more}))
    machine = machine_of(name, frozenset(features), 16)
    switches = tuple(f"+{feature}" for feature in more)
    return Target(name, TRIPLE, "x86-64-v4", features, machine, description, LLVM, switches)


LEVELS = (
    level("x86-64-v2", V2, 4, "x86-64 with SSE4.2: any processor since about 2009"),
    level("x86-64-v3", V3, 8, "x86-64 with AVX2 and FMA: most processors since 2013"),
    level("x86-64-v4", V4, 16, "x86-64 with AVX-512: servers since 2017, AMD since 2022"),
)


HALF_DOT = ("avx512bf16",)
EXTENDED = (
    extended("x86-64-v4-bf16", HALF_DOT, "with bfloat16 dot products: AMD since 2022"),
    extended(
        "x86-64-v4-amx", (*TILES, *HALF_DOT), "with bfloat16 tiles: Intel, since 2023"
    ),
)
"""Of use for `--precision bf16`; other models run as fast on the level."""


def native() -> Target:
    """Return the processor that this runs on, with the features that programs may use."""
    here = this_machine()
    if here.architecture != "x86_64":
        raise LxcError(
            "LXC-E0305",
            "the target native is for x86-64 machines so far",
            actual=here.architecture,
            hint="name a target: lxc targets lists them",
        )
    fitting = [one for one in LEVELS if here.features.issuperset(one.features)]
    if not fitting:
        raise LxcError(
            "LXC-E0305",
            "this processor is older than the oldest target",
            expected="x86-64-v2",
        )
    floor = fitting[-1]
    cpu = host_cpu()
    # A virtual machine may hide features of the processor that it names.
    has = known_features(Processor(TRIPLE, cpu))
    extra = has & {name for name in here.features if name.startswith(INSTRUCTIONS)}
    # LLVM may not know the processor, and name an older one that looks like it.
    more = sorted({*TILES, *HALF_DOT} & here.features) if floor is LEVELS[-1] else []
    features = tuple(sorted({*floor.features, *extra, *more}))
    hidden = sorted(name for name in has - here.features if name.startswith(INSTRUCTIONS))
    machine = machine_of("native", frozenset(features), floor.machine.lanes)
    switches = (*(f"+{name}" for name in more), *(f"-{name}" for name in hidden))
    description = f"the processor of this machine, {cpu}"
    return Target("native", TRIPLE, cpu, features, machine, description, LLVM, switches)
