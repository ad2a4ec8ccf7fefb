"""lxc completion: what a shell reads to complete the words of this command line."""

import click
from click.shell_completion import get_completion_class

from lxc.commands.group import lxc, verb
from lxc.commands.screen import print_json
from lxc.errors import InternalError

WHERE = {
    "bash": "~/.local/share/bash-completion/completions/lxc",
    "zsh": "a folder of $fpath, as the file _lxc",
    "fish": "~/.config/fish/completions/lxc.fish",
}


@verb("lxc completion bash > ~/.local/share/bash-completion/completions/lxc")
@click.argument("shell", type=click.Choice(tuple(WHERE)))
def command(shell: str, as_json: bool) -> None:
    """Print the script with which SHELL completes verbs, options, targets and names.

    Names of inputs, outputs and dimensions come from the artifact that the line names.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise InternalError("completion", f"click has no script for {shell}")
    script = kind(lxc, {}, "lxc", "_LXC_COMPLETE").source()
    if as_json:
        print_json({"shell": shell, "script": script, "file": WHERE[shell]})
        return
    click.echo(script)
