"""lxc opt: passes on IR text."""

import sys
from pathlib import Path

import click

from lxc.commands.group import verb, verbosity
from lxc.commands.screen import print_json, print_table
from lxc.commands.source import read_text
from lxc.errors import LxcError
from lxc.ir.parser import parse
from lxc.ir.verify import verify
from lxc.passes import (
    CARD_PIPELINE,
    LAYER_PIPELINE,
    PASSES,
    PORTABLE,
    TARGET_PIPELINE,
    TENSOR_PIPELINE,
    Outcome,
    passes_named,
    run_passes,
)
from lxc.targets import target_named

PIPELINES = {
    "layer": LAYER_PIPELINE,
    "tensor": TENSOR_PIPELINE,
    "target": TARGET_PIPELINE,
    "card": CARD_PIPELINE,
    "all": (*LAYER_PIPELINE, *TENSOR_PIPELINE, *TARGET_PIPELINE),
}


@verb("lxc opt model.lxir --passes flatten-chains,remove-noops")
@click.argument("file", required=False)
@click.option("--passes", "names", help="Passes in order: a,b,c.")
@click.option("--pipeline", type=click.Choice(list(PIPELINES)), help="A list of passes.")
@click.option("--target", help="The machine that fusing has in mind.")
@click.option("--list", "lists", is_flag=True, help="Print every pass and leave.")
@click.option("--verify", "verifies", is_flag=True, help="Only check the text.")
@click.option("--dump", type=click.Path(path_type=Path), help="Folder for every stage.")
def command(
    file: str | None,
    names: str | None,
    pipeline: str | None,
    target: str | None,
    lists: bool,
    verifies: bool,
    dump: Path | None,
    as_json: bool,
) -> None:
    """Run passes on the IR text in FILE and print the result.

    FILE is a file of IR text; `-` reads it from the standard input. The graph is checked
    before the first pass and after each.
    """
    if lists:
        list_passes(as_json=as_json)
        return
    if file is None:
        raise LxcError(
            "LXC-E0001", "the file of IR text is not given", hint="lxc opt --list"
        )
    program = parse(sys.stdin.read() if file == "-" else read_text(Path(file)))
    if verifies:
        verify(program)
        if as_json:
            print_json({"well_formed": True})
        return
    if (names is None) == (pipeline is None):
        raise LxcError(
            "LXC-E0001", "give either --passes or --pipeline", hint="lxc opt --list"
        )
    chosen = PIPELINES[pipeline] if pipeline else [n for n in str(names).split(",") if n]
    machine = target_named(target).machine if target else PORTABLE
    outcome = run_passes(program, passes_named(chosen), machine=machine, dump=dump)
    show(outcome, as_json=as_json)


def list_passes(*, as_json: bool) -> None:
    """Print the passes and the pipelines."""
    if as_json:
        print_json(
            {
                "passes": {one.name: one.description for one in PASSES.values()},
                "pipelines": {name: list(passes) for name, passes in PIPELINES.items()},
            }
        )
        return
    rows = [(one.name, one.description) for one in PASSES.values()]
    print_table("passes", ("name", "what it does"), rows)
    print_table(
        "pipelines", ("name", "passes"), [(n, ",".join(p)) for n, p in PIPELINES.items()]
    )


def show(outcome: Outcome, *, as_json: bool) -> None:
    """Print the program that came out; with -v, the time of every pass."""
    if as_json:
        steps = [
            {"pass": step.name, "changed": step.changed, "seconds": step.seconds}
            for step in outcome.steps
        ]
        print_json({"text": str(outcome.program), "steps": steps})
        return
    for step in outcome.steps if verbosity() else ():
        changed = "changed" if step.changed else "unchanged"
        click.echo(f"{step.name}: {step.seconds * 1e3:.1f} ms, {changed}", err=True)
    click.echo(str(outcome.program), nl=False)
