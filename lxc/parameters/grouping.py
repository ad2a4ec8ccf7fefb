"""Names of a file sorted into modules: what belongs to one layer of the framework."""

import re
from collections.abc import Mapping

from lxc.parameters.reading import Found
from lxc.runtime.checkpoint import Array

Modules = dict[str, Found]

COLLECTIONS = re.compile(r"(params|batch_stats|ps|st|state|states)\.")
STACKED = re.compile(r"(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_(l\d+(?:_reverse)?)")
WEIGHT_NORM = {
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}
PARTS = frozenset(
    (
        *("ii", "if", "ig", "io", "hi", "hf", "hg", "ho"),
        *("ir", "iz", "in", "hr", "hz", "hn"),
        *("i", "h"),
        *("query", "key", "value", "out"),
    )
)
"""Modules of Flax that are a part of the layer around them."""

SIGNS = frozenset(("ii", "ir", "i", "query"))
"""Those that one of each family has."""


def grouped(arrays: Mapping[str, Array], style: str) -> Modules:
    """Return the leaves of every module by its path; paths are dotted."""
    modules: Modules = {}
    for name, array in arrays.items():
        dotted = name.replace("/", ".")
        if style != "torch" and (collection := COLLECTIONS.match(dotted)):
            dotted = dotted[collection.end() :]
        path, leaf = split(dotted)
        modules.setdefault(path, {})[leaf] = array
    if style == "torch":
        return with_projections(with_cells(modules))
    return with_parts(modules) if style == "flax" else modules


def split(name: str) -> tuple[str, str]:
    """Return the path of a module and the name of its leaf."""
    for ending, leaf in WEIGHT_NORM.items():
        if name == ending or name.endswith(f".{ending}"):
            return name[: -len(ending)].rstrip("."), leaf
    path, _, leaf = name.rpartition(".")
    return path, leaf


def with_cells(modules: Modules) -> Modules:
    """Return modules in which each layer and direction of a recurrent one stands alone.

    Those of a module that has several are called `l0`, `l0_reverse`, `l1` and so on.
    """
    made: Modules = {}
    for path, leaves in modules.items():
        matches = {name: STACKED.fullmatch(name) for name in leaves}
        cells = {match[2] for match in matches.values() if match}
        for name, leaf in leaves.items():
            match, place = matches[name], path
            if match and len(cells) > 1:
                place = f"{path}.{match[2]}" if path else match[2]
            made.setdefault(place, {})[match[1] if match else name] = leaf
    return made


def with_projections(modules: Modules) -> Modules:
    """Return modules in which an attention holds its last projection."""
    made: Modules = {}
    for path, leaves in modules.items():
        parent, _, last = path.rpartition(".")
        stacked = {"in_proj_weight", "q_proj_weight"} & modules.get(parent, {}).keys()
        if last == "out_proj" and stacked:
            made.setdefault(parent, {}).update(
                {f"out_proj.{name}": leaf for name, leaf in leaves.items()}
            )
        else:
            made.setdefault(path, {}).update(leaves)
    return made


def with_parts(modules: Modules) -> Modules:
    """Return modules in which cells and attentions hold their gates and projections."""
    families: dict[str, set[str]] = {}
    for path in modules:
        parent, _, last = path.rpartition(".")
        families.setdefault(parent, set()).add(last)
    made: Modules = {}
    for path, leaves in modules.items():
        parent, _, last = path.rpartition(".")
        family = families[parent]
        if family & SIGNS and family <= PARTS:
            parts = {f"{last}.{name}": leaf for name, leaf in leaves.items()}
            made.setdefault(parent, {}).update(parts)
        else:
            made.setdefault(path, {}).update(leaves)
    return made
