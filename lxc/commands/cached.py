"""The options of the cache: where code that was compiled before is kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lxc.caching.code_cache import CodeCache
from lxc.caching.folder import usual_folder
from lxc.commands.screen import Say
from lxc.errors import LxcError


def cache_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--cache` and `--no-cache`."""
    for option in (
        click.option(
            "--cache",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="FOLDER",
            help="Where compiled code is kept; ~/.cache/lxc by default.",
        ),
        click.option("--no-cache", is_flag=True, help="Compile, whatever is kept."),
    ):
        function = option(function)
    return function


def chosen_cache(folder: Path | None, no_cache: bool, say: Say) -> CodeCache | None:
    """Return the cache that the command line asks for."""
    if no_cache:
        if folder is not None:
            raise LxcError("LXC-E0001", "--cache and --no-cache contradict each other")
        return None
    folder = folder or usual_folder()
    return None if folder is None else CodeCache(folder, say=say)
