"""Arrays by name in safetensors files; the names are paths in a tree.

Reading checks the whole header before the first array is made: no gaps, no overlaps, sizes
that fit shapes, a closed set of types. The arrays are read-only views of the file. Writing
depends on names and values only. Nothing here can run code.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import TensorSpec, serialize

from lxc.errors import LxcError
from lxc.runtime.contents import FileContents
from lxc.runtime.files import write_atomically
from lxc.runtime.manifest import canonical, without_duplicates
from lxc.runtime.signature import DTYPES, MOST_AXES, Group
from lxc.runtime.trees import builder
from lxc.tree import flatten

Array = np.ndarray[Any, np.dtype[Any]]

STORED_DTYPES = {
    "BOOL": "bool",
    **{
        f"{kind}{bits}": f"{word}{bits}"
        for kind, word, bits in (
            *(("I", "int", bits) for bits in (8, 16, 32, 64)),
            *(("U", "uint", bits) for bits in (8, 16, 32, 64)),
            *(("F", "float", bits) for bits in (16, 32, 64)),
        )
    },
    "BF16": "bfloat16",
}
METADATA_KEY = "lxc"
LARGEST_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Arrays by name, and what the writer noted about them."""

    arrays: Mapping[str, Array]
    metadata: Mapping[str, Any]


def encode(arrays: Mapping[str, Array], metadata: Mapping[str, Any] | None = None) -> bytes:
    """Return `arrays` in the safetensors format."""
    kept = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    specs = {}
    for name, array in kept.items():
        if array.dtype.name not in DTYPES or not array.dtype.isnative:
            raise damage(f"{name} has the type {array.dtype}, which cannot be stored")
        specs[name] = TensorSpec(
            dtype=array.dtype.name,
            shape=arrays[name].shape,
            data_ptr=array.ctypes.data,
            data_len=array.nbytes,
        )
    # One key only: the format's writer puts several into random order.
    noted = {METADATA_KEY: canonical(dict(metadata)).decode()} if metadata else None
    return bytes(serialize(specs, metadata=noted))


def decode(contents: memoryview) -> Checkpoint:
    """Return the arrays in `contents` as read-only views."""
    header, start = read_header(contents)
    noted = header.pop("__metadata__", {})
    body = contents[start:].toreadonly()
    spans = sorted(entry_span(name, entry) for name, entry in header.items())
    position = 0
    for begin, end, _ in spans:
        if begin != position:
            raise damage("there is a gap or an overlap between its arrays")
        position = end
    if position != len(body):
        raise damage("it is shorter or longer than its header says")
    arrays = {name: view(name, header[name], body[begin:end]) for begin, end, name in spans}
    return Checkpoint({name: arrays[name] for name in header}, read_metadata(noted))


def read_header(contents: memoryview) -> tuple[dict[str, Any], int]:
    """Return the parsed header and where the data begins."""
    if len(contents) < 8:
        raise damage("it is too short")
    (length,) = struct.unpack("<Q", contents[:8])
    if length > LARGEST_HEADER or 8 + length > len(contents):
        raise damage("its header is larger than the file")
    try:
        header = json.loads(
            bytes(contents[8 : 8 + length]), object_pairs_hook=without_duplicates
        )
    except (ValueError, RecursionError):
        raise damage("its header is not JSON") from None
    if not isinstance(header, dict):
        raise damage("its header is not an object")
    return header, 8 + length


def entry_span(name: str, entry: Any) -> tuple[int, int, str]:
    """Return where the data of an entry begins and ends, after checking type and size."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise damage(f"its entry for {name[:80]!r} is malformed")
    shape, offsets = entry["shape"], entry["data_offsets"]
    numbers = (
        shape + offsets if isinstance(shape, list) and isinstance(offsets, list) else [-1]
    )
    if not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
        raise damage(f"its entry for {name[:80]!r} has no valid shape or place")
    dtype = STORED_DTYPES.get(str(entry["dtype"]))
    if len(offsets) != 2 or len(shape) > MOST_AXES or dtype is None:
        raise damage(f"its entry for {name[:80]!r} has an unknown type or too many axes")
    begin, end = offsets
    if end - begin != prod(shape) * DTYPES[dtype].itemsize:
        raise damage(f"the size of {name[:80]!r} does not fit its shape")
    return begin, end, name


def view(name: str, entry: Mapping[str, Any], data: memoryview) -> Array:
    """Return the array of one entry; a copy only where the file has it out of alignment."""
    dtype = DTYPES[STORED_DTYPES[entry["dtype"]]]
    array: Array = np.frombuffer(data, dtype=np.uint8).view(dtype).reshape(entry["shape"])
    if not array.flags.aligned:
        array = array.copy()
    array.flags.writeable = False
    return array


def read_metadata(noted: Any) -> dict[str, Any]:
    """Return what the writer noted; metadata of other writers stays text."""
    if not isinstance(noted, dict) or not all(isinstance(v, str) for v in noted.values()):
        raise damage("its metadata is not text")
    if METADATA_KEY not in noted:
        return noted
    try:
        value = json.loads(noted[METADATA_KEY])
    except (ValueError, RecursionError):
        raise damage("its metadata is not JSON") from None
    return value if isinstance(value, dict) else {METADATA_KEY: value}


def write_checkpoint(
    path: Path | str, arrays: Mapping[str, Array], metadata: Mapping[str, Any] | None = None
) -> None:
    """Put `arrays` into the file `path` atomically."""
    write_atomically(Path(path), [encode(arrays, metadata)])


def read_checkpoint(path: Path | str) -> Checkpoint:
    """Return the arrays in the file `path` as read-only views of it."""
    return decode(FileContents(Path(path)).view)


def flatten_names(tree: Any) -> dict[str, Array]:
    """Return the leaves of `tree` by path."""
    leaves, structure = flatten(tree)
    return dict(zip(structure.paths(), map(np.asarray, leaves), strict=True))


def tree_from(arrays: Mapping[str, Array], group: Group, what: str) -> Any:
    """Return the tree of `group` with the arrays of its names, which must all be there.

    Something optional is None if the arrays lack all of it.
    """
    names = [leaf.name for leaf in group.leaves]
    leaves = {name: arrays.get(name) for name in names}
    required = set(names)
    for places in group.tree.optional_leaves():
        present, *inside = (names[place] for place in places)
        found = [name for name in inside if name in arrays]
        leaves[present] = np.asarray(bool(found))
        required -= {present, *(() if found else inside)}
    problems = [f"{name} is missing" for name in names if name in required - arrays.keys()]
    problems += [
        f"{name} is not a leaf of the model" for name in arrays if name not in names
    ]
    if problems:
        raise LxcError(
            "LXC-E0409",
            f"the stored {what} do not fit the model",
            actual="; ".join(problems),
        )
    return builder(group.tree)(list(leaves.values()))


def damage(problem: str) -> LxcError:
    """Return the error for a file that is not as the format wants it."""
    return LxcError("LXC-E0409", f"the safetensors file cannot be used: {problem}")
