"""What a command wrote, told to people or to programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from lxc.commands.screen import print_facts, print_json


@dataclass(frozen=True)
class Written:
    """The result of a compile: its fields as JSON, as facts, and lines behind these."""

    described: Mapping[str, Any]
    facts: Sequence[tuple[str, Any]]
    lines: Sequence[str] = ()

    def show(self, origins: Mapping[str, str], *, as_json: bool) -> None:
        """Print it, with where what is in it comes from."""
        if as_json:
            print_json({**self.described, **origins})
            return
        print_facts([*self.facts, *origins.items()])
        for line in self.lines:
            click.echo(line)
