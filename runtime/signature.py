"""The buffer table of a compiled model: what goes in, what comes out, and in which order.

A `Signature` lists the leaves of inputs, params, state and outputs in header order, with
the tree that each list of leaves was flattened from, and the symbolic dimensions with their
bounds. `data` lists large constants that the artifact stores; their addresses follow those
of the params in every table that compiled code reads.

`Signature.to_json` writes what `lxc.runtime.signature_json.signature_from_json` reads back.
`check` refuses a signature that breaks a rule of the format.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import ml_dtypes
import numpy as np

from lxc.runtime.extent import LARGEST, Extent, evaluate, interval, show, to_json
from lxc.runtime.schema import LONGEST_TEXT, MOST_ITEMS, refusal
from lxc.structure import EMPTY, KEY, Structure

DTYPES: Mapping[str, np.dtype[Any]] = {
    **{
        name: np.dtype(name)
        for name in (
            *("bool", "int8", "int16", "int32", "int64"),
            *("uint8", "uint16", "uint32", "uint64"),
            *("float16", "float32", "float64"),
        )
    },
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
}
CALLINGS = ("lux", "kaun")
MODES = ("test", "train", "mixed")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LONGEST_NAME = 64
PATH = re.compile(r"(?:[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)?")
MOST_DIMS = 64
MOST_AXES = 16


@dataclass(frozen=True, slots=True)
class Dim:
    """A symbolic dimension; at a call `low <= value <= high`."""

    name: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """One buffer, named by its path in the tree.

    A frozen leaf of the state comes out of every call as it went in. The elements of an
    input with `below` are indices: 0 <= index < below.
    """

    name: str
    dtype: str
    shape: tuple[Extent, ...]
    frozen: bool = False
    below: int | None = None

    @property
    def item_bytes(self) -> int:
        """The size of one element."""
        return DTYPES[self.dtype].itemsize

    @property
    def symbolic(self) -> bool:
        """Whether the shape depends on a dimension."""
        return not all(isinstance(extent, int) for extent in self.shape)

    def shape_at(self, dims: Mapping[str, int]) -> tuple[int, ...]:
        """Return the shape in numbers."""
        return tuple(evaluate(extent, dims) for extent in self.shape)

    def __str__(self) -> str:
        """Print dtype and shape: `float32[N, 10]`."""
        return f"{self.dtype}[{', '.join(map(show, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Group:
    """Leaves in header order and the tree that holds them."""

    tree: Structure = EMPTY
    leaves: tuple[Leaf, ...] = ()

    @property
    def optional_names(self) -> frozenset[str]:
        """The names of leaves that a stored tree may lack."""
        ranges = self.tree.optional_leaves()
        return frozenset(self.leaves[place].name for one in ranges for place in one)


@dataclass(frozen=True, slots=True)
class Signature:
    """Everything a caller must know to call a compiled model.

    `name` starts every exported C name. `calling` says how Python calls the model: `lux` is
    `m(x, params, state)`, where the input tree is that of `x`; `kaun` is
    `m(x, vars, rngs, ctx)`, where the input tree is a dict with `x` and, if the model needs
    them, `rngs` and `ctx`.
    """

    name: str
    calling: str
    mode: str
    dims: tuple[Dim, ...]
    inputs: Group
    params: Group
    state: Group
    outputs: Group
    data: tuple[Leaf, ...] = ()

    @property
    def groups(self) -> dict[str, Group]:
        """The four trees by name, in the order of the tables."""
        return {
            "inputs": self.inputs,
            "params": self.params,
            "state": self.state,
            "outputs": self.outputs,
        }

    def to_json(self) -> dict[str, Any]:
        """Return a value that `json` can write and `signature_from_json` reads back."""
        return {
            "name": self.name,
            "calling": self.calling,
            "mode": self.mode,
            "dims": [[dim.name, dim.low, dim.high] for dim in self.dims],
            **{name: group_to_json(group) for name, group in self.groups.items()},
            "data": [leaf_to_json(leaf) for leaf in self.data],
        }


def identifier(text: str) -> str:
    """Return `text` as the start of C names: letters, digits and underscores."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)
    usable = NAME.match(name) and name.lower() != "lxc"
    return (name if usable else f"model_{name}")[:LONGEST_NAME]


def group_to_json(group: Group) -> dict[str, Any]:
    """Return tree and leaves as JSON values."""
    return {
        "tree": group.tree.to_json(),
        "leaves": [leaf_to_json(leaf) for leaf in group.leaves],
    }


def leaf_to_json(leaf: Leaf) -> dict[str, Any]:
    """Return a leaf as JSON values; `frozen` and `below` only where they hold."""
    shape = [to_json(extent) for extent in leaf.shape]
    fields: dict[str, Any] = {"name": leaf.name, "dtype": leaf.dtype, "shape": shape}
    if leaf.frozen:
        fields["frozen"] = True
    if leaf.below is not None:
        fields["below"] = leaf.below
    return fields


def check(signature: Signature) -> None:
    """Refuse a signature that breaks a rule of the format."""
    if signature.name != identifier(signature.name):
        raise refusal(f"{signature.name[:40]!r} cannot start a C name")
    if signature.calling not in CALLINGS or signature.mode not in MODES:
        raise refusal("the calling convention or the mode is not known")
    check_dims(signature)
    ranges = {dim.name: (dim.low, dim.high) for dim in signature.dims}
    for name, group in signature.groups.items():
        if group.tree.leaf_count != len(group.leaves) or not group.tree.is_sound():
            raise refusal(f"the tree of the {name} does not fit its leaves")
        check_branches(name, group.tree, iter(group.leaves))
        check_leaves(name, group.leaves, ranges)
    optional = signature.state.optional_names
    if any(leaf.frozen and leaf.name in optional for leaf in signature.state.leaves):
        raise refusal("a leaf of the state is frozen, and may be missing")
    for group in (signature.params, signature.state):
        if group.tree.paths() != [leaf.name for leaf in group.leaves]:
            raise refusal("a leaf is not named by its path in the tree")
    check_leaves("data", signature.data, ranges)


def check_branches(name: str, tree: Structure, leaves: Iterator[Leaf]) -> None:
    """Refuse branches that a section cannot have, and slices along no axis."""
    own = {"optional": "state", "unstack": "outputs", "same": "params"}
    if own.get(tree.kind, name) != name:
        raise refusal(f"a tree of the {name} cannot have a branch {tree.kind!r}")
    if tree.kind == "optional":
        present = next(leaves)
        if (present.dtype, present.shape, present.frozen) != ("bool", (), False):
            raise refusal("the leaf that says whether a state is there is no bool")
    if tree.kind == "leaf":
        next(leaves)
    if tree.kind == "unstack" and tree.number >= len(next(leaves).shape):
        raise refusal("an output is a list along an axis that it does not have")
    for child in tree.children:
        check_branches(name, child, leaves)


def check_dims(signature: Signature) -> None:
    """Refuse dimensions that a call could not solve or that have no values."""
    declared = [dim.name for dim in signature.dims]
    if len(declared) > MOST_DIMS or len(set(declared)) < len(declared):
        raise refusal("there are too many dimensions, or two have one name")
    sources = (signature.inputs, signature.state, signature.params)
    bare = {e for group in sources for leaf in group.leaves for e in leaf.shape}
    for dim in signature.dims:
        if not KEY.fullmatch(dim.name) or not 0 <= dim.low <= dim.high <= LARGEST:
            raise refusal(f"the dimension {dim.name[:40]!r} has no valid name or range")
        if dim.name not in bare:
            raise refusal(f"no axis of an input is the dimension {dim.name}")


def check_leaves(
    what: str, leaves: tuple[Leaf, ...], ranges: Mapping[str, tuple[int, int]]
) -> None:
    """Refuse leaves with bad names, types or sizes."""
    names = [leaf.name for leaf in leaves]
    if len(leaves) > MOST_ITEMS or len(set(names)) < len(names):
        raise refusal(f"the {what} are too many, or two have one name")
    for leaf in leaves:
        if len(leaf.name) > LONGEST_TEXT or not PATH.fullmatch(leaf.name):
            raise refusal(f"{leaf.name[:40]!r} is not a path in a tree")
        if leaf.dtype not in DTYPES or len(leaf.shape) > MOST_AXES:
            raise refusal(f"{leaf.name} has an unknown type or more than {MOST_AXES} axes")
        if leaf.frozen and what != "state":
            raise refusal(f"{leaf.name} is frozen, and only state can be")
        if leaf.below is not None and not may_index(what, leaf):
            raise refusal(f"{leaf.name} cannot hold indices below {leaf.below}")
        highest = [interval(extent, ranges)[1] for extent in leaf.shape]
        negative = any(isinstance(e, int) and e < 0 for e in leaf.shape)
        if negative or prod(max(h, 1) for h in highest) * leaf.item_bytes > LARGEST:
            raise refusal(f"{leaf.name} is larger than memory can be, or negative")


def may_index(what: str, leaf: Leaf) -> bool:
    """Return whether a leaf with `below` is an input of integers, and below is a size."""
    integers = DTYPES[leaf.dtype].kind in "iu"
    return what == "inputs" and integers and 0 < (leaf.below or 0) <= LARGEST
