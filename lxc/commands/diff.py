"""lxc diff: what differs between two artifacts. No code in them is mapped."""

from pathlib import Path

import click

from lxc.commands.group import verb
from lxc.commands.screen import print_json
from lxc.comparison.artifacts import Comparison, compare
from lxc.comparison.blame import reading
from lxc.comparison.change import ADDED, CHANGED, REMOVED, Change
from lxc.errors import printable
from lxc.runtime.artifact import Artifact, read

DIFFERENT = 1
MARKS = {ADDED: "+", REMOVED: "-", CHANGED: "~"}
MOST_SHOWN, LONGEST = 20, 300
PATH = click.Path(path_type=Path)


@verb("lxc diff before.lxc after.lxc")
@click.argument("before", type=PATH)
@click.argument("after", type=PATH)
@click.option("--all", "is_long", is_flag=True, help="Show every change of every group.")
@click.pass_context
def command(
    context: click.Context, before: Path, after: Path, is_long: bool, as_json: bool
) -> None:
    """Say what changed from the artifact BEFORE to the artifact AFTER, group by group.

    The files are only parsed, so this is safe for files from anywhere. Exit status 0 if
    they are equal, 1 if they differ.
    """
    found = compare(opened(before), opened(after))
    if as_json:
        print_json({"before": str(before), "after": str(after), **found.to_json()})
    elif found.equal:
        click.echo(printable(f"{before} and {after} are equal, byte for byte"))
    else:
        show(found, None if is_long else MOST_SHOWN)
    if not found.equal:
        context.exit(DIFFERENT)


def opened(path: Path) -> Artifact:
    """Return the artifact in a file; an error says in which."""
    with reading(str(path)):
        return read(path)


def show(found: Comparison, most: int | None) -> None:
    """Print the changes of every group, and which groups are equal."""
    for name, group in found.groups.items():
        if group:
            click.echo(f"{name}:")
        for change in group[:most]:
            click.echo(f"  {line_of(change)}")
        if most is not None and len(group) > most:
            click.echo(f"  and {len(group) - most} more, which --all shows")
    equal = [name for name, group in found.groups.items() if not group]
    if equal:
        click.echo(f"equal: {', '.join(equal)}")


def line_of(change: Change) -> str:
    """Return one change in one line: `~ precision: float32 -> int8`."""
    sides = [shortened(text) for text in (change.before, change.after) if text]
    told = f": {' -> '.join(sides)}" if sides else ""
    return f"{MARKS[change.kind]} {shortened(change.where)}{told}"


def shortened(text: str) -> str:
    """Return text from a file in one line that is not too long and harmless."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."
