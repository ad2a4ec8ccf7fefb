"""lxc doctor: check the installation, one line per thing, with the fix where one is due."""

import click

from lxc.commands.checks import Finding, findings
from lxc.commands.group import verb
from lxc.commands.screen import print_json

STATUS_OF_TARGETS = 4


@verb("lxc doctor")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check versions, compilers, the processor and cards; compile and run a small model.

    Exit status 4 if something is missing that compiling needs. What only targets for cards
    need may be missing.
    """
    found: list[Finding] = []
    for finding in findings():
        found.append(finding)
        if not as_json:
            show(finding)
    if as_json:
        print_json([finding.to_json() for finding in found])
    if not all(finding.fine for finding in found):
        context.exit(STATUS_OF_TARGETS)


def show(finding: Finding) -> None:
    """Print one finding, and the command that repairs it."""
    word = "FAIL" if not finding.fine else "none" if finding.absent else "ok  "
    click.echo(f"{word}  {finding.name}: {finding.found}")
    if word != "ok  " and finding.fix:
        click.echo(f"      fix: {finding.fix}")
