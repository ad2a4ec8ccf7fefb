"""Trees of values that are named by their paths: `x.0`, `ctx.mask`."""

from collections.abc import Mapping
from typing import Any

from lxc.errors import LxcError


def trees_by_key(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree below each first key of the paths."""
    parts: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        key, _, rest = path.partition(".")
        parts.setdefault(key, {})[rest] = value
    return {key: tree_at(part) for key, part in parts.items()}


def tree_at(values: Mapping[str, Any]) -> Any:
    """Return the tree whose leaves have these paths; numbers 0, 1, ... make a tuple."""
    if "" in values:
        if len(values) > 1:
            raise LxcError("LXC-E0001", "an input is given as a whole and in parts")
        return values[""]
    trees = trees_by_key(values)
    if all(key.isdecimal() for key in trees):
        wanted = [str(number) for number in range(len(trees))]
        if sorted(trees, key=int) != wanted:
            raise LxcError(
                "LXC-E0001",
                "the parts of an input are not numbered from 0",
                actual=", ".join(trees),
            )
        return tuple(trees[number] for number in wanted)
    return trees
