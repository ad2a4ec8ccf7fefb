"""lxc graph: a model as a drawing to look at in a browser, or to print."""

import json
from pathlib import Path
from typing import Any

import click

from lxc.commands.group import verb, verbosity
from lxc.commands.model import ModelOptions, model_options, traced_model
from lxc.commands.precision import plan_from, precision_option
from lxc.commands.screen import print_json, progress
from lxc.commands.source import read_text
from lxc.commands.tuning import records_option
from lxc.drawing.diagram import Drawing, View, walk
from lxc.drawing.dot import dot_of
from lxc.drawing.heat import Heat, heat_from
from lxc.drawing.layout import layout_of, opened_first
from lxc.drawing.page import SHOWN, page_of
from lxc.drawing.svg import svg_of
from lxc.drawing.views import STAGES, program_views, views_of, with_times
from lxc.errors import LxcError
from lxc.ir.graph import Graph, Program
from lxc.ir.parser import parse
from lxc.passes import Choices
from lxc.passes.precision import check_paths
from lxc.record_file import given_records
from lxc.runtime.artifact import read
from lxc.runtime.files import write_atomically
from lxc.stored_model import stored_choices, stored_graph
from lxc.targets import Target, targets_named

FORMS = (".html", ".svg", ".dot")
PATH = click.Path(path_type=Path)


@verb("lxc graph digits.lxc -o digits.html")
@click.argument("source")
@click.option("-o", "--output", type=PATH, required=True, help="m.html, m.svg or m.dot.")
@click.option(
    "--view",
    type=click.Choice(STAGES),
    default=STAGES[0],
    show_default=True,
    help="What SVG and DOT show, and a page shows first.",
)
@click.option("--target", help="The target to show code for; the best by default.")
@click.option("--profile", type=PATH, help="What `lxc profile --json` printed.")
@click.option("--all", "opens_all", is_flag=True, help="Open every box in SVG and DOT.")
@click.option("--exact", is_flag=True, help="Only algorithms with the tight error bounds.")
@precision_option
@records_option
@model_options
def command(
    source: str,
    output: Path,
    view: str,
    target: str | None,
    profile: Path | None,
    opens_all: bool,
    exact: bool,
    precisions: tuple[str, ...],
    records: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Draw the graph of a model: as it was traced, on tensor level, and as kernels.

    SOURCE is an artifact, or a model as `lxc compile` takes it, with its inputs. A page has
    all stages, can be searched, and needs nothing from other files or servers. With a
    profile it shows where the time of a call goes.
    """
    check_form(output)
    heat = None if profile is None else heat_in(profile)
    wanted = target or (heat.target if heat else None)
    graph: Graph | Program
    with progress(verbosity()) as say:
        say("reading")
        if source.endswith(".lxc"):
            graph, chosen, choices = in_artifact(Path(source), wanted, records)
        else:
            model = ModelOptions(source=source, **options)
            plan, known = plan_from(precisions), given_records(records)
            choices = Choices(exact=exact, precision=plan, records=known)
            graph = given_program(model)
            chosen = targets_named(wanted or "llvm")[-1]
        say("running passes")
        views = views_in(graph, chosen, choices, heat)
        say("drawing")
        contents = drawn(Path(source).name, views, output.suffix, view, opens_all)
    save(output, contents)
    if as_json:
        print_json({"file": str(output), "views": [counts(one) for one in views]})


def check_form(output: Path) -> None:
    """Refuse a file of a kind that is not drawn."""
    if output.suffix not in FORMS:
        raise LxcError(
            "LXC-E0001", f"{output} is no kind of drawing", expected=", ".join(FORMS)
        )


def in_artifact(
    path: Path, wanted: str | None, records: Path | None
) -> tuple[Graph, Target, Choices]:
    """Return the graph in an artifact, one of its targets, and how it was compiled."""
    artifact = read(path)
    names = [record.name for record in artifact.targets]
    if wanted is not None and wanted not in names:
        raise LxcError(
            "LXC-E0410", f"the artifact has no target {wanted}", expected=", ".join(names)
        )
    choices = stored_choices(artifact, given_records(records))
    return stored_graph(artifact), targets_named(wanted or names[-1])[-1], choices


def given_program(options: ModelOptions) -> Graph | Program:
    """Return the graph of a source, or both graphs of IR text behind its passes."""
    if options.source.endswith(".lxir"):
        found = parse(read_text(Path(options.source)))
        if isinstance(found, Program):
            return found
    return traced_model(options, "model").graph


def views_in(
    graph: Graph | Program, target: Target, choices: Choices, heat: Heat | None
) -> list[View]:
    """Return the views of a model, with times if there is a profile."""
    if isinstance(graph, Program):
        if heat is not None:
            raise LxcError("LXC-E0001", "IR text behind its passes has no profile")
        return [*program_views(graph, "program")]
    check_paths(choices.precision, graph)
    views = [*views_of(graph, target, choices)]
    return with_times(views, heat) if heat else views


def drawn(title: str, views: list[View], form: str, first: str, opens_all: bool) -> str:
    """Return the text of a file."""
    # A program has the last two stages only.
    number = max(STAGES.index(first) - (len(STAGES) - len(views)), 0)
    if form == ".html":
        return page_of(Drawing(title, tuple(views)), number)
    chosen = views[number]
    opened = opened_first(layout_of(chosen.diagram, "v"), SHOWN)

    def is_open(ident: str) -> bool:
        return opens_all or ident in opened

    return (svg_of if form == ".svg" else dot_of)(chosen, is_open)


def counts(view: View) -> dict[str, Any]:
    """Return how much there is in a view."""
    return {"name": view.name, "boxes": sum(1 for _ in walk(view.diagram))}


def heat_in(path: Path) -> Heat:
    """Return the profile in a file."""
    try:
        said = json.loads(read_text(path))
    except (ValueError, RecursionError):
        said = None
    return heat_from(said, str(path))


def save(path: Path, contents: str) -> None:
    """Write a file."""
    try:
        write_atomically(path, [contents.encode()])
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {path}: {error.strerror}") from None
