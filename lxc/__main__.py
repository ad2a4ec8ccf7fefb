"""The command line: run one verb, print its error if it fails, and say so by exit status.

Exit status: 0 done, 1 results differ, 2 usage, 3 model, 4 target or toolchain, 5 artifact,
6 run, 7 resources, 70 a fault of lxc, 130 interrupted.
"""

import sys
import traceback
from collections.abc import Sequence

import click

from lxc.commands.group import Verbosity, lxc
from lxc.commands.streams import prepare_streams
from lxc.errors import InternalError, LxcError, printable

INTERNAL, INTERRUPTED = 70, 130


def main() -> None:
    """Run the command line of this process."""
    prepare_streams()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    verbosity = Verbosity()
    try:
        status = lxc.main(
            args=list(arguments), prog_name="lxc", standalone_mode=False, obj=verbosity
        )
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception as problem:
        return report(problem, detailed=verbosity.level > 1)
    return status if isinstance(status, int) else 0


def report(problem: Exception, *, detailed: bool) -> int:
    """Print an error in the one form that all errors have; return its exit status."""
    error = in_one_form(problem)
    click.echo(printable(str(error)), err=True)
    if detailed:
        trace = "".join(traceback.format_exception(problem))
        click.echo(printable(trace), err=True, nl=False)
    return error.exit_status if isinstance(error, LxcError) else INTERNAL


def in_one_form(problem: Exception) -> LxcError | InternalError:
    """Return an exception as an error with a code, or as a fault of lxc."""
    match problem:
        case LxcError() | InternalError():
            return problem
        case click.UsageError():
            command = problem.ctx.command_path if problem.ctx else "lxc"
            words = problem.format_message().rstrip(".")
            return LxcError(
                "LXC-E0001",
                words[:1].lower() + words[1:],
                hint=f"{command} --help shows what it takes",
            )
        case MemoryError():
            return LxcError("LXC-E0601", "there is not enough memory for this")
    words = f"{type(problem).__name__}: {problem}".rstrip(": ")
    return InternalError("the command line", f"{words} (-vv shows where)")


if __name__ == "__main__":
    main()
