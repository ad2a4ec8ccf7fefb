"""lxc explain: what was fused and brought into blocks, and why the rest was not."""

import json
from pathlib import Path
from typing import Any

import click

from lxc.commands.group import verb
from lxc.commands.model import ModelOptions, model_options, traced_model
from lxc.commands.screen import print_json
from lxc.errors import LxcError, printable
from lxc.passes import (
    LAYER_PIPELINE,
    TARGET_PIPELINE,
    TENSOR_PIPELINE,
    Choices,
    Decision,
    passes_named,
    run_passes,
)
from lxc.passes.decision import VERDICTS
from lxc.runtime.artifact import read
from lxc.targets import targets_named

WORDS = ("producer", "consumer", "rule", "reason", "would_allow")


@verb("lxc explain digits.lxc")
@click.argument("source")
@click.option("--target", help="The target whose decisions to show; the best by default.")
@click.option("--exact", is_flag=True, help="Only algorithms with the tight error bounds.")
@model_options
def command(
    source: str, target: str | None, exact: bool, as_json: bool, **options: Any
) -> None:
    """Show for every pair of operations whether they run in one kernel, and why.

    The lines in front say which convolutions work on channels in blocks of lanes, and where
    values go into blocks and back into plain order.

    SOURCE is an artifact, or a model as `lxc compile` takes it, with its inputs.
    """
    if source.endswith(".lxc"):
        decisions = stored_decisions(Path(source), target)
    else:
        model = traced_model(ModelOptions(source=source, **options), "model")
        chosen = targets_named(target or "llvm")[-1]
        stages = (*LAYER_PIPELINE, *TENSOR_PIPELINE, *TARGET_PIPELINE)
        outcome = run_passes(
            model.graph,
            passes_named(stages),
            machine=chosen.machine,
            choices=Choices(exact=exact),
        )
        decisions = list(outcome.decisions)
    if as_json:
        print_json([decision.to_json() for decision in decisions])
        return
    for decision in decisions:
        click.echo(printable(str(decision)))


def stored_decisions(path: Path, target: str | None) -> list[Decision]:
    """Return what an artifact says about one of its targets."""
    artifact = read(path)
    names = [record.name for record in artifact.targets]
    if target is not None and target not in names:
        raise LxcError(
            "LXC-E0410", f"the artifact has no target {target}", expected=", ".join(names)
        )
    if "explain.json" not in artifact:
        raise LxcError("LXC-E0410", "the artifact holds no explanation")
    try:
        stored = json.loads(artifact.read("explain.json"))[target or names[-1]]
        return [decision_from_json(entry) for entry in stored]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise LxcError(
            "LXC-E0401", "the explanation in the artifact cannot be understood"
        ) from None


def decision_from_json(entry: Any) -> Decision:
    """Return a decision as `Decision.to_json` wrote it."""
    (first_layer, second_layer), (first_shape, second_shape) = (
        map(str, entry[key]) for key in ("layers", "shapes")
    )
    words = {key: str(entry[key]) for key in WORDS}
    about = entry.get("about", "fusion")
    if about not in VERDICTS:
        raise ValueError(about)
    return Decision(
        layers=(first_layer, second_layer),
        shapes=(first_shape, second_shape),
        fused=bool(entry["fused"]),
        about=about,
        **words,
    )
