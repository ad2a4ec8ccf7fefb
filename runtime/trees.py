"""Taking the leaves off a tree whose structure is known, and putting them into one.

A reader follows the structure instead of the tree: dicts are read by key, in the order that
the structure has, so a dict with the same keys in another order fits too. What does not fit
is found and described only after a reader has given up.

A call of a small model would spend most of its time in trees. So a small part of a tree is
read and built by a function made for it, without loops, as `dataclasses` makes them. To
make one takes as long as thousands of calls: parts that are alike share one, and large
parts are loops over smaller ones.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lxc.runtime.tree_code import SMALL, Code, literal
from lxc.structure import Structure
from lxc.tree import Optional

NO_LEAVES = (dict, list, tuple, bool, int, float, str)
ABSENT: Any = None
"""Stands for the leaves of something optional that is missing in a call."""

THERE = np.asarray(True)
Reader = Callable[[Any, list[Any]], None]
"""Appends the leaves of a tree to a list, or raises `MisfitError`."""

Builder = Callable[[Sequence[Any], int], Any]
"""Returns a tree with the leaves of a list from a place on."""

CONTAINERS: dict[str, Any] = {"dict": dict, "list": list, "tuple": tuple}


class MisfitError(Exception):
    """A tree has another structure than its reader."""


def size_of(structure: Structure) -> int:
    """Return the number of containers, leaves and settings."""
    return 1 + sum(map(size_of, structure.children))


def reader(structure: Structure) -> Reader:
    """Return the function that reads trees of `structure`."""
    return reader_of(structure, {})


def reader_of(structure: Structure, made: dict[str, Reader]) -> Reader:
    """Return the reader of a part; parts that are alike share the one in `made`."""
    key = repr(structure)  # structures with 1 and with True are equal
    if key not in made:
        large = structure.kind in CONTAINERS and size_of(structure) > SMALL
        make = large_reader if large else small_reader
        made[key] = make(structure, made)
    return made[key]


def large_reader(structure: Structure, made: dict[str, Reader]) -> Reader:
    """Return the reader of a container that calls those of its entries."""
    kind, count = CONTAINERS[structure.kind], len(structure.children)
    keys: Sequence[Any] = structure.keys if kind is dict else range(count)
    pairs = [
        (key, reader_of(child, made))
        for key, child in zip(keys, structure.children, strict=True)
    ]

    def read(tree: Any, leaves: list[Any]) -> None:
        if not isinstance(tree, kind) or len(tree) != count:
            raise MisfitError
        for key, read_entry in pairs:
            try:
                entry = tree[key]
            except KeyError:
                raise MisfitError from None
            read_entry(entry, leaves)

    return read


def small_reader(structure: Structure, made: dict[str, Reader]) -> Reader:
    """Return the function made for a part of a tree."""
    source = ReaderSource(made)
    source.take(structure, "tree")
    code = source.code
    code.lines.append(f"leaves += ({''.join(f'{item}, ' for item in source.items)})")
    for text, number in source.ties:
        code.stop(f"not equal_leaves({text}, leaves[{number}])", "MisfitError")
    return code.function("None", "MisfitError")


class ReaderSource:
    """The source of a reader as it follows the structure.

    `items` are the expressions that are appended to the list of leaves, `ties` those that
    must equal a leaf in it.
    """

    def __init__(self, made: dict[str, Reader]) -> None:
        """Begin in front of the first leaf."""
        self.made = made
        self.code = Code(
            "tree, leaves",
            MisfitError=MisfitError,
            ndarray=np.ndarray,
            is_no_leaf=is_no_leaf,
            equal_leaves=equal_leaves,
        )
        self.items: list[str] = []
        self.ties: list[tuple[str, int]] = []

    def take(self, structure: Structure, text: str) -> None:
        """Write how the part of a tree that the expression `text` gives is read."""
        match structure.kind:
            case "leaf" | "unstack":
                self.take_leaf(text)
            case "none":
                self.code.stop(f"{text} is not None", "MisfitError")
            case "static":
                self.take_static(structure, text)
            case "same":
                self.ties.append((self.code.variable(text), structure.number))
            case "optional":
                read = self.code.constant(optional_reader(structure, self.made))
                self.items.append(f"*{self.code.variable(f'{read}({text})')}")
            case "dict" | "list" | "tuple":
                self.take_container(structure, text)

    def take_leaf(self, text: str) -> None:
        """Write the test of a leaf: containers and statics are none."""
        leaf = self.code.variable(text)
        self.code.stop(f"type({leaf}) is not ndarray and is_no_leaf({leaf})", "MisfitError")
        self.items.append(leaf)

    def take_static(self, structure: Structure, text: str) -> None:
        """Write the comparison with the one value that fits."""
        given, value = self.code.variable(text), self.code.constant(structure.value)
        kind = self.code.constant(type(structure.value))
        self.code.stop(f"type({given}) is not {kind} or {given} != {value}", "MisfitError")

    def take_container(self, structure: Structure, text: str) -> None:
        """Write the test of a container, and how its entries are read."""
        kind, count = structure.kind, len(structure.children)
        part = self.code.variable(text)
        self.code.stop(
            f"type({part}) is not {kind} and not isinstance({part}, {kind}) "
            f"or len({part}) != {count}",
            "MisfitError",
        )
        keys = map(literal, structure.keys) if kind == "dict" else map(str, range(count))
        for key, child in zip(keys, structure.children, strict=True):
            self.take(child, f"{part}[{key}]")


def optional_reader(
    structure: Structure, made: dict[str, Reader]
) -> Callable[[Any], list[Any]]:
    """Return the function that gives the leaves of something that may be None.

    Then they are `ABSENT`.
    """
    (child,) = structure.children
    absent = [ABSENT] * (1 + child.leaf_count)
    read_child = reader_of(child, made)

    def read(tree: Any) -> list[Any]:
        if tree is None:
            return absent
        there, value = THERE, tree
        if isinstance(tree, Optional):
            there, value = tree.present, tree.value
        leaves = [there]
        read_child(value, leaves)
        return leaves

    return read


def equal_leaves(tree: Any, first: Any) -> bool:
    """Tell whether a tied leaf is, or equals, the one it is tied to."""
    return tree is first or equal_contents(tree, first)


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


def is_no_leaf(value: Any) -> bool:
    """Tell whether a value is no array: None, a container, a setting that is no scalar."""
    return value is None or (
        isinstance(value, NO_LEAVES) and not isinstance(value, np.generic)
    )


def builder(structure: Structure) -> Callable[[Sequence[Any]], Any]:
    """Return the function that puts leaves, in order, into a tree of `structure`."""
    build = builder_of(structure, {})
    return lambda leaves: build(leaves, 0)


def builder_of(structure: Structure, made: dict[str, Builder]) -> Builder:
    """Return the builder of a part; parts that are alike share the one in `made`."""
    key = repr(structure)
    if key not in made:
        large = structure.kind in CONTAINERS and size_of(structure) > SMALL
        make = large_builder if large else small_builder
        made[key] = make(structure, made)
    return made[key]


def large_builder(structure: Structure, made: dict[str, Builder]) -> Builder:
    """Return the builder of a container that calls those of its entries."""
    parts: list[tuple[Builder, int]] = []
    before = 0
    for child in structure.children:
        parts.append((builder_of(child, made), before))
        before += child.leaf_count
    keys, kind = structure.keys, CONTAINERS[structure.kind]

    def build(leaves: Sequence[Any], at: int) -> Any:
        entries = [build_entry(leaves, at + start) for build_entry, start in parts]
        return dict(zip(keys, entries, strict=True)) if kind is dict else kind(entries)

    return build


def small_builder(structure: Structure, made: dict[str, Builder]) -> Builder:
    """Return the function made for a part of a tree."""
    code = Code("leaves, at", slices=slices)
    return code.function(put(structure, 0, code, made))


def put(structure: Structure, place: int, code: Code, made: dict[str, Builder]) -> str:
    """Return the expression for a part of a tree, whose leaves are from a place on."""
    match structure.kind:
        case "leaf":
            return f"leaves[at + {place}]"
        case "none":
            return "None"
        case "static":
            return code.constant(structure.value)
        case "unstack":
            return f"slices(leaves[at + {place}], {structure.number})"
        case "same":
            return f"leaves[{structure.number}]"
        case "optional":
            build = code.constant(builder_of(structure.children[0], made))
            return f"({build}(leaves, at + {place + 1}) if leaves[at + {place}] else None)"
        case "dict" | "list" | "tuple":
            return put_container(structure, place, code, made)


def put_container(
    structure: Structure, place: int, code: Code, made: dict[str, Builder]
) -> str:
    """Return the expression for a container."""
    entries = []
    for child in structure.children:
        entries.append(put(child, place, code, made))
        place += child.leaf_count
    if structure.kind == "dict":
        pairs = zip(map(literal, structure.keys), entries, strict=True)
        return "{" + ", ".join(f"{key}: {entry}" for key, entry in pairs) + "}"
    if structure.kind == "list":
        return f"[{', '.join(entries)}]"
    return f"({''.join(f'{entry}, ' for entry in entries)})"


def slices(array: Any, axis: int) -> list[Any]:
    """Return the list of slices of an array along an axis."""
    return list(np.moveaxis(array, axis, 0))
