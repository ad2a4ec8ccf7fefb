"""lxc compile: a model in, one file out."""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click

from lxc.commands.dump import dump_stages
from lxc.commands.group import verb, verbosity
from lxc.commands.model import ModelOptions, TracedModel, model_options, traced_model
from lxc.commands.precision import plan_from, precision_option
from lxc.commands.screen import Say, bytes_text, print_facts, print_json, progress
from lxc.commands.tuning import Tuning, records_option, tune_options
from lxc.compilation import artifact_of
from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, Choices, passes_named, run_passes
from lxc.passes.precision import check_paths
from lxc.runtime.artifact import store
from lxc.runtime.files import write_atomically
from lxc.targets import Target, targets_named
from lxc.targets.compile import Kind, emit

BINARY = {
    "obj": ("an object file", "model.o"),
    "cubin": ("an image for a card", "model.cubin"),
}
"""What is no text that a screen could show, and files that it could go to."""


@verb(
    "lxc compile model.py:net -o net.lxc --input x=f32[N,1,28,28] --dim N=1..64 "
    "--params net.safetensors\n"
    "  lxc compile model.py:net -o net.lxc --input x=f32[1,784] --target native "
    "--tune net.json"
)
@click.argument("source")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.")
@click.option(
    "--target", "targets", multiple=True, help="A target, or several: x86-64-v3,cuda."
)
@model_options
@click.option("--name", help="Start of the C names; the output's name by default.")
@click.option(
    "--emit", "kind", type=click.Choice(get_args(Kind)), help="Write one stage instead."
)
@click.option("--dump-ir", type=click.Path(path_type=Path), help="Folder for every stage.")
@click.option("--exact", is_flag=True, help="Only algorithms with the tight error bounds.")
@precision_option
@records_option
@tune_options
@click.option(
    "--threads", type=click.IntRange(1), help="Threads that `lxc run` uses if not told."
)
@click.option("--force", is_flag=True, help="Replace a file that is not an artifact.")
def command(
    source: str,
    output: Path | None,
    targets: tuple[str, ...],
    name: str | None,
    kind: Kind | None,
    dump_ir: Path | None,
    exact: bool,
    precisions: tuple[str, ...],
    records: Path | None,
    tune: Path | None,
    tune_seconds: int | None,
    threads: int | None,
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Compile a model into one file that runs without any framework.

    SOURCE is file.py:name or package.module:name (a layer, or a function without arguments
    that returns one), or a file of IR text. Parameters that no file gives are drawn.
    """
    if output is None and kind is None:
        raise LxcError("LXC-E0001", "the file to write is not given", hint="-o model.lxc")
    chosen = targets_named([word for text in targets for word in text.split(",")] or "llvm")
    # A stage is that of one target; the first runs on every machine that the others do.
    chosen = chosen[:1] if kind is not None and not targets else chosen
    name = name or (output.stem if output else "model")
    tuning = Tuning(records, tune, tune_seconds)
    precision = plan_from(precisions)
    choices = Choices(exact=exact, precision=precision, records=tuning.known)
    with progress(verbosity()) as say:
        say(f"tracing {source}")
        model = traced_model(ModelOptions(source=source, **options), name)
        check_paths(choices.precision, model.graph)
        choices = tuning.measured(model.graph, chosen, choices, say)
        if dump_ir is not None:
            say(f"writing every stage into {dump_ir}")
            dump_stages(model.graph, chosen, dump_ir, name, choices)
        if kind is not None:
            note_target(chosen, told=bool(targets))
            say(f"lowering to {kind}")
            write_stage(model.graph, chosen, kind, output, name, choices)
            return
        if output is None:
            return
        settings = {**choices.to_json(), **{key: options[key] for key in ("mode", "seed")}}
        if threads is not None:
            settings["threads"] = threads
        encoded = built(model, chosen, name, choices, settings, say)
        store(output, encoded, force=force)
    origins = {**model.origins, **tuning.origins(choices.records)}
    summarise(output, encoded, model.graph.mode, origins, chosen, as_json=as_json)


def built(
    model: TracedModel,
    targets: tuple[Target, ...],
    name: str,
    choices: Choices,
    settings: Any,
    say: Say,
) -> bytes:
    """Return the artifact of a traced model."""
    names = [target.name for target in targets]
    say(f"compiling for {', '.join(names)}")
    return artifact_of(
        model.graph,
        names,
        name=name,
        choices=choices,
        params=model.params,
        state=model.state,
        options=settings,
    )


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
    if len(targets) != 1:
        raise LxcError(
            "LXC-E0001",
            f"--emit {kind} shows one target at a time",
            actual=", ".join(target.name for target in targets),
            hint="--target native",
        )
    outcome = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE)))
    if not isinstance(outcome.program, Graph):
        raise LxcError("LXC-E0001", "the IR text holds a program that is already split")
    stage = emit(outcome.program, targets[0], kind, name=name, choices=choices)
    if output is not None:
        write_atomically(output, [stage])
    elif kind in BINARY:
        what, file = BINARY[kind]
        raise LxcError("LXC-E0001", f"{what} is not text", hint=f"-o {file}")
    else:
        click.echo(stage.decode(), nl=False)


def summarise(
    output: Path,
    encoded: bytes,
    mode: str,
    origins: Mapping[str, str],
    targets: tuple[Target, ...],
    *,
    as_json: bool,
) -> None:
    """Print what was written, and where what is in it comes from."""
    names = [target.name for target in targets]
    if as_json:
        print_json(
            {
                "artifact": str(output),
                "bytes": len(encoded),
                "sha256": hashlib.sha256(encoded).hexdigest(),
                "targets": names,
                "mode": mode,
                **origins,
            }
        )
        return
    facts = [
        ("artifact", f"{output} ({bytes_text(len(encoded))})"),
        ("targets", ", ".join(names)),
        ("mode", mode),
    ]
    print_facts([*facts, *origins.items()])
