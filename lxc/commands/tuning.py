"""The options of records: --records reads them, --tune measures what they lack."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from lxc.commands.group import verbosity
from lxc.commands.screen import Say
from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.passes import Choices
from lxc.passes.records import Records
from lxc.passes.records_text import digest_of
from lxc.record_file import given_records, records_so_far, write_records
from lxc.targets import Target
from lxc.tuning.bench import MachineBench
from lxc.tuning.tune import tuned
from lxc.tuning.tuner import Progress, Surroundings

FILE = click.Path(path_type=Path)


def records_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--records`."""
    words = "File with records of --tune."
    return click.option("--records", type=FILE, metavar="FILE", help=words)(function)


def tune_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--tune` and `--tune-seconds`."""
    for option in (
        click.option(
            "--tune-seconds", type=click.IntRange(1), help="Measure no longer than this."
        ),
        click.option(
            "--tune",
            type=FILE,
            metavar="FILE",
            help="Measure what FILE has no record of, and read it as --records does.",
        ),
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class Tuning:
    """What the command line says of records, and how many were measured."""

    records: Path | None
    tune: Path | None
    seconds: int | None

    @property
    def known(self) -> Records:
        """The records that there are before anything is measured."""
        if self.tune is None and self.seconds is not None:
            raise LxcError(
                "LXC-E0001",
                "--tune-seconds limits --tune, which is not given",
                hint="--tune records.json",
            )
        if self.tune is None:
            return given_records(self.records)
        if self.records is not None:
            raise LxcError(
                "LXC-E0001",
                "--tune and --records name a file of records each, and one is enough",
                hint="--tune reads its file too",
            )
        return records_so_far(self.tune)

    def measured(
        self, graph: Graph, targets: tuple[Target, ...], choices: Choices, say: Say
    ) -> Choices:
        """Return the choices with records of what was measured, if that is asked for."""
        if self.tune is None:
            return choices
        around = Surroundings(
            MachineBench(),
            keep=partial(write_records, self.tune),
            begin=begin,
            note=lambda progress: say(told(progress)),
            seconds=self.seconds,
        )
        session = tuned(graph, targets, choices, around)
        if session.left:
            announce(f"{session.left} kernels are left: there was no time for them")
        return replace(choices, records=session.records)

    def origins(self, records: Records) -> dict[str, str]:
        """Return the file of records and its digest, if there is one."""
        path = self.tune or self.records
        if path is None:
            return {}
        return {"records": str(path), "records SHA-256": digest_of(records)}


def begin(kernels: int, seconds: float) -> None:
    """Say what is going to be measured."""
    announce(f"measuring {kernels} kernels takes about {span(seconds)}")


def announce(line: str) -> None:
    """Print a line that stays, where somebody reads along."""
    if verbosity() or sys.stderr.isatty():
        click.echo(line, err=True)


def told(progress: Progress) -> str:
    """Return how far measuring has come, in words."""
    return (
        f"kernel {progress.kernel} of {progress.kernels}, "
        f"way {progress.option} of {progress.options}, "
        f"about {span(progress.seconds_left)} left"
    )


def span(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes"
