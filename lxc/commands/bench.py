"""lxc bench: how long calls take, and whether another model or runtime is faster."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lxc.benchmarking.agreement import apart
from lxc.benchmarking.contestant import Contestant
from lxc.benchmarking.machine import facts, usable_threads
from lxc.benchmarking.match import play
from lxc.benchmarking.model_calls import KINDS, Manner, model_contestant
from lxc.benchmarking.order_statistics import FEWEST
from lxc.benchmarking.race import Race
from lxc.benchmarking.rivals import RIVALS, rival
from lxc.commands.given_values import ValueOptions, value_options, values_for, values_like
from lxc.commands.group import verb, verbosity
from lxc.commands.screen import Say, print_json, progress
from lxc.commands.times import show_race
from lxc.errors import LxcError
from lxc.runtime.artifact import read
from lxc.verification.given import Given

IS_ABOVE = 1
ROUNDS = 50
PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class Wanted(ValueOptions):
    """What the command line asks for."""

    artifact: Path
    threads: int | None
    target: str | None
    kind: str
    rounds: int
    compare: Path | None
    vs: str | None
    onnx: Path | None
    fail_above: float | None

    @property
    def manner(self) -> Manner:
        """How models are called."""
        return Manner(self.kind, self.target, self.threads or usable_threads())


@verb("lxc bench digits.lxc --dim N=1 --threads 1 --compare before.lxc")
@click.argument("artifact", type=PATH)
@value_options
@click.option("--threads", type=click.IntRange(1, 65535), help="Threads of a call.")
@click.option("--target", help="The code to run; the best that fits by default.")
@click.option(
    "--call",
    "kind",
    type=click.Choice([*KINDS]),
    default="placed",
    show_default=True,
    help="On trees, with params bound, or on fixed arrays.",
)
@click.option(
    "--rounds",
    type=click.IntRange(FEWEST),
    default=ROUNDS,
    show_default=True,
    help="So many at most; long calls have fewer.",
)
@click.option("--compare", type=PATH, help="Another artifact, measured in the same rounds.")
@click.option("--vs", type=click.Choice([*RIVALS]), help="Another runtime; needs --onnx.")
@click.option("--onnx", type=PATH, help="The model for --vs.")
@click.option(
    "--fail-above",
    type=click.FloatRange(0, min_open=True),
    help="Exit status 1 if ARTIFACT takes more than 1.05 times as long as the other.",
)
@click.pass_context
def command(context: click.Context, /, as_json: bool, **options: Any) -> None:
    """Measure how long calls of the model in ARTIFACT take on this machine.

    With --compare or --vs another has its turns in the same rounds, on the same inputs; the
    ratio says how many times as long as that one ARTIFACT takes. Inputs that are not given
    are drawn, and so are parameters and state that neither a file nor the artifact has.
    """
    wanted = Wanted(**options)
    check(wanted)
    with progress(verbosity()) as say:
        found = race(wanted, say)
    if as_json:
        print_json(found.to_json())
    else:
        show_race(found)
    if found.is_above(wanted.fail_above):
        context.exit(IS_ABOVE)


def check(wanted: Wanted) -> None:
    """Refuse options that need another one."""
    if (wanted.vs is None) != (wanted.onnx is None):
        raise LxcError(
            "LXC-E0001",
            "--vs needs the model in ONNX's format, and --onnx needs --vs",
            expected="--vs onnxruntime --onnx model.onnx",
        )
    if wanted.fail_above is not None and wanted.compare is None and wanted.vs is None:
        raise LxcError(
            "LXC-E0001",
            "--fail-above needs another model to compare with",
            hint="give --compare OTHER.lxc, or --vs",
        )


def race(wanted: Wanted, say: Say) -> Race:
    """Return the times of all that are wanted."""
    machine = facts()
    opened = read(wanted.artifact)
    given = values_for(opened, wanted.inputs, wanted.dims, wanted.files, usual=1)
    say(f"preparing {wanted.artifact}")
    own, *others = contestants(wanted, given)
    distances = {other.name: apart(own, other) for other in others}

    def note(number: int, rounds: int) -> None:
        say(f"round {number} of {rounds}")

    measured = play([own, *others], wanted.rounds, note)
    return Race(given, (own, *others), measured, distances, machine, wanted.manner.threads)


def contestants(wanted: Wanted, given: Given) -> list[Contestant]:
    """Return the call that is wanted, and those that it is compared with."""
    path, other, manner = wanted.artifact, wanted.compare, wanted.manner
    found = [model_contestant(str(path), path, given, manner)]
    if other is not None:
        found.append(compared(other, given, wanted))
    if wanted.vs is not None and wanted.onnx is not None:
        found.append(rival(wanted.vs, wanted.onnx, given.inputs, manner.threads))
    return found


def compared(other: Path, given: Given, wanted: Wanted) -> Contestant:
    """Return the call of another artifact on the same inputs."""
    name = f"{other} again" if other == wanted.artifact else str(other)
    try:
        values = values_like(read(other), given, wanted.files)
        return model_contestant(name, other, values, wanted.manner)
    except LxcError as problem:
        if problem.code.startswith("LXC-E05"):
            problem.hint = f"{other} gets the inputs of {wanted.artifact}"
        raise
