"""lxc run: a compiled model on arrays from files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from lxc.calling import call, leaves_of
from lxc.commands.feed import input_arrays
from lxc.commands.group import verb, verbosity
from lxc.commands.leaves import check_names, section_of
from lxc.commands.pairs import pairs
from lxc.commands.screen import print_json, print_table
from lxc.errors import LxcError, printable
from lxc.runtime import CompiledModel, load
from lxc.runtime.artifact import read
from lxc.runtime.checkpoint import Array, flatten_names, tree_from, write_checkpoint
from lxc.runtime.signature import Group
from lxc.tree_paths import trees_by_key

SHOWN = 6


@verb("lxc run digits.lxc --input x=@images.npy --output y=@logits.npy")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--input", "inputs", multiple=True, help="x=@x.npy, x=zeros, x=rand(7), ...")
@click.option("--dim", "dims", multiple=True, help="Size for made-up inputs: N=8.")
@click.option("--params", type=click.Path(path_type=Path), help="Safetensors file.")
@click.option("--state-in", type=click.Path(path_type=Path), help="Safetensors file.")
@click.option(
    "--state-out", type=click.Path(path_type=Path), help="File for the new state."
)
@click.option("--output", "outputs", multiple=True, help="File for an output: y=@y.npy.")
@click.option(
    "--save-outputs",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder for all outputs, a file each: NAME.npy.",
)
@click.option("--threads", type=click.IntRange(1), help="Number of threads of the call.")
@click.option("--target", help="The code to run; the best that fits by default.")
def command(
    artifact: Path,
    inputs: tuple[str, ...],
    dims: tuple[str, ...],
    params: Path | None,
    state_in: Path | None,
    state_out: Path | None,
    outputs: tuple[str, ...],
    folder: Path | None,
    threads: int | None,
    target: str | None,
    as_json: bool,
) -> None:
    """Run the model in ARTIFACT once and show what came out.

    An input is an array in a file (@x.npy, @x.npz:key, @x.safetensors:key, or @x.raw with
    nothing but elements in C order), one in NumPy's format on the standard input (@-),
    zeros, or normal numbers from a seed: rand(7). Values that no file gives are those in
    the artifact.
    """
    files = {name: output_file(name, text) for name, text in output_pairs(outputs).items()}
    model = load(artifact, target=target, threads=threads or noted_threads(artifact))
    if verbosity():
        click.echo(printable(f"code for {model.choice}"), err=True)
    signature = model.signature
    names = [leaf.name for leaf in signature.outputs.leaves]
    for name in files:
        if name not in names:
            raise LxcError(
                "LXC-E0001", f"the model has no output {name}", expected=", ".join(names)
            )
    trees = trees_by_key(input_arrays(signature, inputs, dims))
    ps = values(model, "params", params)
    st = values(model, "state", state_in)
    results, state = call(model, trees, ps, st)
    arrays = dict(zip(names, leaves_of(signature.outputs.tree, results), strict=True))
    if folder is not None:
        files = {**paths_in(folder, names), **files}
    for name, path in files.items():
        save_array(path, arrays[name])
    if state_out is not None:
        save_state(state_out, state)
    show(arrays, model, as_json=as_json)


def noted_threads(path: Path) -> int | None:
    """Return the number of threads that the artifact was compiled with, if any."""
    noted = read(path).manifest.options.get("threads")
    return noted if type(noted) is int and noted > 0 else None


def output_pairs(texts: Sequence[str]) -> dict[str, str]:
    """Return `--output` arguments by name."""
    return pairs("--output", texts, "y=@y.npy")


def output_file(name: str, text: str) -> Path:
    """Return the file for an output."""
    if not text.startswith("@") or not text.endswith(".npy"):
        raise LxcError(
            "LXC-E0001",
            f"the file for output {name} cannot be understood",
            expected=f"--output {name}=@{name}.npy",
            actual=f"--output {name}={text}",
        )
    return Path(text[1:])


def paths_in(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return a file for every output in a folder, which is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {folder}: {error.strerror}") from None
    return {name: folder / f"{name}.npy" for name in names}


def values(model: CompiledModel, section: str, path: Path | None) -> Any:
    """Return a tree of params or state: from a file, or those in the artifact."""
    group: Group = model.signature.groups[section]
    if path is None:
        if not group.leaves:
            return tree_from({}, group, section)
        stored: Any = getattr(model, section)
        return stored
    found = section_of(path, section)
    names = [leaf.name for leaf in group.leaves]
    check_names(section, path, list(found), names, group.optional_names)
    return tree_from(found, group, section)


def save_array(path: Path, array: Array) -> None:
    """Write an array in NumPy's format."""
    try:
        np.save(path, array, allow_pickle=False)
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {path}: {error.strerror}") from None


def save_state(path: Path, state: Any) -> None:
    """Write the new state as a safetensors file."""
    try:
        write_checkpoint(path, flatten_names(state))
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {path}: {error.strerror}") from None


def show(arrays: Mapping[str, Array], model: CompiledModel, *, as_json: bool) -> None:
    """Print a summary of the outputs."""
    if as_json:
        described = {
            name: {
                "dtype": array.dtype.name,
                "shape": list(array.shape),
                "first": first_values(array),
            }
            for name, array in arrays.items()
        }
        print_json({"target": model.target.name, "outputs": described})
        return
    rows = [
        (
            name,
            f"{array.dtype.name}[{', '.join(map(str, array.shape))}]",
            values_text(array),
        )
        for name, array in arrays.items()
    ]
    print_table(f"outputs ({model.target.name})", ("name", "type", "first values"), rows)


def first_values(array: Array) -> list[Any]:
    """Return the first elements in C order; numbers that JSON lacks become words."""
    found = [item.item() for item in array.reshape(-1)[:SHOWN].astype(wide(array))]
    return [item if np.isfinite(item) else str(item) for item in found]


def wide(array: Array) -> Any:
    """Return an element type that Python's numbers hold."""
    return array.dtype if array.dtype.kind in "biu" else np.float64


def values_text(array: Array) -> str:
    """Return the first elements as text."""
    shown = [
        f"{item:.6g}" if isinstance(item, float) else str(item)
        for item in first_values(array)
    ]
    return " ".join(shown) + (" ..." if array.size > SHOWN else "")
