"""What is wrong with a tree that has not the structure that a model was compiled for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxc.errors import LxcError
from lxc.runtime.trees import equal_contents
from lxc.structure import Static, Structure, print_static
from lxc.tree import flatten


@dataclass(frozen=True, slots=True)
class Role:
    """How messages speak of the leaves of a group, and the code of its errors."""

    one: str
    all: str
    code: str


def describe_misfit(structure: Structure, tree: Any, role: Role, prefix: str) -> LxcError:
    """Return the error that says how `tree`, at `prefix`, differs from `structure`."""
    leaves, found = flatten(tree)
    places = dict(zip(found.paths(), leaves, strict=True))
    firsts = structure.paths()
    for path, place in structure.ties():
        pair = [places.get(firsts[place]), places.get(path)]
        if all(leaf is not None for leaf in pair) and not equal_contents(*pair):
            return tie_error(firsts[place], path)
    settings = dict(found.statics())
    for path, value in structure.statics():
        if path in settings and print_static(settings[path]) != print_static(value):
            return setting_error(path, value, settings[path])
    wanted, given = structure.paths(prefix), found.paths(prefix)
    free = free_to_lack(structure.optional_leaves(), wanted, given)
    wanted += [path for path, _ in structure.ties(prefix)]
    absent = [name for name in wanted if name not in given and name not in free]
    unknown = [name for name in given if name not in wanted]
    problems = [f"{name or 'the array'} is missing" for name in absent]
    problems += [f"{name or 'the array'} is not expected" for name in unknown]
    return LxcError(
        role.code,
        f"the {role.all} do not have the structure that the model was compiled for",
        layer=parent((absent + unknown)[0]) or None if problems else None,
        expected=str(structure),
        actual="; ".join(problems) if problems else str(found),
    )


def free_to_lack(
    optional: Sequence[range], wanted: Sequence[str], given: Sequence[str]
) -> set[str]:
    """Return the names that a tree need not have: all of an optional part, or `present`."""
    free = set()
    for places in optional:
        present, *inside = (wanted[place] for place in places)
        free |= {present} if set(inside) & set(given) else {present, *inside}
    return free


def setting_error(path: str, compiled: Static, given: Static) -> LxcError:
    """Return the error for a setting of the state that is not the one compiled in."""
    name = path.rpartition(".")[2]
    return LxcError(
        "LXC-E0504",
        f"the state has another value of {name} than the model was compiled with",
        layer=parent(path) or None,
        expected=f"{path} = {print_static(compiled)}",
        actual=f"{path} = {print_static(given)}",
        hint="compile the model with --mode train or --mode test as wanted, or pass the "
        "state through lxc.trainmode or lxc.testmode",
    )


def tie_error(first: str, path: str) -> LxcError:
    """Return the error for two leaves that are one in the model and differ in a call."""
    return LxcError(
        "LXC-E0509",
        f"{path} and {first} are one in the compiled model, and differ in this call",
        layer=parent(path) or None,
        hint=f'share them: lxc.share_parameters(ps, ("{first}", "{path}")); or compile the '
        "model for parameters that are not shared",
    )


def parent(path: str) -> str:
    """Return the path of the layer that holds the leaf `path`."""
    return path.rpartition(".")[0]
