"""lxc profile: where the time of a call goes, kernel by kernel or layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lxc.benchmarking.machine import usable_threads
from lxc.commands.given_values import ValueOptions, value_options, values_for
from lxc.commands.group import verb, verbosity
from lxc.commands.profile_tables import show
from lxc.commands.run import noted_threads
from lxc.commands.screen import print_json, progress
from lxc.commands.tuning import records_option
from lxc.errors import LxcError
from lxc.profiling.chrome import chrome_trace
from lxc.profiling.described import described
from lxc.profiling.profiler import Wish, profiled
from lxc.record_file import given_records
from lxc.runtime.artifact import Artifact, read
from lxc.runtime.features import check_glibc, choose, this_machine
from lxc.runtime.files import write_atomically
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.model import named

PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class Wanted(ValueOptions):
    """What the command line asks for, beside how it is shown."""

    artifact: Path
    records: Path | None
    threads: int | None
    target: str | None
    seconds: float


@verb("lxc profile digits.lxc --dim N=16 --threads 1 --chrome trace.json")
@click.argument("artifact", type=PATH)
@value_options
@click.option("--threads", type=click.IntRange(1, 65535), help="Threads of a call.")
@click.option("--target", help="The code to profile; the best that fits by default.")
@records_option
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3600),
    default=2.0,
    show_default=True,
    help="How long to call the model.",
)
@click.option(
    "--by",
    type=click.Choice(["kernel", "layer"]),
    default="kernel",
    show_default=True,
    help="What a row stands for.",
)
@click.option(
    "--levels",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Levels of the paths of layers.",
)
@click.option("--chrome", type=PATH, help="File for chrome://tracing and Perfetto.")
def command(
    by: str, levels: int, chrome: Path | None, as_json: bool, **options: Any
) -> None:
    """Measure how long every kernel of the model in ARTIFACT takes on this machine.

    The IR in ARTIFACT is compiled once more, with time stamps between the kernels. Calls of
    the code in ARTIFACT itself are measured beside it, and results are compared. Inputs
    that are not given are drawn, and so are parameters and state that neither a file nor
    the artifact has.
    """
    wanted = Wanted(**options)
    if chrome is not None and not chrome.absolute().parent.is_dir():
        raise LxcError("LXC-E0002", f"cannot write {chrome}: there is no such folder")
    opened = read(wanted.artifact)
    opened.verify()
    chosen = processor_code(opened, wanted.target)
    given = values_for(opened, wanted.inputs, wanted.dims, wanted.files, usual=1)
    threads = wanted.threads or noted_threads(wanted.artifact) or usable_threads()
    wish = Wish(chosen, threads, wanted.seconds, given_records(wanted.records))
    with progress(verbosity()) as say:
        found = profiled(opened, given, wish, say)
    if chrome is not None:
        save(chrome, chrome_trace(found))
    if as_json:
        print_json(described(found, levels))
    else:
        show(found, given.origins, levels if by == "layer" else 0)


def processor_code(artifact: Artifact, wanted: str | None) -> TargetRecord:
    """Return the code for a processor that fits this machine best, or that for `wanted`."""
    targets: Sequence[TargetRecord] = named(artifact, wanted)
    processors = [target for target in targets if not target.images]
    if not processors:
        raise LxcError(
            "LXC-E0410",
            "only kernels that run on processors can be profiled",
            actual=", ".join(f"{target.name} is for cards" for target in targets),
            hint="compile for a processor too: `--target x86-64-v3,cuda`",
        )
    machine = this_machine()
    chosen = choose(processors, machine)
    check_glibc(chosen, machine)
    return chosen


def save(path: Path, contents: bytes) -> None:
    """Write a file."""
    try:
        write_atomically(path, [contents])
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {path}: {error.strerror}") from None
