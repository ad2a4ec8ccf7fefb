"""Which targets tests compile for, and how code for other processors runs.

The targets are the x86-64 levels, or those of the option `--target`. Code for a processor
of another kind runs in an emulator, through the whole runtime.
"""

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import lxc.runtime.model
from lxc.runtime.artifact import Artifact
from lxc.runtime.features import Machine, check_glibc, choose, this_machine
from lxc.runtime.library import Library, map_library
from lxc.runtime.manifest import TargetRecord
from lxc.targets import TARGETS, Target
from lxc.targets.x86_64 import LEVELS
from tests.emulation.library import EmulatedLibrary, emulator

DEFAULT = tuple(target.name for target in LEVELS)
chosen: list[str] = list(DEFAULT)
"""The names of the targets; `choose_targets` sets them before tests are collected."""


def choose_targets(names: Sequence[str]) -> None:
    """Let tests use these targets, where there are any, instead of the usual ones."""
    if names:
        chosen[:] = names
    install()


def tested() -> list[Target]:
    """Return the targets that tests compile for."""
    return [TARGETS[name] for name in chosen]


def lacking(target: Target) -> list[str]:
    """Return what this machine lacks to run code for a target."""
    here = this_machine()
    if target.architecture == here.architecture:
        return sorted(set(target.features) - here.features)
    if emulator(target.architecture) is None:
        return [f"qemu-{target.architecture} and the libraries of that architecture"]
    return []


def install() -> None:
    """Let `load` take code for other processors where nothing else fits."""
    stand_ins: dict[str, Any] = {
        "choose": choose_any,
        "map_library": map_any,
        "check_glibc": check_any,
    }
    patch.multiple(lxc.runtime.model, **stand_ins).start()


def is_foreign(target: TargetRecord) -> bool:
    """Return whether code is for a processor of another kind that an emulator has."""
    architecture = target.triple.partition("-")[0]
    return architecture != this_machine().architecture and bool(emulator(architecture))


def choose_any(
    targets: Sequence[TargetRecord], machine: Machine | None = None
) -> TargetRecord:
    """Return the last target that runs here, in an emulator only if all others do too."""
    foreign = [target for target in targets if is_foreign(target)]
    return foreign[-1] if len(foreign) == len(targets) > 0 else choose(targets, machine)


def check_any(target: TargetRecord, machine: Machine) -> None:
    """Check the C library of this machine, if it is the one that is used."""
    if not is_foreign(target):
        check_glibc(target, machine)


def map_any(artifact: Artifact, target: TargetRecord) -> Library | EmulatedLibrary:
    """Return the library of an artifact, in this process or in another one."""
    foreign = is_foreign(target)
    return EmulatedLibrary(artifact, target) if foreign else map_library(artifact, target)
