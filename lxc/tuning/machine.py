"""The machine that measures: what is said of it, and which targets it can run."""

from collections.abc import Iterable

from lxc import __version__
from lxc.errors import LxcError
from lxc.runtime.features import first_processor, this_machine
from lxc.targets.target import Target

THREADS = 1
"""Kernels are measured on one thread: what is best for one is best for each of several."""


def measured_on() -> dict[str, str]:
    """Return what a file of records says of the machine; nothing follows from it."""
    return {"lxc": __version__, "processor": processor(), "threads": str(THREADS)}


def processor() -> str:
    """Return the name of the processor, as the kernel tells it."""
    for line in first_processor().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.isprintable():
            return value.strip()
    return this_machine().architecture


def check_runs_here(targets: Iterable[Target]) -> None:
    """Refuse to measure code that this machine cannot run."""
    for target in targets:
        lacking = ", ".join(target.back_end.lacks_to_run(target))
        if lacking:
            raise LxcError(
                "LXC-E0308",
                f"kernels for {target.name} cannot be measured on this machine",
                actual=f"it lacks {lacking}",
                hint="tune on a machine that runs them, or for --target native",
            )
