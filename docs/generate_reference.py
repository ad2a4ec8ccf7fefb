"""Write the reference of the command line and of the public names of Python.

    python docs/generate_reference.py

Fills `docs/commands.md` and `docs/python.md`. The tests check both against a fresh run.
"""

import importlib
import inspect
from pathlib import Path
from typing import Any

import click

import lxc
from lxc.commands.group import VERBS
from lxc.commands.group import lxc as group

DOCS = Path(__file__).parent
WIDTH = 92
STUB = DOCS.parent / "lxc" / "__init__.pyi"
MODULES = {
    "frontend": "The functions behind layers: set-up, modes, conversions.",
    "ir": "Types, graphs, their text form and their meaning.",
    "kaun": "The layers of Kaun's family.",
    "nn": "The layers of Lux's family, activations, initialisers, paddings.",
    "ops": "NumPy's functions on arrays and traced tensors alike.",
    "passes": "The rewrites, and the pipelines that they form.",
    "runtime": "Artifacts, and calls of compiled models.",
    "targets": "The machines that code is made for.",
}


def pages() -> dict[str, str]:
    """Return the text of both pages by name."""
    return {"commands.md": commands(), "python.md": names()}


def commands() -> str:
    """Return the help of every verb."""
    lines = ["# Commands", "", "What `lxc VERB --help` prints.", ""]
    for verb in VERBS:
        command: click.Command = importlib.import_module(f"lxc.commands.{verb}").command
        parent = click.Context(group, info_name="lxc", **group.context_settings)
        context = click.Context(
            command, info_name=verb, parent=parent, terminal_width=WIDTH
        )
        lines += [f"## {verb}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(lines)


def names() -> str:
    """Return the signature and the docstring of every public name."""
    lines = ["# Python", "", "The names in `lxc`.", ""]
    lines += ["| module | |", "|---|---|"]
    lines += [f"| `lxc.{name}` | {words} |" for name, words in MODULES.items()]
    lines.append("")
    for name in sorted(public() - {*MODULES}, key=str.lower):
        found = getattr(lxc, name)
        lines += [f"## {name}", "", "```text", f"lxc.{name}{signature(found)}", "```", ""]
        lines += [inspect.cleandoc(found.__doc__ or ""), ""]
    return "\n".join(lines)


def public() -> set[str]:
    """Return the names that the stub declares."""
    lines = STUB.read_text("utf-8").splitlines()
    return {line.rpartition(" as ")[2] for line in lines if " as " in line}


def signature(found: Any) -> str:
    """Return how something is called, without the types."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return ""
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return str(inspect.Signature(bare))


def main() -> None:
    """Write the files."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
