"""lxc params: what parameters a file holds, and the same ones for somebody else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lxc.commands.group import verb
from lxc.commands.leaves import SECTIONS, sections_of
from lxc.commands.screen import bytes_text, print_json, print_table
from lxc.commands.source import load_source
from lxc.errors import LxcError, printable
from lxc.parameters.casting import NAMES, cast
from lxc.parameters.conversion import Converted, convert_params
from lxc.parameters.files import arrays_in, joined
from lxc.parameters.goal import goal_of
from lxc.parameters.listing import Row, Statistics, rows
from lxc.parameters.map_file import read_map, with_our_names
from lxc.parameters.reading import STYLES
from lxc.passes.decision import counted
from lxc.runtime.artifact import read
from lxc.runtime.checkpoint import Array, write_checkpoint
from lxc.runtime.fitting import fitted
from lxc.runtime.load_report import LoadReport
from lxc.runtime.named_trees import Rename, flat_names

FILE = click.Path(path_type=Path)
MAP_HINT = '--map names.json with {"our.path": "their.path"} says what goes by which name'


@verb("lxc params resnet.safetensors --from torch --like model.py:net --to net.safetensors")
@click.argument("file", type=FILE)
@click.option("--stats", is_flag=True, help="Show smallest, largest and mean number too.")
@click.option("--to", "output", type=FILE, help="Write a safetensors file.")
@click.option(
    "--from", "style", type=click.Choice(STYLES), help="Whose names and layouts they are."
)
@click.option("--like", help="The model to fit: an artifact, file.py:name or module:name.")
@click.option(
    "--map", "map_path", type=FILE, help="JSON or TOML with their name for each of ours."
)
@click.option("--cast", "dtype", type=click.Choice(list(NAMES)), help="Cast all floats.")
def command(
    file: Path,
    stats: bool,
    output: Path | None,
    style: str | None,
    like: str | None,
    map_path: Path | None,
    dtype: str | None,
    as_json: bool,
) -> None:
    """List the parameters in FILE, or convert them: .safetensors, .npz or .lxc.

    With --like, names, shapes and types are those of a model; with --from too, they come
    from another framework. What has no place is reported with the nearest names.
    """
    check_options(style, like, output)
    names = None if map_path is None else read_map(map_path)
    arrays, report = arrays_in(file), None
    if like is not None:
        arrays, report = for_model(arrays, model_at(like), style, names)
    elif names is not None:
        arrays = with_our_names(arrays, names)
    if dtype is not None:
        arrays = cast(arrays, dtype)
    if output is not None:
        write(output, arrays)
    listed = rows(arrays, with_statistics=stats)
    show = print_described if as_json else print_rows
    show(output or file, listed, report)


def check_options(style: str | None, like: str | None, output: Path | None) -> None:
    """Refuse options that say nothing together."""
    if style is not None and like is None:
        raise LxcError(
            "LXC-E0001",
            f"layouts of {style} are converted for a model, and none is given",
            hint="--like net.lxc, or --like model.py:net",
        )
    if output is not None and output.suffix != ".safetensors":
        raise LxcError(
            "LXC-E0001",
            f"{output} does not end in .safetensors",
            hint=f"--to {output.with_suffix('.safetensors')}",
        )


def model_at(like: str) -> Any:
    """Return an artifact, or the layer that a source names."""
    return read(Path(like)) if like.endswith(".lxc") else load_source(like)


def for_model(
    arrays: Mapping[str, Array], model: Any, style: str | None, names: Rename
) -> tuple[dict[str, Array], LoadReport]:
    """Return the arrays that a model takes, by its names, and how that went."""
    if style is not None:
        made = convert_params(arrays, model, style=style, rename=names, strict=False)
        made.report.check(f"the parameters of {style} do not fit the model", MAP_HINT)
        return all_names(made), made.report
    goal = goal_of(model)
    has_both = sections_of(arrays) == set(SECTIONS)
    like = {"params": goal.params, "state": goal.state} if has_both else goal.params
    made, report = fitted(arrays, like, names)
    report.check("the parameters do not fit the model", MAP_HINT)
    return flat_names(made), report


def all_names(made: Converted) -> dict[str, Array]:
    """Return what was converted under the names that a file has."""
    state = {} if made.state is None else flat_names(made.state)
    return joined({"params": flat_names(made.params), "state": state})


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write a safetensors file."""
    try:
        write_checkpoint(path, arrays)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LxcError("LXC-E0002", f"cannot write {path}: {reason}") from None


def print_described(path: Path, listed: list[Row], report: LoadReport | None) -> None:
    """Print everything as one JSON document."""
    described: dict[str, Any] = {
        "file": str(path),
        "parameters": sum(row.size for row in listed),
        "bytes": sum(row.bytes for row in listed),
        "arrays": [row.to_json() for row in listed],
    }
    if report is not None:
        described["unexpected"] = [entry.name for entry in report.unexpected]
    print_json(described)


def print_rows(path: Path, listed: list[Row], report: LoadReport | None) -> None:
    """Print a table of what is there."""
    table = [
        (
            printable(row.name),
            row.dtype,
            f"[{', '.join(map(str, row.shape))}]",
            bytes_text(row.bytes),
            *statistics_cells(row.statistics),
        )
        for row in listed
    ]
    has_statistics = any(row.statistics for row in listed)
    extra = ("min", "max", "mean", "not finite") if has_statistics else ()
    print_table(str(path), ("name", "type", "shape", "size", *extra), table)
    count, size = (sum(getattr(row, what) for row in listed) for what in ("size", "bytes"))
    click.echo(f"{counted(len(listed), 'array')}, {count:,} numbers, {bytes_text(size)}")
    for line in report.lines() if report is not None else ():
        click.echo(printable(line))


def statistics_cells(found: Statistics | None) -> tuple[str, ...]:
    """Return what is to be said of the numbers of an array."""
    if found is None:
        return ()
    numbers = (found.lowest, found.highest, found.mean)
    texts = ("-" if number is None else f"{number:.4g}" for number in numbers)
    return (*texts, str(found.not_finite or ""))
