"""Trees of arrays and flat names, both ways.

A name is the dotted path of a leaf: `layer_1.weight`, `0.weight`, and the empty name for a
tree that is one array. Parameters and state of Kaun variables start with `params` and
`state`. None and Python values have no array: they belong to the tree.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array, flatten_names
from lxc.runtime.load_report import nearest
from lxc.structure import join

Rename: TypeAlias = Mapping[str, str] | Callable[[str], str] | None
"""Other names: a function of our name, or a dict from our paths to theirs.

A path in a dict stands for the leaf of that name and for everything below it, the empty
path for the whole tree; of several that match, the longest counts.
"""

NO_ARRAYS = (bool, int, float, str)


def flat_names(tree: Any, *, rename: Rename = None) -> dict[str, Array]:
    """Return the arrays of a tree, or of Kaun variables, by name."""
    arrays = flatten_names(sections(tree))
    theirs = renamed([path for path, _ in entries(tree)], rename)
    return {theirs[path]: array for path, array in arrays.items()}


def sections(tree: Any) -> Any:
    """Return Kaun variables as a tree of both parts, any other tree as it is."""
    return {"params": tree.params, "state": tree.state} if is_vars(tree) else tree


def is_vars(tree: Any) -> bool:
    """Return whether something is a record of parameters and state."""
    return all(hasattr(tree, name) for name in ("params", "state", "with_state"))


def entries(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of every array and of every None."""
    tree = sections(tree)
    if isinstance(tree, dict):
        for key, child in tree.items():
            yield from entries(child, join(path, key))
    elif isinstance(tree, list | tuple):
        for place, child in enumerate(tree):
            yield from entries(child, join(path, str(place)))
    elif not isinstance(tree, NO_ARRAYS):
        yield path, tree


def with_entries(tree: Any, arrays: Mapping[str, Any], path: str = "") -> Any:
    """Return a copy of a tree in which the values at these paths are replaced."""
    if is_vars(tree):
        made = with_entries(sections(tree), arrays, path)
        return tree.with_params(made["params"]).with_state(made["state"])
    if isinstance(tree, dict):
        changed = copy.copy(tree)
        changed.update((k, with_entries(tree[k], arrays, join(path, k))) for k in tree)
        return changed
    if isinstance(tree, list | tuple):
        children = [
            with_entries(child, arrays, join(path, str(place)))
            for place, child in enumerate(tree)
        ]
        if isinstance(tree, tuple):
            return tuple(children)
        result = copy.copy(tree)
        result[:] = children
        return result
    return arrays.get(path, tree)


def renamed(paths: Iterable[str], rename: Rename) -> dict[str, str]:
    """Return their name for every path of ours, or raise if two get the same."""
    listed = list(paths)
    if isinstance(rename, Mapping):
        check_rename(rename, listed)
        theirs = {path: by_prefix(path, rename) for path in listed}
    else:
        theirs = {path: path if rename is None else rename(path) for path in listed}
    owners: dict[str, str] = {}
    for path, name in theirs.items():
        if owners.setdefault(name, path) != path:
            raise LxcError(
                "LXC-E0001",
                "rename gives two leaves one name",
                actual=f"{owners[name]} and {path}: {name!r}",
            )
    return theirs


def check_rename(rename: Mapping[str, str], paths: list[str]) -> None:
    """Refuse a dict with a path that nothing in the tree has."""
    known = {prefix for path in paths for prefix in prefixes(path)}
    for path in rename:
        if path not in known:
            near = nearest(path, sorted(known))
            raise LxcError(
                "LXC-E0001",
                f"rename has the path {path!r}, which the tree lacks",
                hint=f"the tree has {' and '.join(near)}" if near else None,
            )


def by_prefix(path: str, rename: Mapping[str, str]) -> str:
    """Return `path` with the longest part that `rename` has replaced."""
    for prefix in prefixes(path):
        if prefix in rename:
            rest = path[len(prefix) :].removeprefix(".")
            return join(rename[prefix], rest) if rest else rename[prefix]
    return path


def prefixes(path: str) -> Iterator[str]:
    """Yield a path, its parents from the innermost out, and the empty path."""
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""
