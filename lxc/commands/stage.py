"""One stage of compiling, to a file or to the screen: `lxc compile --emit asm`."""

import sys
from pathlib import Path

import click

from lxc.commands.group import verbosity
from lxc.compilation import tensor_level
from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.passes import Choices
from lxc.runtime.files import write_atomically
from lxc.targets import Target
from lxc.targets.compile import Kind, emit

BINARY = {
    "obj": ("an object file", "model.o"),
    "cubin": ("an image for a card", "model.cubin"),
}
"""What is no text that a screen could show, and files that it could go to."""


def note_target(chosen: tuple[Target, ...], *, told: bool) -> None:
    """Say which target a stage is for where nobody named one and somebody reads along."""
    if not told and (verbosity() or sys.stderr.isatty()):
        click.echo(f"no --target is given: this is for {chosen[0].name}", err=True)


def write_stage(
    graph: Graph,
    targets: tuple[Target, ...],
    kind: Kind,
    output: Path | None,
    name: str,
    choices: Choices,
) -> None:
    """Write one stage of compiling for one target, to a file or to the screen."""
    target = only_target(targets, f"--emit {kind} shows one target at a time")
    stage = emit(tensor_level(graph), target, kind, name=name, choices=choices)
    if output is not None:
        write_atomically(output, [stage])
    elif kind in BINARY:
        what, file = BINARY[kind]
        raise LxcError("LXC-E0001", f"{what} is not text", hint=f"-o {file}")
    else:
        click.echo(stage.decode(), nl=False)


def only_target(targets: tuple[Target, ...], rule: str) -> Target:
    """Return the one target that there is, or raise with the rule if there are several."""
    if len(targets) != 1:
        raise LxcError(
            "LXC-E0001",
            rule,
            actual=", ".join(target.name for target in targets),
            hint="--target native",
        )
    return targets[0]
