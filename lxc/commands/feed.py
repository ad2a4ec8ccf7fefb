"""Inputs of a run: arrays from files, zeros, or random numbers from a seed."""

import re
import zipfile
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from lxc.commands.pairs import pairs, ranges
from lxc.errors import LxcError
from lxc.parameters.npz import elements_of, header_of
from lxc.runtime.checkpoint import Array, read_checkpoint
from lxc.runtime.extent import interval
from lxc.runtime.signature import DTYPES, Leaf, Signature

SEED = re.compile(r"rand\((\d+)\)")
ARCHIVES = (".npz", ".safetensors")
FORMS = "@x.npy, @x.npz:key, @x.safetensors:key, zeros or rand(seed)"


def input_arrays(
    signature: Signature, texts: Sequence[str], dims: Sequence[str]
) -> dict[str, Array]:
    """Return an array for every input by name; all of them must be given.

    Dimensions of made-up arrays are those of the arrays from files, those that `dims` give,
    or the smallest.
    """
    leaves = {leaf.name: leaf for leaf in signature.inputs.leaves}
    given = pairs("--input", texts, "x=@x.npy")
    for name in given:
        if name not in leaves:
            raise LxcError(
                "LXC-E0001", f"the model has no input {name}", expected=", ".join(leaves)
            )
    missing = [f"{name}: {leaf}" for name, leaf in leaves.items() if name not in given]
    if missing:
        raise LxcError(
            "LXC-E0001",
            "an input of the model is not given",
            expected="; ".join(missing),
            hint=f"--input NAME=..., where ... is {FORMS}",
        )
    largest = {name: most_bytes(leaf, signature) for name, leaf in leaves.items()}
    arrays = {
        name: array_in(text[1:], leaves[name], largest[name])
        for name, text in given.items()
        if text.startswith("@")
    }
    sizes = sizes_of(signature, arrays, ranges(dims))
    for name, text in given.items():
        if name not in arrays:
            arrays[name] = made_up(name, text, leaves[name], sizes)
    return {name: arrays[name] for name in leaves}


def most_bytes(leaf: Leaf, signature: Signature) -> int:
    """Return the size of an input with every dimension at its upper bound."""
    bounds = {dim.name: (dim.low, dim.high) for dim in signature.dims}
    return prod(interval(entry, bounds)[1] for entry in leaf.shape) * leaf.item_bytes


def sizes_of(
    signature: Signature, arrays: Mapping[str, Array], given: Mapping[str, tuple[int, int]]
) -> dict[str, int]:
    """Return a size for every dimension."""
    sizes = {dim.name: max(dim.low, min(1, dim.high)) for dim in signature.dims}
    for name, (low, high) in given.items():
        if name not in sizes or low != high:
            raise LxcError(
                "LXC-E0001",
                f"--dim {name} does not fit the model",
                expected=f"one size for one of: {', '.join(sizes) or 'no dimensions'}",
            )
        sizes[name] = low
    for leaf in signature.inputs.leaves:
        if leaf.name in arrays:
            shape = arrays[leaf.name].shape
            pairs_of_sizes = zip(leaf.shape, shape, strict=False)
            sizes |= {e: n for e, n in pairs_of_sizes if isinstance(e, str)}
    return sizes


def made_up(name: str, text: str, leaf: Leaf, sizes: Mapping[str, int]) -> Array:
    """Return zeros, or normal numbers from a seed; integers and indices are uniform."""
    shape, dtype = leaf.shape_at(sizes), DTYPES[leaf.dtype]
    if text == "zeros":
        return np.zeros(shape, dtype)
    match = SEED.fullmatch(text)
    if match is None:
        raise LxcError(
            "LXC-E0001",
            f"the value of input {name} cannot be understood",
            expected=FORMS,
            actual=text,
        )
    generator = np.random.default_rng(int(match[1]))
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        if leaf.below is not None:
            low, high = 0, leaf.below - 1
        return generator.integers(low, high, shape, dtype, endpoint=True)
    if dtype.kind == "b":
        return generator.random(shape) < 0.5
    return generator.standard_normal(shape).astype(dtype)


def array_in(place: str, leaf: Leaf, largest: int) -> Array:
    """Return the array in a file; `place` is a path, with `:key` for a file of several."""
    path, key = Path(place), ""
    before, _, after = place.rpartition(":")
    if before.endswith(ARCHIVES):
        path, key = Path(before), after
    try:
        if path.suffix == ".safetensors":
            array = read_checkpoint(path).arrays[key]
        elif path.suffix == ".npz":
            array = member_of(path, key, leaf, largest)
        else:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise LxcError("LXC-E0002", f"cannot read {path}: {reason}") from None
    except KeyError:
        raise no_array(path, key) from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise LxcError("LXC-E0002", f"cannot read {path}: {error}") from None
    # NumPy's files know bfloat16 only as two bytes without meaning.
    unnamed = array.dtype.kind == "V" and leaf.dtype == "bfloat16"
    return array.view(DTYPES[leaf.dtype]) if unnamed else array


def no_array(path: Path, key: str) -> LxcError:
    """Return the error for a key that a file does not have."""
    return LxcError(
        "LXC-E0002",
        f"{path} has no array {key!r}" if key else f"{path} holds several arrays by name",
        hint=f"name one: @{path}:key",
    )


def member_of(path: Path, key: str, leaf: Leaf, largest: int) -> Array:
    """Return one array of an npz file, compressed or not, if an input can be that large."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if not key and len(names) == 1:
            key = names[0].removesuffix(".npy")
        info = archive.getinfo(f"{key}.npy")
        with archive.open(info) as stream:
            return array_from(stream, info.file_size, leaf, largest)


def array_from(stream: IO[bytes], length: int, leaf: Leaf, largest: int) -> Array:
    """Return an array in NumPy's format from a stream, after comparing its sizes.

    What is larger than the input can be is not even decompressed.
    """
    header = header_of(stream, length)
    if header.size > largest:
        raise LxcError(
            "LXC-E0501",
            f"the array for input {leaf.name} is larger than the input can be",
            expected=f"{leaf.name}: {leaf}",
            actual=f"{leaf.name}: {header.dtype}[{', '.join(map(str, header.shape))}]",
        )
    return elements_of(stream, header)
