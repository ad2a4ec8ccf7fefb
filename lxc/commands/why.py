"""lxc why: what an error means, and what to do about it."""

import difflib
import tomllib
from collections.abc import Mapping
from importlib import resources

import click

from lxc.commands.group import verb
from lxc.commands.screen import print_json
from lxc.errors import CODES, EXIT_STATUS, LxcError, one_of

FILE = "why.toml"
WIDTH = 80


@verb("lxc why LXC-E0405")
@click.argument("code")
def command(code: str, as_json: bool) -> None:
    """Say what the error CODE means, and what to do about it."""
    wanted = code.upper().removeprefix("LXC-").removeprefix("E")
    known = f"LXC-E{wanted}"
    if known not in CODES:
        near = one_of(difflib.get_close_matches(known, CODES))
        raise LxcError("LXC-E0001", f"there is no error {code!r}", hint=f"it is {near}")
    said = explanations()[known]
    if as_json:
        status = EXIT_STATUS[wanted[:2]]
        print_json({"code": known, "summary": CODES[known], "exit_status": status, **said})
        return
    for text in (f"{known}: {CODES[known]}.", said["means"], said["fix"]):
        click.echo(f"{click.wrap_text(text, WIDTH)}\n")


def explanations() -> Mapping[str, Mapping[str, str]]:
    """Return for every code what it means, and what to do."""
    text = resources.files("lxc.commands").joinpath(FILE).read_text("utf-8")
    return {
        code: {name: " ".join(part.split()) for name, part in parts.items()}
        for code, parts in tomllib.loads(text).items()
    }
