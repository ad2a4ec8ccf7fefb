"""Taking the leaves off a tree whose structure is known, as fast as Python can.

A reader follows the structure instead of the tree: dicts are read by key, in the order that
the structure has, so a dict with the same keys in another order fits too. What does not fit
is found and described only after a reader has given up.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np

from lxc.structure import Static, Structure
from lxc.tree import Optional

NO_LEAVES = (dict, list, tuple, bool, int, float, str)
ABSENT: Any = None
"""Stands for the leaves of something optional that is missing in a call."""

THERE = np.asarray(True)
Reader = Callable[[Any, list[Any]], None]
"""Appends the leaves of a tree to a list, or raises `MisfitError`."""


class MisfitError(Exception):
    """A tree has another structure than its reader."""


def reader(structure: Structure) -> Reader:
    """Return the function that reads trees of `structure`."""
    match structure.kind:
        case "leaf":
            return read_leaf
        case "none":
            return read_none
        case "static":
            return static_reader(structure.value)
        case "dict":
            return dict_reader(structure)
        case "list":
            return sequence_reader(list, structure)
        case "tuple":
            return sequence_reader(tuple, structure)
        case "optional":
            return optional_reader(structure)
        case "unstack":
            return read_leaf
        case "same":
            return same_reader(structure.number)


def read_leaf(tree: Any, leaves: list[Any]) -> None:
    """Append a leaf; containers and statics are none."""
    read_leaves((tree,), leaves)


def read_none(tree: Any, leaves: list[Any]) -> None:
    """Accept None only."""
    if tree is not None:
        raise MisfitError


def static_reader(value: Static | None) -> Reader:
    """Return the reader that accepts `value` only."""

    def read(tree: Any, leaves: list[Any]) -> None:
        if type(tree) is not type(value) or tree != value:
            raise MisfitError

    return read


def optional_reader(structure: Structure) -> Reader:
    """Return the reader that takes None, too: its leaves are then `ABSENT`."""
    (child,) = structure.children
    absent = [ABSENT] * (1 + child.leaf_count)
    read_child = reader(child)

    def read(tree: Any, leaves: list[Any]) -> None:
        if tree is None:
            leaves.extend(absent)
        elif isinstance(tree, Optional):
            leaves.append(tree.present)
            read_child(tree.value, leaves)
        else:
            leaves.append(THERE)
            read_child(tree, leaves)

    return read


def same_reader(place: int) -> Reader:
    """Return the reader of a tied leaf: it must be, or equal, the one it is tied to."""

    def read(tree: Any, leaves: list[Any]) -> None:
        if tree is not leaves[place] and not equal_contents(tree, leaves[place]):
            raise MisfitError

    return read


def equal_contents(one: Any, other: Any) -> bool:
    """Tell whether two leaves are arrays with the same bytes."""
    if is_no_leaf(one) or is_no_leaf(other):
        return False
    try:
        first, second = np.asarray(one), np.asarray(other)
    except (RuntimeError, TypeError, ValueError):
        # What another library does not hand over counts as different.
        return False
    return (first.dtype, first.shape) == (second.dtype, second.shape) and (
        first.tobytes() == second.tobytes()
    )


def dict_reader(structure: Structure) -> Reader:
    """Return the reader for a dict with the keys of `structure`."""
    count = len(structure.keys)
    read_values = sequence_of(structure)
    if count == 0:
        return exact_reader(dict)
    get = itemgetter(*structure.keys)

    def read(tree: Any, leaves: list[Any]) -> None:
        if not isinstance(tree, dict) or len(tree) != count:
            raise MisfitError
        try:
            values = get(tree)
        except KeyError:
            raise MisfitError from None
        read_values((values,) if count == 1 else values, leaves)

    return read


def sequence_reader(
    kind: type[list[Any]] | type[tuple[Any, ...]], structure: Structure
) -> Reader:
    """Return the reader for a list or a tuple."""
    count = len(structure.children)
    read_values = sequence_of(structure)

    def read(tree: Any, leaves: list[Any]) -> None:
        if not isinstance(tree, kind) or len(tree) != count:
            raise MisfitError
        read_values(tree, leaves)

    return read


def exact_reader(kind: type) -> Reader:
    """Return the reader for a container that must be empty."""

    def read(tree: Any, leaves: list[Any]) -> None:
        if not isinstance(tree, kind) or tree:
            raise MisfitError

    return read


def sequence_of(structure: Structure) -> Reader:
    """Return the reader for the values of a container, in order."""
    readers = tuple(reader(child) for child in structure.children)
    if all(read is read_leaf for read in readers):
        return read_leaves

    def read(values: Any, leaves: list[Any]) -> None:
        for read_value, value in zip(readers, values, strict=True):
            read_value(value, leaves)

    return read


def read_leaves(values: Any, leaves: list[Any]) -> None:
    """Append values that must all be leaves."""
    for value in values:
        if type(value) is not np.ndarray and (value is None or is_no_leaf(value)):
            raise MisfitError
    leaves.extend(values)


def is_no_leaf(value: Any) -> bool:
    """Tell whether a value is a container or a setting; NumPy's scalars are arrays."""
    return isinstance(value, NO_LEAVES) and not isinstance(value, np.generic)


def builder(structure: Structure) -> Callable[[list[Any]], Any]:
    """Return the function that puts leaves, in order, into a tree of `structure`."""
    places = iter(range(structure.leaf_count))
    return tree_builder(structure, places)


def slices_builder(place: int, axis: int) -> Callable[[list[Any]], Any]:
    """Return the builder of the list of slices of a leaf along an axis."""
    return lambda leaves: list(np.moveaxis(leaves[place], axis, 0))


def tree_builder(structure: Structure, places: Any) -> Callable[[list[Any]], Any]:
    """Return the builder of a part of a tree, whose leaves are at the next `places`."""
    place = -1
    match structure.kind:
        case "leaf":
            return itemgetter(next(places))
        case "none" | "static":
            value = structure.value
            return lambda leaves: value
        case "unstack":
            return slices_builder(next(places), structure.number)
        case "same":
            return itemgetter(structure.number)
        case "optional":
            place = next(places)
    children = [tree_builder(child, places) for child in structure.children]
    match structure.kind:
        case "dict":
            pairs = list(zip(structure.keys, children, strict=True))
            return lambda leaves: {key: build(leaves) for key, build in pairs}
        case "list":
            return lambda leaves: [build(leaves) for build in children]
        case "tuple":
            return lambda leaves: tuple(build(leaves) for build in children)
    (build,) = children
    return lambda leaves: build(leaves) if leaves[place] else None
