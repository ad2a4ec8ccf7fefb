"""lxc cache: the folder with code that was compiled before."""

import math
import time
from pathlib import Path
from typing import Any

import click

from lxc.caching.folder import MOST_BYTES, Folder, usual_folder
from lxc.commands.group import verb
from lxc.commands.screen import bytes_text, print_facts, print_json
from lxc.errors import LxcError

DAY = 86_400.0


@verb("lxc cache prune --most-bytes 200000000 --unused-days 30")
@click.argument("action", type=click.Choice(("info", "prune", "clear")))
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Another folder than ~/.cache/lxc.",
)
@click.option("--most-bytes", type=click.IntRange(0), help="prune: leave no more.")
@click.option("--unused-days", type=click.FloatRange(0), help="prune: unused for so long.")
def command(
    action: str,
    cache: Path | None,
    most_bytes: int | None,
    unused_days: float | None,
    as_json: bool,
) -> None:
    """Show or shrink the folder in which `lxc compile` keeps compiled code.

    info tells how much there is, prune removes what was unused for longest, and clear
    removes everything. Compiles that are running at the same time take no harm.
    """
    if action != "prune" and (most_bytes is not None or unused_days is not None):
        raise LxcError(
            "LXC-E0001",
            f"--most-bytes and --unused-days say nothing to lxc cache {action}",
            hint="lxc cache prune takes them",
        )
    path = cache or usual_folder()
    if path is None:
        raise LxcError(
            "LXC-E0001", "this user has no home folder", hint="--cache names a folder"
        )
    folder = Folder(path)
    removed = []
    if action == "clear":
        removed = folder.shrink(0, math.inf)
    elif action == "prune":
        since = 0.0 if unused_days is None else time.time() - unused_days * DAY
        removed = folder.shrink(MOST_BYTES if most_bytes is None else most_bytes, since)
    show(folder, [entry.bytes for entry in removed], action, as_json=as_json)


def told(sizes: list[int]) -> str:
    """Return how many entries there are, and how large they are together."""
    what = "entry" if len(sizes) == 1 else "entries"
    return f"{len(sizes)} {what}, {bytes_text(sum(sizes))}"


def show(folder: Folder, removed: list[int], action: str, *, as_json: bool) -> None:
    """Print what there is, and what was removed."""
    sizes = [entry.bytes for entry in folder.entries()]
    if as_json:
        report: dict[str, Any] = {
            "folder": str(folder.path),
            "entries": len(sizes),
            "bytes": sum(sizes),
            "most_bytes": MOST_BYTES,
        }
        if action != "info":
            report |= {"removed_entries": len(removed), "removed_bytes": sum(removed)}
        print_json(report)
        return
    facts = [
        ("folder", folder.path),
        ("code", told(sizes)),
        ("limit", bytes_text(MOST_BYTES)),
    ]
    if action != "info":
        facts.append(("removed", told(removed)))
    print_facts(facts)
