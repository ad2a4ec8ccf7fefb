"""Parameters of other frameworks for a model of lxc: names, layouts and order of gates."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lxc.errors import LxcError, one_of
from lxc.parameters.files import arrays_in
from lxc.parameters.goal import WRAPPED, Goal, Module, goal_of
from lxc.parameters.grouping import Modules, grouped
from lxc.parameters.layouts import LAYOUTS, PROJECTIONS
from lxc.parameters.matching import matched
from lxc.parameters.reading import READERS, STATISTICS, STYLES, Found
from lxc.runtime.checkpoint import Array
from lxc.runtime.fitting import fitted
from lxc.runtime.load_report import LoadReport, unmatched
from lxc.runtime.named_trees import Rename, flat_names, with_entries
from lxc.structure import join

TRACKING = ("BatchNorm", "GroupNorm", "batch_norm")
"""Layers that need running statistics as they need parameters, if they have any."""

NORMALISED = ("weight_g", "weight_v")


@dataclass(frozen=True)
class Converted:
    """Parameters and state in the structure that a model has, and how that went.

    Names in the report start with `params.` and `state.`; those that no layer took are the
    file's. The state is that of a new model, or the one in the artifact, but for running
    statistics; None if an artifact without a state says no more of it than types.
    """

    params: Any
    state: Any
    report: LoadReport


def convert_params(
    source: Path | str | Mapping[str, Any],
    like: Any,
    *,
    style: str = "torch",
    rename: Rename = None,
    strict: bool = True,
) -> Converted:
    """Return the parameters of another framework for `like`, a layer or a compiled model.

    `source` is a file, or arrays by name. `style` says whose they are: `torch`, `flax`,
    `kaun`, `lux` (arrays with the shapes of Julia) or `lux-hdf5` (with reversed ones).
    `rename` maps paths of our layers to theirs; without it, layers go by the same names, or
    by their place among numbered ones. A layer without parameters in the source is an
    error, and unless `strict` keeps those of a new model; what a layer cannot take over
    always is one.
    """
    if style not in READERS:
        raise LxcError(
            "LXC-E0001",
            f"parameters of {style!r} are not known",
            expected=one_of(STYLES),
        )
    arrays = source if isinstance(source, Mapping) else arrays_in(Path(source))
    given = {name: np.asarray(array) for name, array in arrays.items()}
    goal, modules = goal_of(like), grouped(given, style)
    pairs = matched(goal.modules, modules, rename)
    made = converted(goal, modules, pairs, style)
    spare = spare_names(modules, pairs)
    result = filled(goal, made, spare)
    if strict:
        result.report.check(f"the parameters of {style} do not fit the model")
    return result


def converted(
    goal: Goal, modules: Modules, pairs: Mapping[str, str], style: str
) -> dict[str, Array]:
    """Return the leaves of all layers that have a module, by name in the model."""
    made = {}
    wanted = flat_names({"params": goal.params})
    for module in goal.modules:
        if module.path in pairs:
            theirs = pairs[module.path]
            leaves = one_module(module, theirs, modules[theirs], style)
            if module.kind == "multi_head_attention":
                leaves = without_idle_biases(module, leaves, wanted.keys())
            for name, leaf in leaves.items():
                is_state = name in STATISTICS
                place = module.state_path if is_state else module.path
                section = "state" if is_state else "params"
                made[join(section, join(place, name))] = contiguous(leaf)
    return made


def one_module(module: Module, theirs: str, leaves: Found, style: str) -> dict[str, Array]:
    """Return the leaves of one layer, by name within it."""
    kind, found = module.kind.removeprefix(WRAPPED), dict(leaves)
    if kind not in LAYOUTS:
        return found
    layout = LAYOUTS[kind]
    try:
        made = layout.write(READERS[style](layout.meaning, kind, found))
    except LxcError as problem:
        problem.layer = module.path or None
        raise
    except (KeyError, ValueError, IndexError, TypeError) as problem:
        raise LxcError(
            "LXC-E0409",
            f"what the file has for a layer is no {kind} of {style}",
            layer=module.path or None,
            expected=f"the leaves of {article(layout.meaning)} layer",
            actual=f"{theirs or 'the file'} has {', '.join(leaves)}: {reason(problem)}",
        ) from None
    if found:
        raise LxcError(
            "LXC-E0409",
            f"a {kind} has no place for all that the file has for it",
            layer=module.path or None,
            actual=", ".join(join(theirs, name) for name in found),
        )
    return in_parts(made) if module.kind.startswith(WRAPPED) else made


def without_idle_biases(
    module: Module, leaves: Mapping[str, Array], wanted: Container[str]
) -> dict[str, Array]:
    """Return leaves without biases of zeros that an attention has no place for."""
    spare = [f"{name}_bias" for name in PROJECTIONS if f"{name}_bias" in leaves]
    spare = [
        name for name in spare if join("params", join(module.path, name)) not in wanted
    ]
    lost = [name.removesuffix("_bias") for name in spare if leaves[name].any()]
    if lost:
        raise LxcError(
            "LXC-E0409",
            "kaun.multi_head_attention has no biases, and those of the file are not zero",
            layer=module.path or None,
            actual=f"biases of {', '.join(lost)}",
            hint="with bias=True it has them",
        )
    return {name: leaf for name, leaf in leaves.items() if name not in spare}


def article(meaning: str) -> str:
    """Return what a layer is, with its article: `a batch norm`."""
    return f"{'an' if meaning[0] in 'aeiou' else 'a'} {meaning.replace('_', ' ')}"


def reason(problem: Exception) -> str:
    """Return why leaves could not be read."""
    return f"no {problem.args[0]}" if isinstance(problem, KeyError) else str(problem)


def in_parts(leaves: Mapping[str, Array]) -> dict[str, Array]:
    """Return the leaves of a layer whose weight is normalised, as `WeightNorm` has them."""
    return {
        f"{'' if name in NORMALISED else 'un'}normalized.{name}": leaf
        for name, leaf in leaves.items()
    }


def contiguous(leaf: Array) -> Array:
    """Return a leaf as a read-only array in C order, a copy only where it is in another."""
    made = leaf if leaf.flags.c_contiguous else np.ascontiguousarray(leaf)
    seen = made.view()
    seen.flags.writeable = False
    return seen


def spare_names(modules: Modules, pairs: Mapping[str, str]) -> list[str]:
    """Return the names in the file of modules that no layer took."""
    taken = set(pairs.values())
    return [
        join(path, leaf)
        for path, leaves in modules.items()
        if path not in taken
        for leaf in leaves
    ]


def filled(goal: Goal, made: Mapping[str, Array], spare: Iterable[str]) -> Converted:
    """Return the trees of a goal with the leaves that fit into them."""
    trees = {"params": goal.params, "state": goal.state}
    wanted = flat_names(trees)
    refuse_extra([name for name in made if name not in wanted])
    tracked = {
        join("state", join(module.state_path, name))
        for module in goal.modules
        if module.kind in TRACKING
        for name in STATISTICS
    }
    needed = {
        name: leaf
        for name, leaf in wanted.items()
        if name.startswith("params.") or name in tracked
    }
    leaves, report = fitted(made, needed, None)
    absent, left = [entry.name for entry in report.missing], list(spare)
    report = replace(
        report, missing=unmatched(absent, left), unexpected=unmatched(left, absent)
    )
    whole = with_entries(trees, leaves)
    is_whole = goal.has_state or wanted.keys() == needed.keys()
    if not is_whole and tracked:
        raise LxcError(
            "LXC-E0410",
            "the artifact holds no state to put running statistics into",
            hint="save the model with state=, or give the layer that it was made of",
        )
    return Converted(whole["params"], whole["state"] if is_whole else None, report)


def refuse_extra(names: Sequence[str]) -> None:
    """Refuse what layers would have to leave out."""
    if names:
        raise LxcError(
            "LXC-E0409",
            "the file has more for some layers than they have",
            actual="; ".join(f"{name} is not in the model" for name in names),
        )
