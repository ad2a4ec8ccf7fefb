"""lxc targets: the machines that code can be made for."""

from typing import Any

from lxc.commands.group import verb
from lxc.commands.screen import print_json, print_table
from lxc.errors import LxcError
from lxc.runtime.features import this_machine
from lxc.targets import ALIASES, TARGETS, Target, target_named
from lxc.targets.llvm.toolchain import compiler_for, find_toolchain


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


def known_targets() -> list[Target]:
    """Return the portable targets, and that of this machine where there is one."""
    targets = list(TARGETS.values())
    try:
        return [*targets, target_named("native")]
    except LxcError:
        return targets


def row_of(target: Target) -> dict[str, Any]:
    """Return the facts about one target."""
    link_lacks, run_lacks = linking_lacks(target), running_lacks(target)
    return {
        "name": target.name,
        "aliases": [alias for alias, names in ALIASES.items() if target.name in names],
        "description": target.description,
        "triple": target.triple,
        "features": list(target.features),
        "links": not link_lacks,
        "link_lacks": link_lacks,
        "runs": not run_lacks,
        "run_lacks": run_lacks,
    }


def linking_lacks(target: Target) -> list[str]:
    """Return what this machine lacks to link for a target."""
    compiler = compiler_for(target.triple)
    try:
        find_toolchain(compiler)
    except LxcError:
        return ["a C compiler" if compiler == "cc" else compiler]
    return []


def running_lacks(target: Target) -> list[str]:
    """Return what this machine lacks to run code for a target."""
    here = this_machine()
    if target.architecture != here.architecture:
        return [f"an {target.architecture} processor"]
    return [feature for feature in target.features if feature not in here.features]


def verdict(holds: bool, lacks: list[str]) -> str:
    """Return yes, or no and why."""
    return "yes" if holds else f"no: lacks {', '.join(lacks)}"
