"""Arrays that a command line names: in files by name, or on the standard input."""

import sys
import zipfile
from collections.abc import Mapping
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from lxc.errors import LxcError
from lxc.parameters.npz import elements_of, header_of
from lxc.runtime.checkpoint import Array, read_checkpoint
from lxc.runtime.extent import evaluate, names
from lxc.runtime.signature import DTYPES, Leaf

ARCHIVES = (".npz", ".safetensors")
RAW = (".raw", ".bin")
STANDARD_INPUT = "-"
LONGEST_HEADER = 1 << 16
"""No fewer bytes than NumPy writes in front of the elements of an array."""


def array_in(place: str, leaf: Leaf, largest: int, told: Mapping[str, int]) -> Array:
    """Return the array in a file; `place` is a path, with `:key` for a file of several.

    A path of `-` is the standard input, with one array in NumPy's format. A file of nothing
    but elements in C order gets the sizes that were `told`, and one more by its length.
    """
    path, key = Path(place), ""
    before, _, after = place.rpartition(":")
    if before.endswith(ARCHIVES):
        path, key = Path(before), after
    try:
        if place == STANDARD_INPUT:
            array = from_standard_input(leaf, largest)
        elif path.suffix in RAW:
            array = elements_in(path, leaf, largest, told)
        elif path.suffix == ".safetensors":
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


def from_standard_input(leaf: Leaf, largest: int) -> Array:
    """Return the array on the standard input, reading no more than an input can be."""
    most = LONGEST_HEADER + largest
    contents = sys.stdin.buffer.read(most)
    return array_from(BytesIO(contents), len(contents), leaf, largest)


def elements_in(path: Path, leaf: Leaf, largest: int, told: Mapping[str, int]) -> Array:
    """Return the elements in a file, which has nothing but them."""
    length = path.stat().st_size
    shape = shape_by_length(leaf, length, told)
    if prod(shape) * leaf.item_bytes != length or length > largest:
        raise LxcError(
            "LXC-E0501",
            f"the length of {path} does not fit input {leaf.name}",
            expected=f"{leaf.name}: {leaf}, elements of {leaf.item_bytes} bytes",
            actual=f"{length} bytes",
        )
    return np.fromfile(path, DTYPES[leaf.dtype]).reshape(shape)


def shape_by_length(leaf: Leaf, length: int, told: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape of an input of `length` bytes of which one size may be unknown."""
    unknown = {entry for entry in leaf.shape if not names(entry) <= told.keys()}
    known = [evaluate(entry, told) for entry in leaf.shape if entry not in unknown]
    if not unknown:
        return tuple(known)
    (free, *others) = sorted(unknown, key=str)
    if others or not isinstance(free, str) or leaf.shape.count(free) > 1:
        raise LxcError(
            "LXC-E0001",
            f"the elements of input {leaf.name} have no shape",
            expected=f"{leaf.name}: {leaf}",
            hint=f"--dim {min(set().union(*map(names, unknown)))}=...",
        )
    size = length // max(1, prod(known) * leaf.item_bytes)
    return tuple(evaluate(entry, {**told, free: size}) for entry in leaf.shape)


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
