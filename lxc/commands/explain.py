"""lxc explain: what was fused and brought into blocks, and why the rest was not."""

from pathlib import Path
from typing import Any

import click

from lxc.commands.group import verb
from lxc.commands.model import ModelOptions, model_options, traced_model
from lxc.commands.precision import plan_from, precision_option
from lxc.commands.screen import print_json
from lxc.commands.tuning import records_option
from lxc.errors import LxcError, printable
from lxc.explanation import stored_decisions
from lxc.ir.graph import Graph, Program
from lxc.passes import (
    LAYER_PIPELINE,
    TENSOR_PIPELINE,
    Choices,
    Decision,
    passes_named,
    run_passes,
)
from lxc.passes.precision import check_paths
from lxc.passes.records import NO_RECORDS
from lxc.record_file import given_records
from lxc.runtime.artifact import read
from lxc.targets import Target, targets_named
from lxc.targets.compile import lowered_program
from lxc.targets.report import tuning_decisions


@verb("lxc explain digits.lxc")
@click.argument("source")
@click.option("--target", help="The target whose decisions to show; the best by default.")
@click.option("--exact", is_flag=True, help="Only algorithms with the tight error bounds.")
@precision_option
@records_option
@model_options
def command(
    source: str,
    target: str | None,
    exact: bool,
    precisions: tuple[str, ...],
    records: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show for every pair of operations whether they run in one kernel, and why.

    The lines in front say which products have less than float32 precision where that is
    asked for, which convolutions work on channels in blocks of lanes, or on cards with
    channels last, and where values go there and back into plain order. Those at the end say
    which operations no kernel generator shapes, which are loops over vectors, and where
    records chose the tiles of a kernel.

    SOURCE is an artifact, or a model as `lxc compile` takes it, with its inputs.
    """
    if source.endswith(".lxc"):
        decisions = decisions_in(Path(source), target)
    else:
        model = traced_model(ModelOptions(source=source, **options), "model")
        plan, known = plan_from(precisions), given_records(records)
        choices = Choices(exact=exact, precision=plan, records=known)
        check_paths(choices.precision, model.graph)
        decisions = made_decisions(
            model.graph, targets_named(target or "llvm")[-1], choices
        )
    if as_json:
        print_json([decision.to_json() for decision in decisions])
        return
    for decision in decisions:
        click.echo(printable(str(decision)))
    if not decisions:
        click.echo("nothing to decide: no operation reads what another one makes")


def made_decisions(graph: Graph, target: Target, choices: Choices) -> list[Decision]:
    """Return what passes decide about a traced graph, and records about its kernels."""
    names = (*LAYER_PIPELINE, *TENSOR_PIPELINE, *target.back_end.pipeline)
    outcome = run_passes(
        graph, passes_named(names), machine=target.machine, choices=choices
    )
    if not isinstance(outcome.program, Program):
        return list(outcome.decisions)
    decisions = [*outcome.decisions, *target.back_end.decisions(outcome.program)]
    if choices.records == NO_RECORDS:
        return decisions
    lowered = lowered_program(outcome.program, target, "model", choices)
    return [*decisions, *tuning_decisions(lowered.calls)]


def decisions_in(path: Path, target: str | None) -> list[Decision]:
    """Return what an artifact says about one of its targets."""
    artifact = read(path)
    names = [record.name for record in artifact.targets]
    if target is not None and target not in names:
        raise LxcError(
            "LXC-E0410", f"the artifact has no target {target}", expected=", ".join(names)
        )
    return stored_decisions(artifact, target or names[-1])
