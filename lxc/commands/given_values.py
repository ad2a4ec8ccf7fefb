"""Values for a compiled model: given, stored in its artifact, or drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lxc.commands.feed import input_arrays, sizes_of
from lxc.commands.leaves import check_names, check_state, section_of
from lxc.commands.pairs import pairs, ranges
from lxc.errors import LxcError
from lxc.runtime.artifact import Artifact
from lxc.runtime.checkpoint import Array, decode
from lxc.verification.drawn_values import drawn_params, drawn_state
from lxc.verification.given import Given

SOME = 5
"""The size of a dimension that nobody gives, where it can be."""


def value_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what a model is called with."""
    path = click.Path(path_type=Path)
    for option in (
        click.option("--state", type=path, help="Safetensors file."),
        click.option("--params", type=path, help="Safetensors file."),
        click.option("--dim", "dims", multiple=True, help="Size for made-up inputs: N=8."),
        click.option(
            "--input", "inputs", multiple=True, help="x=@x.npy, x=zeros, x=rand(7), ..."
        ),
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class ValueOptions:
    """What the command line says of the values that a model is called with."""

    inputs: tuple[str, ...]
    dims: tuple[str, ...]
    params: Path | None
    state: Path | None

    @property
    def files(self) -> Mapping[str, Path | None]:
        """The files of params and state."""
        return {"params": self.params, "state": self.state}


def values_for(
    artifact: Artifact,
    inputs: Sequence[str],
    dims: Sequence[str],
    files: Mapping[str, Path | None],
    usual: int = SOME,
) -> Given:
    """Return a value for every leaf: given, stored in the artifact, or drawn.

    `usual` is the size of a dimension that nobody gives, where it can be.
    """
    signature = artifact.signature
    named = pairs("--input", inputs, "x=@x.npy")
    texts = list(inputs)
    for place, leaf in enumerate(signature.inputs.leaves):
        if leaf.name not in named:
            texts.append(f"{leaf.name}=rand({place})")
    told = ranges(dims)
    sizes = [
        f"{dim.name}={max(dim.low, min(usual, dim.high))}"
        for dim in signature.dims
        if dim.name not in told
    ]
    arrays = input_arrays(signature, texts, [*dims, *sizes])
    known = sizes_of(signature, arrays, {})
    return given_with(artifact, arrays, known, ", ".join(inputs) or "drawn", files)


def values_like(
    artifact: Artifact, given: Given, files: Mapping[str, Path | None]
) -> Given:
    """Return values for another artifact, with the same inputs: by name, or by order."""
    names = [leaf.name for leaf in artifact.signature.inputs.leaves]
    if len(names) != len(given.inputs):
        raise LxcError(
            "LXC-E0001",
            f"{artifact.name} takes other inputs",
            expected=", ".join(given.inputs) or "no inputs",
            actual=", ".join(names) or "no inputs",
        )
    if given.inputs.keys() == set(names):
        arrays = {name: given.inputs[name] for name in names}
    else:
        arrays = dict(zip(names, given.inputs.values(), strict=True))
    known = sizes_of(artifact.signature, arrays, {})
    return given_with(artifact, arrays, known, given.origins["inputs"], files)


def given_with(
    artifact: Artifact,
    inputs: Mapping[str, Array],
    sizes: Mapping[str, int],
    origin: str,
    files: Mapping[str, Path | None],
) -> Given:
    """Return inputs with the params and the state that go with them."""
    origins = {"inputs": origin}
    found: dict[str, Mapping[str, Array]] = {}
    for section, path in files.items():
        found[section], origins[section] = section_for(artifact, section, path, sizes)
    return Given(inputs, found["params"], found["state"], sizes, origins)


def section_for(
    artifact: Artifact, section: str, path: Path | None, sizes: Mapping[str, int]
) -> tuple[Mapping[str, Array], str]:
    """Return the params or the state, and where they come from."""
    group = artifact.signature.groups[section]
    if path is not None:
        found = section_of(path, section)
        if section == "state":
            check_state(path, found, group)
        else:
            names = [leaf.name for leaf in group.leaves]
            check_names(section, path, list(found), names)
        return found, str(path)
    member = f"{section}.safetensors"
    if member in artifact:
        return decode(artifact.view(member)).arrays, "the artifact"
    drawn = drawn_params(group) if section == "params" else drawn_state(group, sizes)
    return drawn, "drawn"
