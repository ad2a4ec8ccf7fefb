"""Put arrays into the places of a tree that have their names."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lxc.runtime.checkpoint import Array
from lxc.runtime.load_report import Difference, LoadReport, unmatched
from lxc.runtime.named_trees import Rename, entries, renamed, with_entries

FLOATS = {"float16", "bfloat16", "float32", "float64"}
Changes = dict[str, list[Difference]]


def tree_of(names: Mapping[str, Any], like: Any, *, rename: Rename = None) -> Any:
    """Return a tree in the structure of `like` with the arrays of these names.

    A leaf without an array, or with one that does not fit, is an error; names that the tree
    lacks are ignored. Floats are converted to the float type of the leaf in `like`, and
    axes of size 1 that the leaf does not have are dropped.
    """
    tree, report = fitted(names, like, rename)
    report.check("the arrays do not fit the model")
    return tree


def fitted(arrays: Mapping[str, Any], like: Any, rename: Rename) -> tuple[Any, LoadReport]:
    """Return `like` with the arrays that fit into it, and how that went.

    A None in `like` is a leaf that may be absent: it takes whatever has its name. Places of
    one array in `like` get one array again, which may be there under any of their names.
    """
    leaves = dict(entries(like))
    theirs = renamed(leaves, rename)
    changes: Changes = {"misshaped": [], "cast": [], "squeezed": []}
    taken = {}
    for path, leaf in leaves.items():
        if theirs[path] in arrays:
            array = np.asarray(arrays[theirs[path]])
            made = array if leaf is None else fit(path, array, leaf, changes)
            if made is not None:
                taken[path] = made
    tie(leaves, taken, changes)
    failed = {difference.name for difference in changes["misshaped"]}
    needed = [path for path, leaf in leaves.items() if leaf is not None]
    absent = [theirs[path] for path in needed if path not in taken and path not in failed]
    looked_for = set(theirs.values())
    spare = [name for name in arrays if name not in looked_for]
    report = LoadReport(
        len(taken),
        unmatched(absent, spare),
        unmatched(spare, absent),
        **{kind: tuple(found) for kind, found in changes.items()},
    )
    return with_entries(like, taken), report


def tie(leaves: Mapping[str, Any], taken: dict[str, Array], changes: Changes) -> None:
    """Give all places of one array in `leaves` what the first of them took, if any did."""
    places: dict[int, list[str]] = {}
    for path, leaf in leaves.items():
        if leaf is not None:
            places.setdefault(id(leaf), []).append(path)
    failed = {difference.name for difference in changes["misshaped"]}
    for paths in places.values():
        found = [path for path in paths if path in taken]
        for path in paths if found else ():
            if path in taken and not same_bytes(taken[path], taken[found[0]]):
                other = Difference(path, f"the values of {found[0]}", "other values")
                changes["misshaped"].append(other)
                del taken[path]
            elif path not in failed:
                taken[path] = taken[found[0]]


def same_bytes(one: Array, other: Array) -> bool:
    """Return whether two arrays of one type hold the same, NaNs included."""
    return one is other or one.tobytes() == other.tobytes()


def fit(path: str, array: Array, leaf: Any, changes: Changes) -> Array | None:
    """Return an array in the shape and float type of `leaf`, noting changes, or None."""
    shape, dtype = tuple(np.shape(leaf)), np.asarray(leaf).dtype
    difference = Difference(
        path, type_text(dtype, shape), type_text(array.dtype, array.shape)
    )
    squeezes, casts = array.shape != shape, array.dtype != dtype
    if (squeezes and not drops_to(array.shape, shape)) or (
        casts and not {array.dtype.name, dtype.name} <= FLOATS
    ):
        changes["misshaped"].append(difference)
        return None
    if squeezes:
        changes["squeezed"].append(difference)
        array = array.reshape(shape)
    if casts:
        changes["cast"].append(difference)
        array = array.astype(dtype)
        array.flags.writeable = False
    return array


def drops_to(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Return whether leaving out axes of size 1 turns `shape` into `wanted`."""
    if len(shape) <= len(wanted):
        return False
    left = list(wanted)
    for size in shape:
        if left and left[0] == size:
            left.pop(0)
        elif size != 1:
            return False
    return not left


def type_text(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    """Return element type and shape: `float32[10, 128]`."""
    return f"{dtype.name}[{', '.join(map(str, shape))}]"
