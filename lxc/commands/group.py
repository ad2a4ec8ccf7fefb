"""The command `lxc` and the options that every verb has.

A verb's module is imported when the verb is called: running an artifact must not wait for
the compiler, nor need it.
"""

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import add_completion_class

from lxc import __version__
from lxc.commands.bash import Bash
from lxc.errors import LxcError, one_of

VERBS = {
    "compile": "Compile a model into one file.",
    "run": "Run a compiled model on arrays from files.",
    "inspect": "Show what an artifact holds, without running any of it.",
    "verify": "Compare the code in an artifact with its IR, run in float64.",
    "bench": "Measure how long calls take, alone or beside another model.",
    "profile": "Measure where the time of a call goes, kernel by kernel.",
    "memory": "Show what the memory of a call is taken for.",
    "diff": "Say what differs between two artifacts.",
    "params": "List, convert, rename or cast parameters in a file.",
    "graph": "Draw a model as a page for a browser, or as SVG or DOT.",
    "opt": "Run passes on IR text and print the result.",
    "explain": "Show what was fused, and why the rest was not.",
    "upgrade": "Compile the model of an artifact again, with this lxc.",
    "cache": "Show or shrink the folder with code that was compiled before.",
    "targets": "List the machines that code can be made for.",
    "doctor": "Check this installation and say how to repair it.",
    "why": "Say what an error means, and what to do about it.",
    "completion": "Print what a shell needs to complete the words of this command.",
}


@dataclass
class Verbosity:
    """How much a command says: 0 results only, 1 steps, 2 traces of failures too."""

    level: int = 0


def module_of(name: str) -> Any:
    """Import a module of this package."""
    return importlib.import_module(f"lxc.commands.{name}")


class Verbs(click.Group):
    """A group that knows its verbs by name and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help page."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb and return its command.

        A shell that completes a word gets one that has the parameters only.
        """
        if cmd_name not in VERBS:
            return None
        if ctx.resilient_parsing:
            outlined: click.Command | None = module_of("outline").outlined(cmd_name)
            return outlined
        try:
            module = module_of(cmd_name)
        except ModuleNotFoundError as problem:
            package = str(problem.name).partition(".")[0]
            if package == "lxc":
                raise
            raise LxcError(
                "LXC-E0306",
                f"lxc {cmd_name} needs the package {package}, which is not installed",
                hint="pip install lxc installs everything that compiling needs",
            ) from None
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a verb, or refuse the word with those that look like it."""
        known = ctx.resilient_parsing or args[0] in VERBS or args[0].startswith("-")
        if not known:
            close = difflib.get_close_matches(args[0], VERBS) or list(VERBS)
            raise LxcError(
                "LXC-E0001",
                f"lxc has no command {args[0]!r}",
                hint=f"it is {one_of(close)}",
            )
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    help="Compile neural networks ahead of time, and run what came out.",
    epilog="Exit status: 0 done, 1 results differ, 2 usage, 3 model, 4 target or "
    "toolchain, 5 artifact, 6 run, 7 resources, 70 a fault of lxc, 130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 92},
    no_args_is_help=False,
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="lxc", message="%(prog)s %(version)s")
@click.pass_context
def lxc(context: click.Context) -> None:
    """Print the help page where no verb is given."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


add_completion_class(Bash)


def verb(example: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a command with `--json`, `-v` and an example.

    The function gets `as_json` with its other options; `verbosity()` tells the rest.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        for option in (
            click.option("--json", "as_json", is_flag=True, help="Print JSON."),
            click.option(
                "-v",
                "--verbose",
                count=True,
                expose_value=False,
                callback=note_verbosity,
                help="Say more: -v steps, -vv traces of failures.",
            ),
        ):
            function = option(function)
        # Backspace keeps click from wrapping the example.
        return click.command(epilog=f"\b\nExample:\n  {example}")(function)

    return decorate


def note_verbosity(context: click.Context, _: click.Parameter, count: int) -> int:
    """Keep the number of -v where errors are reported."""
    context.ensure_object(Verbosity).level = count
    return count


def verbosity() -> int:
    """Return how much the running command is to say."""
    return click.get_current_context().ensure_object(Verbosity).level
