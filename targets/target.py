"""The machines that lxc makes code for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxc.errors import LxcError, one_of
from lxc.ir.machine import Machine
from lxc.runtime.features import this_machine
from lxc.targets.tvm_build import Processor, host_cpu, known_features

TRIPLE = "x86_64-unknown-linux-gnu"
V2 = ("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3")
V3 = (*V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave")
V4 = (*V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")


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
    def processor(self) -> Processor:
        """What LLVM is told."""
        return Processor(self.triple, self.cpu, self.switches)


def level(name: str, features: tuple[str, ...], lanes: int, description: str) -> Target:
    """Return one of the levels of the x86-64 psABI."""
    machine = machine_of(name, frozenset(features), lanes)
    return Target(name, TRIPLE, name, tuple(sorted(features)), machine, description)


def machine_of(name: str, features: frozenset[str], lanes: int) -> Machine:
    """Return what shapes the code for an x86-64 processor with these features."""
    wide = "avx512vl" in features
    registers, second_cache = (32, 1 << 20) if wide else (16, 256 << 10)
    return Machine(name, lanes, registers, "fma" in features, 32 << 10, second_cache)


LEVELS = (
    level("x86-64-v2", V2, 4, "x86-64 with SSE4.2: any processor since about 2009"),
    level("x86-64-v3", V3, 8, "x86-64 with AVX2 and FMA: most processors since 2013"),
    level("x86-64-v4", V4, 16, "x86-64 with AVX-512: servers since 2017, AMD since 2022"),
)


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
    features = tuple(sorted({*floor.features, *extra}))
    hidden = sorted(name for name in has - here.features if name.startswith(INSTRUCTIONS))
    machine = machine_of("native", frozenset(features), floor.machine.lanes)
    switches = tuple(f"-{name}" for name in hidden)
    description = f"the processor of this machine, {cpu}"
    return Target("native", TRIPLE, cpu, features, machine, description, switches)


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
TARGETS = {target.name: target for target in LEVELS}
ALIASES = {"llvm": tuple(target.name for target in LEVELS)}


def targets_named(names: str | Sequence[str]) -> tuple[Target, ...]:
    """Return the targets of a name, an alias or several of them, the best one last."""
    listed = listed_names(names)
    found: dict[str, Target] = {}
    for name in listed:
        for one in ALIASES.get(name, (name,)):
            found[one] = target_named(one)
    order = [*TARGETS, "native"]
    return tuple(sorted(found.values(), key=lambda target: order.index(target.name)))


def listed_names(names: object) -> list[str]:
    """Return one name or several as a list, or raise if there is none."""
    several = [names] if isinstance(names, str) else names
    if isinstance(several, Iterable):
        found = list(several)
        if found and all(isinstance(name, str) for name in found):
            return found
    raise LxcError(
        "LXC-E0001",
        "no target is named",
        expected="the name of a target, or a list of names",
        actual=repr(names),
        hint=f"names are {one_of([*TARGETS, 'native', *ALIASES])}",
    )


def target_named(name: str) -> Target:
    """Return the target of a name."""
    if name == "native":
        return native()
    if name not in TARGETS:
        raise LxcError(
            "LXC-E0305",
            f"there is no target {name!r}",
            hint=f"it is {one_of([*TARGETS, 'native', *ALIASES])}",
        )
    return TARGETS[name]
