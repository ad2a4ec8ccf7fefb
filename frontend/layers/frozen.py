"""Parameters kept in the state: training leaves them alone, and artifacts fold them."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.layers.naming import entry
from lxc.frontend.record import path_of, with_paths
from lxc.structure import join

Which: TypeAlias = str | Sequence[str] | None
"""Names of parameters, dotted below the first level; None stands for all of them."""


@dataclass(frozen=True)
class FrozenLayer(Layer):
    """Return what `layer` does, with some of its parameters kept in the state.

    Parameters are those of the layer without the frozen ones; the state is {frozen_params,
    states}, the second that of the layer. No call changes a frozen parameter, so an
    artifact computes what follows from it once. `which` lists names and dotted paths; None
    freezes everything. Fresh frozen parameters are drawn with the state.
    """

    layer: Layer
    which: tuple[str, ...] | None = None

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of the layer that are not frozen."""
        return divide(self.layer.init_params(rng), self.which)[1]

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the frozen parameters and the layer's own state."""
        frozen, _ = divide(self.layer.init_params(rng), self.which)
        return {"frozen_params": frozen, "states": self.layer.init_state(rng)}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return what the layer makes of x."""
        path = path_of(ps, st)
        frozen = entry(st, "frozen_params", "states")
        states = with_paths(entry(st, "states", "states"), path)
        y, states = self.layer(x, with_paths(merge(ps, frozen, path), path), states)
        return y, {"frozen_params": frozen, "states": states}


@overload
def freeze(layer: Any, which: Which = None) -> Layer: ...


@overload
def freeze(
    layer: Any, ps: Any, st: Any, /, which: Which = None
) -> tuple[Layer, Any, Any]: ...


def freeze(layer: Any, *arguments: Any, which: Which = None) -> Any:
    """Return `layer` with parameters moved into the state.

    `freeze(layer, which)` returns the layer alone, for `lxc.setup`; `freeze(layer, ps, st,
    which)` moves given parameters and returns layer, parameters and state. No names at all
    (`which=()`) change nothing.
    """
    trees = arguments
    if len(arguments) in (1, 3) and which is None:
        trees, which = arguments[:-1], arguments[-1]
    check_trees("freeze", trees)
    inner = as_layer(layer)
    names = (which,) if isinstance(which, str) else which
    if names is not None and not names:
        return (inner, *trees) if trees else inner
    made = FrozenLayer(inner, None if names is None else tuple(names))
    if not trees:
        return made
    ps, st = trees
    frozen, rest = divide(ps, made.which, path_of(ps))
    state = {"frozen_params": frozen, "states": st}
    return made, with_paths(rest, path_of(ps)), with_paths(state, path_of(st))


@overload
def unfreeze(layer: Layer) -> Layer: ...


@overload
def unfreeze(layer: Layer, ps: Any, st: Any, /) -> tuple[Layer, Any, Any]: ...


def unfreeze(layer: Layer, *trees: Any) -> Any:
    """Return the layer inside of a frozen one; with trees, those that fit it.

    Parameters that were not frozen come first in their dicts.
    """
    check_trees("unfreeze", trees)
    if not isinstance(layer, FrozenLayer):
        kind = type(layer).__name__
        raise LxcError("LXC-E0101", "only a frozen layer can be unfrozen", actual=kind)
    if not trees:
        return layer.layer
    ps, st = trees
    path = path_of(ps, st)
    params = merge(ps, entry(st, "frozen_params", "states"), path)
    states = with_paths(entry(st, "states", "states"), path_of(st))
    return layer.layer, with_paths(params, path_of(ps)), states


def check_trees(function: str, trees: Sequence[Any]) -> None:
    """Refuse parameters without a state, and more than both."""
    if len(trees) not in (0, 2):
        raise LxcError(
            "LXC-E0001",
            f"{function} takes a layer alone, or a layer with parameters and state",
            actual=f"{len(trees)} trees",
        )


def divide(
    tree: Any, which: Sequence[str] | None, path: str = ""
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the entries of `tree` that `which` names, and the other ones."""
    if which is None:
        return tree, {}
    below: dict[str, list[str]] = {}
    for name in which:
        key, _, rest = name.partition(".")
        if not isinstance(tree, dict) or key not in tree:
            raise unknown(join(path, name), tree)
        below.setdefault(key, []).append(rest)
    frozen, others = {}, {}
    for key, child in tree.items():
        if key not in below:
            others[key] = child
        elif "" in below[key]:
            frozen[key] = child
        else:
            frozen[key], others[key] = divide(child, below[key], join(path, key))
    return frozen, others


def unknown(name: str, tree: Any) -> LxcError:
    """Return the error for a parameter that the layer does not have."""
    keys = list(tree) if isinstance(tree, dict) else []
    near = difflib.get_close_matches(name.rpartition(".")[2], keys, n=1)
    return LxcError(
        "LXC-E0101",
        f"there is no parameter {name} to freeze",
        expected=f"one of {', '.join(keys)}" if keys else None,
        hint=f"there is {near[0]}" if near else None,
    )


def merge(ps: Any, frozen: Any, path: str) -> Any:
    """Return parameters with the frozen ones among them, or raise if one is there twice."""
    if isinstance(frozen, dict) and isinstance(ps, dict):
        merged = dict(ps)
        for key, child in frozen.items():
            merged[key] = merge(ps[key], child, join(path, key)) if key in ps else child
        return merged
    if isinstance(ps, dict) and not ps:
        return frozen
    raise LxcError(
        "LXC-E0105",
        f"{path or 'a parameter'} is frozen: it stands in the state",
        layer=path.rpartition(".")[0] or None,
        expected="parameters without the frozen ones",
        hint="nn.freeze(layer, ps, st) returns trees that fit",
    )
