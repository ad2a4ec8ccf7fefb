"""Parameters that are one: the same array at several places of a tree."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from lxc.errors import LxcError
from lxc.frontend.kaun.vars import Vars
from lxc.frontend.record import path_of, with_paths
from lxc.ir.tensor import type_of
from lxc.structure import join
from lxc.tree import flatten, map_leaves


def share_parameters(ps: Any, *groups: Sequence[str]) -> Any:
    """Return parameters in which the paths of each group hold one and the same array.

    `ps` is a tree, or variables of the Kaun family. A path names a leaf (`layer_1.weight`)
    or a layer (`layer_1`); the first of a group says whose values count, also where the
    others were shared before. An array that stands at several places is one buffer of a
    compiled model, is stored once and counts once; every later call has to hand it in so,
    or at least with equal values. Shapes, types and, for layers, keys must agree.
    """
    if isinstance(ps, Vars):
        return ps.with_params(share_parameters(ps.params, *groups))
    for group in groups:
        if isinstance(group, str) or not group:
            raise LxcError(
                "LXC-E0001",
                "a group of shared parameters is a tuple of paths",
                expected='("layer_1.weight", "layer_2.weight")',
                actual=repr(group),
            )
        first, *others = group
        for path in others:
            source, other = found(ps, first), found(ps, path)
            check_alike(first, source, path, other)
            ps = replaced(ps, other, source)
    return with_paths(ps, path_of(ps))


def found(ps: Any, path: str) -> Any:
    """Return what is at a path, or raise with the nearest path that there is."""
    part = ps
    for key in path.split("."):
        if isinstance(part, list | tuple) and key.isdigit() and int(key) < len(part):
            part = part[int(key)]
        elif isinstance(part, dict) and key in part:
            part = part[key]
        else:
            near = get_close_matches(path, paths_in(ps), n=1)
            raise LxcError(
                "LXC-E0105",
                f"the parameters have nothing at {path!r}",
                hint=f"there is {near[0]}" if near else None,
            )
    return part


def paths_in(tree: Any, prefix: str = "") -> list[str]:
    """Return the path of every branch and every leaf."""
    entries: Any = ()
    if isinstance(tree, dict):
        entries = tree.items()
    elif isinstance(tree, list | tuple):
        entries = ((str(place), child) for place, child in enumerate(tree))
    inner = [p for key, child in entries for p in paths_in(child, join(prefix, key))]
    return [prefix, *inner] if prefix else inner


def check_alike(first: str, source: Any, path: str, other: Any) -> None:
    """Refuse to share what differs in keys, shapes or types."""
    (leaves, structure), (others, found_structure) = flatten(source), flatten(other)
    same = structure == found_structure and all(
        type_of(one) == type_of(two) for one, two in zip(leaves, others, strict=True)
    )
    if not same:
        raise LxcError(
            "LXC-E0105",
            f"{path} cannot be the same as {first}",
            expected=f"{path}: {described(source)}",
            actual=f"{path}: {described(other)}",
        )


def described(tree: Any) -> str:
    """Return the paths and types of the leaves of a tree."""
    leaves, structure = flatten(tree)
    pairs = zip(structure.paths(), leaves, strict=True)
    return ", ".join(f"{path} {type_of(leaf)}".strip() for path, leaf in pairs)


def replaced(tree: Any, old: Any, new: Any) -> Any:
    """Return `tree` with the leaves of `new` wherever those of `old` stand."""
    pairs = zip(flatten(old)[0], flatten(new)[0], strict=True)
    others = {id(before): after for before, after in pairs}
    return map_leaves(lambda leaf: others.get(id(leaf), leaf), tree)
