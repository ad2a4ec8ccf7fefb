"""lxc compile: a model in, one file out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click

from lxc.bundling import Brought
from lxc.commands.bundle_folder import (
    C_BUNDLE,
    check_folder,
)
from lxc.commands.byte_size import byte_size
from lxc.commands.cached import cache_options, chosen_cache
from lxc.commands.dump import dump_stages
from lxc.commands.group import verb, verbosity
from lxc.commands.model import ModelOptions, model_options, traced_model
from lxc.commands.order import Order
from lxc.commands.pairs import pairs
from lxc.commands.precision import plan_from, precision_option
from lxc.commands.reproduced import check_reproducible
from lxc.commands.screen import progress
from lxc.commands.stage import note_target, only_target, write_stage
from lxc.commands.tuning import Tuning, records_option, tune_options
from lxc.errors import LxcError
from lxc.passes import Choices
from lxc.passes.precision import check_paths
from lxc.runtime.artifact import store
from lxc.runtime.notes import NOTES, checked_notes
from lxc.targets import Target, targets_named
from lxc.targets.compile import Kind


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
    "--emit",
    "kind",
    type=click.Choice([*get_args(Kind), C_BUNDLE]),
    help="Write one stage instead, or a folder for programs in C.",
)
@click.option(
    "--bundle-params",
    "brought",
    type=click.Choice(get_args(Brought)),
    help="Where a C bundle has its parameters; in a file of its own by default.",
)
@click.option("--dump-ir", type=click.Path(path_type=Path), help="Folder for every stage.")
@click.option("--exact", is_flag=True, help="Only algorithms with the tight error bounds.")
@precision_option
@records_option
@tune_options
@click.option(
    "--threads", type=click.IntRange(1), help="Threads that `lxc run` uses if not told."
)
@click.option(
    "--max-memory",
    "most",
    type=byte_size,
    metavar="SIZE",
    help="Refuse a model that needs more: 64MB.",
)
@click.option(
    "--note", "notes", multiple=True, help="Text to keep in the artifact: license=MIT."
)
@click.option(
    "--check-reproducible",
    "twice",
    is_flag=True,
    help="Compile a second time, and refuse other bytes.",
)
@cache_options
@click.option("--force", is_flag=True, help="Replace a file that is not an artifact.")
def command(
    source: str,
    output: Path | None,
    targets: tuple[str, ...],
    name: str | None,
    kind: Any,
    brought: Brought | None,
    dump_ir: Path | None,
    exact: bool,
    precisions: tuple[str, ...],
    records: Path | None,
    tune: Path | None,
    tune_seconds: int | None,
    threads: int | None,
    most: int | None,
    notes: tuple[str, ...],
    twice: bool,
    cache: Path | None,
    no_cache: bool,
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Compile a model into one file that runs without any framework.

    SOURCE is file.py:name or package.module:name (a layer, or a function without arguments
    that returns one), an ONNX file, or a file of IR text. Parameters that no file gives are
    drawn; those of an ONNX file are its own.
    """
    chosen = targets_named([word for text in targets for word in text.split(",")] or "llvm")
    # A stage is that of one target; the first runs on every machine that the others do.
    chosen = chosen[:1] if kind is not None and not targets else chosen
    name = name or (output.stem if output else "model")
    brought, options = placement(kind, brought, options)
    check_request(kind, brought, output, chosen, name, force=force)
    check_for_artifacts(kind, {"--note": notes, "--check-reproducible": twice})
    noted = notes_from(notes)
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
        if output is None or kind not in (None, C_BUNDLE):
            say(f"lowering to {kind}")
            write_stage(model.graph, chosen, kind, output, name, choices)
            return
        say(f"compiling for {', '.join(target.name for target in chosen)}")
        order = Order(model, chosen, name, choices, most)
        kept = chosen_cache(cache, no_cache, say)
        if kind == C_BUNDLE:
            written = order.bundle(output, brought or "separate", kept)
        else:
            told = {**told_options(options, threads), **noted}
            encoded = order.encoded(told, kept)
            if twice:
                say("compiling once more")
                check_reproducible(encoded, order.again(source, options, told))
            store(output, encoded, force=force)
            written = order.described(output, encoded)
    written.show({**model.origins, **tuning.origins(choices.records)}, as_json=as_json)


def check_request(
    kind: str | None,
    brought: Brought | None,
    output: Path | None,
    chosen: tuple[Target, ...],
    name: str,
    *,
    force: bool,
) -> None:
    """Refuse options that do not go together."""
    if brought is not None and kind != C_BUNDLE:
        raise LxcError(
            "LXC-E0001",
            "--bundle-params is for C bundles, and this is none",
            hint=f"--emit {C_BUNDLE}",
        )
    if kind == C_BUNDLE:
        check_folder(output, name, force=force)
        only_target(chosen, "a C bundle is for one target")
    elif output is None and kind is None:
        raise LxcError("LXC-E0001", "the file to write is not given", hint="-o model.lxc")


def placement(
    kind: str | None, brought: Brought | None, options: dict[str, Any]
) -> tuple[Brought | None, dict[str, Any]]:
    """Return where a bundle has its parameters, and the options of its model.

    `--params embed` of a bundle says that too, for parameters that no file gives.
    """
    said = [word for word in get_args(Brought) if options["params"] == Path(word)]
    if kind != C_BUNDLE or brought is not None or not said:
        return brought, options
    return said[0], {**options, "params": None}


def check_for_artifacts(kind: str | None, given: Mapping[str, object]) -> None:
    """Refuse options that only mean something for an artifact if none is written."""
    for option, value in given.items():
        if value and kind is not None:
            raise LxcError(
                "LXC-E0001",
                f"{option} is for artifacts, and this is none",
                hint=f"leave out {option}, or --emit {kind}",
            )


def notes_from(texts: tuple[str, ...]) -> dict[str, Any]:
    """Return the option of an artifact that holds its notes, if there are any."""
    notes = checked_notes(pairs("--note", texts, "license=MIT"))
    return {NOTES: notes} if notes else {}


def told_options(options: Mapping[str, Any], threads: int | None) -> dict[str, Any]:
    """Return what an artifact says of how its model was made, beside its choices."""
    told = {key: options[key] for key in ("mode", "seed")}
    return told if threads is None else {**told, "threads": threads}
