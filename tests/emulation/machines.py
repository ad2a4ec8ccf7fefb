"""Which targets tests compile for, and how code for other machines runs.

The targets are the x86-64 levels, or those of the option `--target`. Code for a processor
of another kind runs in an emulator, through the whole runtime. Code for cards is compiled
for this processor, unless the option `--card` says that there is one.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest.mock import patch

import lxc.runtime.model
from lxc.runtime.artifact import Artifact
from lxc.runtime.features import Machine, check_glibc, choose, this_machine
from lxc.runtime.library import Library, map_library
from lxc.runtime.manifest import TargetRecord
from lxc.targets import TARGETS, Target
from lxc.targets.cuda.compiled import Cards
from lxc.targets.x86_64 import LEVELS
from tests.cards.emulated import emulation
from tests.emulation.library import EmulatedLibrary, emulator

DEFAULT = tuple(target.name for target in LEVELS)
chosen: list[str] = list(DEFAULT)
"""The names of the targets; `choose_targets` sets them before tests are collected."""
real: set[str] = set()
"""The kinds of machine that are there although most machines for tests lack them."""


def choose_targets(names: Sequence[str], *, has_card: bool = False) -> None:
    """Let tests use these targets, where there are any, instead of the usual ones.

    Code for cards runs on the card of this machine if it `has_card`.
    """
    if names:
        chosen[:] = names
    if has_card:
        real.add("card")
    if not has_card and any(is_for_cards(target) for target in tested()):
        emulation().__enter__()
    install()


def is_for_cards(target: Target) -> bool:
    """Return whether the code for a target runs on cards."""
    return isinstance(target.back_end, Cards)


def cards() -> AbstractContextManager[None]:
    """Return what code for cards is compiled and opened in, so that it runs here."""
    return nullcontext() if "card" in real else emulation()


def tested() -> list[Target]:
    """Return the targets that tests compile for."""
    return [TARGETS[name] for name in chosen]


def lacking(target: Target) -> list[str]:
    """Return what this machine lacks to make code for a target, and to run it."""
    here = this_machine()
    if target.architecture == here.architecture:
        return sorted(set(target.features) - here.features)
    lacks = [*target.back_end.lacks_to_link(target)]
    if emulator(target.architecture) is None:
        lacks.append(f"qemu-{target.architecture} and the libraries of that architecture")
    return lacks


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
