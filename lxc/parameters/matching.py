"""Which module of a file is which layer of a model.

Names decide where they are the same, or where a map says so. Otherwise order does, but only
among children that are numbered on both sides, as those of a chain are: the order of names
says nothing about layers that are called by names.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lxc.parameters.goal import WRAPPED, Module
from lxc.parameters.layouts import LAYOUTS
from lxc.runtime.named_trees import Rename, renamed

NUMBERED = re.compile(r"(?:layer_|layers_|l)?(\d+)")
OF_A_CLASS = re.compile(r"([A-Za-z]+)_(\d+)")
MEANINGS = {
    "Dense": "linear",
    "Conv": "conv",
    "ConvTranspose": "conv_transpose",
    "BatchNorm": "batch_norm",
    "LayerNorm": "norm",
    "GroupNorm": "norm",
    "InstanceNorm": "norm",
    "RMSNorm": "norm",
    "Embed": "embedding",
    "SimpleCell": "rnn",
    "LSTMCell": "lstm",
    "OptimizedLSTMCell": "lstm",
    "GRUCell": "gru",
    "MultiHeadDotProductAttention": "attention",
    "MultiHeadAttention": "attention",
    "SelfAttention": "attention",
}
"""What the classes of Flax are, which number the children of a module class by class."""


@dataclass
class Branch:
    """A path with what lies below it; `module` is the path of a module that stands here."""

    module: str | None = None
    children: "dict[str, Branch]" = field(default_factory=dict)


def matched(
    modules: Iterable[Module], theirs: Iterable[str], rename: Rename
) -> dict[str, str]:
    """Return the path of the module in the file for the path of each layer that has one."""
    kinds = {module.path: module.kind for module in modules}
    found = set(theirs)
    if rename is not None:
        wanted = renamed(kinds, rename)
        return {ours: name for ours, name in wanted.items() if name in found}
    if found >= kinds.keys():
        return {path: path for path in kinds}
    pairs: dict[str, str] = {}
    pair(branches(kinds), branches(found), kinds, pairs)
    return pairs


def branches(paths: Iterable[str]) -> Branch:
    """Return paths as a tree; children stand in the order of the paths."""
    root = Branch()
    for path in paths:
        place = root
        for part in path.split(".") if path else ():
            place = place.children.setdefault(part, Branch())
        place.module = path
    return root


def pair(
    ours: Branch, theirs: Branch, kinds: Mapping[str, str], pairs: dict[str, str]
) -> None:
    """Note which modules below two branches are the same, as far as that is certain."""
    if ours.module is not None and theirs.module is not None:
        pairs[ours.module] = theirs.module
    if is_wrapper(theirs) and not shares_names(ours, theirs):
        (theirs,) = theirs.children.values()
        pair(ours, theirs, kinds, pairs)
        return
    if is_wrapper(ours) and not shares_names(ours, theirs):
        (ours,) = ours.children.values()
        pair(ours, theirs, kinds, pairs)
        return
    for one, other in children_pairs(ours, theirs, kinds):
        pair(one, other, kinds, pairs)


def is_wrapper(branch: Branch) -> bool:
    """Tell whether a branch is nothing but the one below it."""
    return branch.module is None and len(branch.children) == 1


def shares_names(ours: Branch, theirs: Branch) -> bool:
    """Tell whether two branches have a child of the same name."""
    return bool(ours.children.keys() & theirs.children.keys())


def children_pairs(
    ours: Branch, theirs: Branch, kinds: Mapping[str, str]
) -> list[tuple[Branch, Branch]]:
    """Return the children that are the same: by name, by number, or by class and number."""
    mine, others = ours.children, theirs.children
    if mine.keys() == others.keys():
        return [(mine[name], others[name]) for name in mine]
    first, second = numbers(mine), numbers(others)
    if first is not None and second is not None and len(mine) == len(others):
        return [
            (mine[name], others[other]) for name, other in zip(first, second, strict=True)
        ]
    classes = by_class(others)
    if classes is None:
        return [(mine[name], others[name]) for name in mine if name in others]
    own = by_meaning(mine, kinds)
    return [
        both
        for meaning in own.keys() & classes.keys()
        if len(own[meaning]) == len(classes[meaning])
        for both in zip(own[meaning], classes[meaning], strict=True)
    ]


def numbers(children: Mapping[str, Branch]) -> list[str] | None:
    """Return names in the order of their numbers, or None if one has none."""
    matches = {name: NUMBERED.fullmatch(name) for name in children}
    places = {name: int(match[1]) for name, match in matches.items() if match}
    if len(places) < len(children) or len(set(places.values())) < len(children):
        return None
    return sorted(places, key=places.__getitem__)


def by_class(children: Mapping[str, Branch]) -> dict[str, list[Branch]] | None:
    """Return children by what their classes are, in order, or None for other names."""
    matches = {name: OF_A_CLASS.fullmatch(name) for name in children}
    places = {
        name: (MEANINGS[match[1]], int(match[2]))
        for name, match in matches.items()
        if match and match[1] in MEANINGS
    }
    if len(places) < len(children) or not children:
        return None
    result: dict[str, list[Branch]] = {}
    for name in sorted(places, key=places.__getitem__):
        result.setdefault(places[name][0], []).append(children[name])
    return result


def by_meaning(
    children: Mapping[str, Branch], kinds: Mapping[str, str]
) -> dict[str, list[Branch]]:
    """Return children that are layers by what they are, in order."""
    result: dict[str, list[Branch]] = {}
    for branch in children.values():
        kind = kinds.get(branch.module or "", "").removeprefix(WRAPPED)
        if branch.module is not None and kind in LAYOUTS:
            result.setdefault(LAYOUTS[kind].meaning, []).append(branch)
    return result
