"""lxc targets: the machines that code can be made for."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from lxc.commands.group import verb
from lxc.commands.screen import EMULATED, UNTRIED, print_json, print_table
from lxc.errors import LxcError
from lxc.targets import ALIASES, TARGETS, Target, target_named


@verb("lxc targets --json")
def command(as_json: bool) -> None:
    """List the targets: what they are, and whether they link and run on this machine."""
    rows = [row_of(target) for target in known_targets()]
    if as_json:
        print_json({"targets": rows, "aliases": {k: list(v) for k, v in ALIASES.items()}})
        return
    table = [
        (
            row["name"],
            ", ".join(row["aliases"]),
            verdict(row["links"], row["link_lacks"]),
            verdict(row["runs"], row["run_lacks"]),
            row["description"],
        )
        for row in rows
    ]
    print_table(
        "targets", ("name", "alias", "links here", "runs here", "what it is"), table
    )
    for fix, names in fixes(rows).items():
        click.echo(f"to link {', '.join(names)}: {fix}")
    click.echo(f"code for cards: {UNTRIED}")
    click.echo(f"code for Arm and RISC-V: {EMULATED}")


def known_targets() -> list[Target]:
    """Return the portable targets, and that of this machine where there is one."""
    targets = list(TARGETS.values())
    try:
        return [*targets, target_named("native")]
    except LxcError:
        return targets


def row_of(target: Target) -> dict[str, Any]:
    """Return the facts about one target."""
    link_lacks = target.back_end.lacks_to_link(target)
    run_lacks = target.back_end.lacks_to_run(target)
    return {
        "name": target.name,
        "aliases": [alias for alias, names in ALIASES.items() if target.name in names],
        "description": target.description,
        "triple": target.triple,
        "features": list(target.features),
        "images": list(target.back_end.images),
        "links": not link_lacks,
        "link_lacks": list(link_lacks),
        "link_fixes": list(link_lacks.values()),
        "runs": not run_lacks,
        "run_lacks": run_lacks,
    }


def fixes(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what has to be done so that all targets link here, each with its targets."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for fix in row["link_fixes"]:
            found.setdefault(fix, []).append(row["name"])
    return found


def verdict(holds: bool, lacks: list[str]) -> str:
    """Return yes, or no and why."""
    return "yes" if holds else f"no: lacks {', '.join(lacks)}"
