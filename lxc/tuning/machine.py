"""The machine that measures: what is said of it, and which targets it can run."""

from collections.abc import Iterable

from lxc import __version__
from lxc.benchmarking.machine import processor_name
from lxc.errors import LxcError
from lxc.targets.target import Target

THREADS = 1
"""Kernels are measured on one thread: what is best for one is best for each of several."""


def measured_on() -> dict[str, str]:
    """Return what a file of records says of the machine; nothing follows from it."""
    return {"lxc": __version__, "processor": processor_name(), "threads": str(THREADS)}


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
