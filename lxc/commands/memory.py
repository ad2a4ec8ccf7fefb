"""lxc memory: what the memory of a call is taken for."""

from math import prod
from pathlib import Path
from typing import Any

import click

from lxc.commands.group import verb, verbosity
from lxc.commands.screen import bytes_text, print_facts, print_json, print_table, progress
from lxc.commands.tuning import records_option
from lxc.compilation import tensor_level
from lxc.drawing.layout import shortened
from lxc.errors import LxcError, printable
from lxc.memory.arena import ArenaUse, arena_use, largest
from lxc.memory.chart import chart_of
from lxc.record_file import given_records
from lxc.runtime.artifact import Artifact, read
from lxc.runtime.files import write_atomically
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Leaf
from lxc.stored_model import stored_choices, stored_graph
from lxc.targets import targets_named
from lxc.targets.compile import lowered_program, target_program

PATH = click.Path(path_type=Path)

LONGEST_OPS = 60
"""The most characters of a kernel's ops in the table."""


@verb("lxc memory digits.lxc -o arena.svg")
@click.argument("artifact", type=PATH)
@click.option("-o", "--output", type=PATH, help="Chart of the arena over time: m.svg.")
@click.option("--target", help="The target to look at; the best by default.")
@click.option(
    "--most",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="How many values to list.",
)
@records_option
def command(
    artifact: Path,
    output: Path | None,
    target: str | None,
    most: int,
    records: Path | None,
    as_json: bool,
) -> None:
    """Show how much memory the model in ARTIFACT needs, and what a call takes it for.

    Sizes are those with every dimension at its upper bound. The passes for the target run
    again on the IR in ARTIFACT; no code in it is mapped.
    """
    if output is not None and output.suffix != ".svg":
        raise LxcError("LXC-E0001", f"{output} is no kind of chart", expected=".svg")
    opened = read(artifact)
    record = chosen_record(opened, target)
    with progress(verbosity()) as say:
        say("running passes")
        use = use_in(opened, record, records)
    if output is not None:
        save(output, chart_of(use, f"{artifact.name}, arena of a call on {record.name}"))
    if as_json:
        print_json(described(opened, record, use))
        return
    show(opened, record, use, most)


def chosen_record(artifact: Artifact, target: str | None) -> TargetRecord:
    """Return what an artifact says of a target, or of its best one."""
    found = [one for one in artifact.targets if target in (None, one.name)]
    if not found:
        names = ", ".join(one.name for one in artifact.targets)
        raise LxcError("LXC-E0410", f"the artifact has no target {target}", expected=names)
    return found[-1]


def use_in(artifact: Artifact, record: TargetRecord, records: Path | None) -> ArenaUse:
    """Return what the code for a target takes its arena for."""
    choices = stored_choices(artifact, given_records(records))
    graph, target = tensor_level(stored_graph(artifact)), targets_named(record.name)[-1]
    _, program = target_program(graph, target, choices)
    use = arena_use(program.run)
    if use.bytes != record.arena_bytes:
        # Only what the kernels are made of says what they take beside the values.
        lowered = lowered_program(program, target, artifact.signature.name, choices)
        use = use.of_code(lowered.arena_bytes)
    if use.bytes != record.arena_bytes:
        raise LxcError(
            "LXC-E0410",
            f"the code for {record.name} is of another version of lxc",
            expected=f"an arena of {record.arena_bytes:,} bytes",
            actual=f"an arena of {use.bytes:,} bytes",
            hint="lxc upgrade compiles the artifact again",
        )
    return use


def parts(artifact: Artifact, record: TargetRecord) -> dict[str, int]:
    """Return the bytes of everything that a model needs in a call."""
    signature = artifact.signature
    bounds = {dim.name: dim.high for dim in signature.dims}

    def size(*leaves: Leaf) -> int:
        return sum(prod(leaf.shape_at(bounds)) * leaf.item_bytes for leaf in leaves)

    return {
        "parameters": size(*signature.params.leaves, *signature.data),
        "prepared": record.prepared_bytes,
        "arena": record.arena_bytes,
        "state": size(*signature.state.leaves),
        "inputs": size(*signature.inputs.leaves),
        "outputs": size(*signature.outputs.leaves),
        "code": artifact.length(record.library),
    }


def described(artifact: Artifact, record: TargetRecord, use: ArenaUse) -> dict[str, Any]:
    """Return all of it as JSON values."""
    return {
        "target": record.name,
        "bytes": parts(artifact, record),
        "behind_values": use.behind,
        "fullest_step": use.fullest,
        "steps": [
            {"ops": ops, "bytes": use.taken_at(step)} for step, ops in enumerate(use.steps)
        ],
        "values": [one.to_json() for one in use.tenants],
    }


def show(artifact: Artifact, record: TargetRecord, use: ArenaUse, most: int) -> None:
    """Print sizes, then the largest values in the arena."""
    sizes = parts(artifact, record)
    print_facts([("target", record.name), *((n, bytes_text(s)) for n, s in sizes.items())])
    if use.behind:
        behind = bytes_text(use.behind)
        click.echo(f"behind the values: {behind} of the arena, for kernels and copies")
    if not use.steps:
        return
    full = use.fullest
    taken = bytes_text(use.taken_at(full))
    click.echo(
        printable(f"most in step {full}: {taken} of the arena, in {use.steps[full]}")
    )
    rows = [
        (
            bytes_text(one.bytes),
            one.type,
            f"{one.first}..{one.last}",
            printable(shortened(one.made_by, LONGEST_OPS)),
            printable(", ".join(one.layers)),
        )
        for one in largest(use, most)
    ]
    print_table(
        "largest values in the arena", ("bytes", "type", "steps", "by", "layers"), rows
    )


def save(path: Path, contents: str) -> None:
    """Write a file."""
    try:
        write_atomically(path, [contents.encode()])
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {path}: {error.strerror}") from None
