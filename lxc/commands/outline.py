"""The parameters of every verb as data: a shell completes words without the compiler.

`outline.json` beside this file is what `outline` says of all verbs; a test compares them.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import click
from click.shell_completion import CompletionItem

from lxc.errors import LxcError
from lxc.runtime.artifact import Artifact, read

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
FILE = "outline.json"


def outline(command: click.Command) -> list[dict[str, Any]]:
    """Return what there is to know of the parameters of a verb to complete its words."""
    return [
        {
            "name": one.name,
            "words": list(one.opts) if isinstance(one, click.Option) else [],
            "is_flag": isinstance(one, click.Option) and (one.is_flag or one.count),
            "multiple": one.multiple,
            "count": one.nargs,
            "values": values_of(one.type),
            "help": getattr(one, "help", None) or "",
        }
        for one in command.params
    ]


def values_of(kind: Any) -> Any:
    """Return the words that a value is one of, or which kind of path it is, or nothing."""
    if isinstance(kind, click.Choice):
        return list(kind.choices)
    if isinstance(kind, click.Path):
        return "file" if kind.file_okay else "folder"
    return None


@cache
def stored() -> Mapping[str, Any]:
    """Return the outline of all verbs, and the names of the targets."""
    text = resources.files("lxc.commands").joinpath(FILE).read_text("utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def outlined(name: str) -> click.Command | None:
    """Return a verb that has the right parameters and does nothing."""
    entries = stored()["verbs"].get(name)
    return entries and click.Command(name, params=[parameter(one) for one in entries])


def parameter(entry: Mapping[str, Any]) -> click.Parameter:
    """Return one parameter of a verb."""
    kind: Any = None
    if isinstance(entry["values"], list):
        kind = click.Choice(entry["values"])
    elif entry["values"]:
        kind = click.Path(file_okay=entry["values"] == "file")
    complete = COMPLETED.get(entry["name"])
    if not entry["words"]:
        return click.Argument(
            [entry["name"]], type=kind, nargs=entry["count"], shell_complete=complete
        )
    words = [entry["name"], *entry["words"]]
    if entry["is_flag"]:
        return click.Option(words, is_flag=True, help=entry["help"])
    return click.Option(
        words,
        type=kind,
        multiple=entry["multiple"],
        nargs=entry["count"],
        shell_complete=complete,
        help=entry["help"],
    )


def targets(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete the last of several targets."""
    done, comma, last = begun.rpartition(",")
    names = (name for name in stored()["targets"] if name.startswith(last))
    return [CompletionItem(f"{done}{comma}{name}") for name in names]


def own_targets(
    context: click.Context, parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Complete one of the targets of the artifact on the line, or of all without one."""
    artifact = artifact_in(context)
    if artifact is None:
        return targets(context, parameter, begun)
    names = (target.name for target in artifact.targets)
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def leaves(section: str, behind: str) -> Complete:
    """Return what completes a name of the artifact's signature with `behind` it."""

    def complete(
        context: click.Context, _: click.Parameter, begun: str
    ) -> list[CompletionItem]:
        if "=@" in begun:
            return [CompletionItem(begun, type="file")]
        words = (f"{name}{behind}" for name in names_in(context, section))
        return [CompletionItem(word) for word in words if word.startswith(begun)]

    return complete


def names_in(context: click.Context, section: str) -> list[str]:
    """Return the names in a section of the artifact on the line, if there is one."""
    artifact = artifact_in(context)
    if artifact is None:
        return []
    if section == "dims":
        return [dim.name for dim in artifact.signature.dims]
    return [leaf.name for leaf in artifact.signature.groups[section].leaves]


def artifact_in(context: click.Context) -> Artifact | None:
    """Return the artifact on the line, if there is one that can be read."""
    # While the value of an option is missing, arguments wait among the rest of the line.
    known = (context.params.get("artifact"), context.params.get("source"), *context.args)
    path = next((word for word in known if str(word).endswith(".lxc")), None)
    try:
        return None if path is None else read(path)
    except (LxcError, OSError):
        return None


COMPLETED: Mapping[str, Complete] = {
    "target": own_targets,
    "targets": targets,
    "inputs": leaves("inputs", "="),
    "outputs": leaves("outputs", "=@"),
    "dims": leaves("dims", "="),
}
"""What completes a parameter whose values no list has."""
