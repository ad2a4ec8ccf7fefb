"""What this machine can run: architecture, CPU features, C library.

Features have the names that LLVM gives them. They are read from `/proc/cpuinfo`, where the
kernel lists only what it lets programs use.
"""

import ctypes
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxc.errors import LxcError, one_of
from lxc.runtime.cards.machine import NO_CARDS, Cards, needs_of
from lxc.runtime.manifest import TargetRecord

CPU_INFO = Path("/proc/cpuinfo")

# Kernel names that differ from LLVM's by more than underscores.
RENAMED = {
    "pni": ("sse3",),
    "sse4_1": ("sse4.1",),
    "sse4_2": ("sse4.2", "crc32"),
    "lahf_lm": ("sahf",),
    "abm": ("lzcnt",),
    "bmi1": ("bmi",),
    "pclmulqdq": ("pclmul",),
    "rdrand": ("rdrnd",),
    "sha_ni": ("sha",),
    "3dnowprefetch": ("prfchw",),
    "amx_tile": ("amx-tile",),
    "amx_int8": ("amx-int8",),
    "amx_bf16": ("amx-bf16",),
    "amx_fp16": ("amx-fp16",),
    "fp": ("fp-armv8",),
    "asimd": ("neon",),
    "asimdhp": ("fullfp16",),
    "asimddp": ("dotprod",),
    "asimdrdm": ("rdm",),
    "asimdfhm": ("fp16fml",),
    "atomics": ("lse",),
    "lrcpc": ("rcpc",),
    "jscvt": ("jsconv",),
    "fcma": ("complxnum",),
    "uscat": ("lse2",),
    "ilrcpc": ("rcpc-immo",),
}

TILES = frozenset({"amx-tile", "amx-bf16", "amx-int8", "amx-fp16"})
# Linux on x86-64: the number of the call, what it is asked, and the bit in its answer.
ARCH_PRCTL, ARCH_GET_XCOMP_SUPP, TILE_DATA = 158, 0x1021, 18


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that may run compiled code; `glibc` is empty under another C library.

    `cards` are those that it was asked for.
    """

    architecture: str
    features: frozenset[str]
    glibc: str
    cards: Cards = NO_CARDS


def this_machine() -> Machine:
    """Return the machine that this process runs on."""
    features = features_of(first_processor())
    if features & TILES and not has_tiles():
        features -= TILES
    return Machine(platform.machine(), features, glibc_version())


def has_tiles() -> bool:
    """Return whether the kernel gives programs the registers that hold tiles.

    It does so for those that ask for them, which compiled code does before its first call.
    """
    supported = ctypes.c_uint64()
    ask = ctypes.pythonapi.syscall
    refused = ask(ARCH_PRCTL, ARCH_GET_XCOMP_SUPP, ctypes.byref(supported))
    return refused == 0 and bool(supported.value >> TILE_DATA & 1)


def first_processor() -> str:
    """Return what the kernel says of the first processor."""
    lines: list[str] = []
    try:
        with CPU_INFO.open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if not line.strip() and lines:
                    break
                lines.append(line)
    except OSError:
        return ""
    return "".join(lines)


def features_of(processor: str) -> frozenset[str]:
    """Return LLVM's names of the features that the kernel lists for a processor."""
    found: set[str] = set()
    for line in processor.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "isa":
            found |= extensions_of(value.strip())
        if key.strip() not in ("flags", "Features"):
            continue
        for flag in value.split():
            found.update((flag, flag.replace("_", ""), *RENAMED.get(flag, ())))
    return frozenset(found)


def extensions_of(isa: str) -> frozenset[str]:
    """Return the extensions of a RISC-V processor: `rv64ic_zba` has i, c and zba."""
    base, *named = isa.partition(" ")[0].lower().split("_")
    letters = base.removeprefix("rv64").removeprefix("rv32").replace("g", "imafd")
    return frozenset((*letters, *named))


def glibc_version() -> str:
    """Return the version of glibc, such as `2.36`."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return ""
    return version if name == "glibc" else ""


def choose(targets: Sequence[TargetRecord], machine: Machine | None = None) -> TargetRecord:
    """Return the last target that `machine` can run; targets ascend in preference."""
    here = machine or this_machine()
    for target in reversed(targets):
        if fits(target, here):
            return target
    has_cards = any(target.images for target in targets)
    cards = f"; {here.cards}" if has_cards else ""
    raise LxcError(
        "LXC-E0405",
        "the artifact holds no code that this machine can run",
        expected=one_of([describe(target, here) for target in targets])
        or "at least one target",
        actual=f"{here.architecture} with {len(here.features)} CPU features{cards}",
        hint="compile the model again for this machine (`--target native` here, or an "
        "older level such as `--target x86-64-v2`), or upgrade it with `lxc upgrade`",
    )


def choice(targets: Sequence[TargetRecord], machine: Machine, taken: str) -> str:
    """Say which of some targets was taken, and why a machine takes no later one."""
    names = [target.name for target in targets]
    later = targets[names.index(taken) + 1 :]
    passed = [describe(target, machine) for target in later if needs(target, machine)]
    return f"{taken}; not {one_of(passed)}" if passed else taken


def fits(target: TargetRecord, machine: Machine) -> bool:
    """Tell whether a machine can run the code for a target."""
    return not needs(target, machine)


def needs(target: TargetRecord, machine: Machine) -> str:
    """Say what the code for a target needs and a machine lacks; nothing if it fits."""
    architecture = target.triple.partition("-")[0]
    if architecture != machine.architecture:
        return f"needs {architecture}"
    lacks = missing(target, machine)
    if lacks:
        return f"needs {', '.join(lacks)}"
    if target.images and machine.cards.first_for(target) < 0:
        return needs_of(target)
    return ""


def missing(target: TargetRecord, machine: Machine) -> list[str]:
    """Return the features that `target` needs and `machine` lacks."""
    return [feature for feature in target.features if feature not in machine.features]


def describe(target: TargetRecord, machine: Machine) -> str:
    """Say why `target` does not fit `machine`."""
    return f"{target.name} ({needs(target, machine)})"


def check_glibc(target: TargetRecord, machine: Machine) -> None:
    """Refuse code that was linked with a newer C library than there is here."""
    if not target.glibc:
        return
    if not machine.glibc or as_numbers(machine.glibc) < as_numbers(target.glibc):
        raise LxcError(
            "LXC-E0406",
            "the C library of this machine is older than the compiled code needs",
            expected=f"glibc {target.glibc} or newer",
            actual=f"glibc {machine.glibc}" if machine.glibc else "another C library",
            hint="compile the model on a system as old as this one",
        )


def as_numbers(version: str) -> tuple[int, ...]:
    """Return a dotted version as numbers that compare."""
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
