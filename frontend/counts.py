"""How many numbers the parameters and the state of a model are."""

from typing import Any

import numpy as np

from lxc.frontend.kaun.vars import Vars
from lxc.frontend.trace import leaf_type
from lxc.ir.dim import Size
from lxc.tree import flatten


def parameter_count(tree: Any) -> Size:
    """Return the number of elements of all parameters in a tree or in Kaun variables.

    An array that stands at several places of the tree counts once. Leaves may be
    `TensorSpec`s; the number is symbolic if a shape is.
    """
    leaves, _ = flatten(tree.params if isinstance(tree, Vars) else tree)
    total: Size = 0
    for leaf in distinct(leaves):
        total = total + leaf_type(leaf).element_count
    return total


def parameter_bytes(tree: Any) -> Size:
    """Return the bytes of what `parameter_count` counts."""
    leaves, _ = flatten(tree.params if isinstance(tree, Vars) else tree)
    total: Size = 0
    for leaf in distinct(leaves):
        kind = leaf_type(leaf)
        total = total + kind.element_count * kind.dtype.bytes
    return total


def state_count(tree: Any) -> Size:
    """Return the number of elements of a state, or of the state in Kaun variables.

    Settings (`training`), None, and every key called `rng` count as one each.
    """
    total: Size = 0
    for _, count in state_entries(tree.state if isinstance(tree, Vars) else tree):
        total = total + count
    return total


def distinct(leaves: list[Any]) -> list[Any]:
    """Return leaves without the repetitions of one array; equal specs stay apart."""
    keys = (
        id(leaf) if isinstance(leaf, np.ndarray) else (place,)
        for place, leaf in enumerate(leaves)
    )
    return list(dict(zip(keys, leaves, strict=True)).values())


def state_entries(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[str, Size]]:
    """Return dotted path and count of everything in a state that is no container."""
    name = ".".join(path)
    if path and path[-1] == "rng":
        return [(name, 1)]
    if isinstance(tree, dict):
        children = [(str(key), child) for key, child in tree.items()]
    elif isinstance(tree, list | tuple):
        children = [(str(place), child) for place, child in enumerate(tree)]
    elif tree is None or isinstance(tree, bool | int | float | str):
        return [(name, 1)]
    else:
        return [(name, leaf_type(tree).element_count)]
    return [
        entry for key, child in children for entry in state_entries(child, (*path, key))
    ]
