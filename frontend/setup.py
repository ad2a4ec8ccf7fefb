"""Parameters and state of a whole model, and what is done to them between calls."""

from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.record import path_of, with_paths
from lxc.tree import flatten, unflatten


def setup(rng: int | np.random.Generator, model: Any) -> tuple[Any, Any]:
    """Return fresh parameters and state of `model`, as trees of read-only arrays.

    `model` is a layer or a bare function. `rng` is a seed or a NumPy generator, which
    advances. Parameters are drawn first, layer by layer in order, then states: the same
    seed gives the same trees.
    """
    generator = generator_of(rng)
    layer = as_layer(model)
    ps = layer.init_params(generator)
    st = layer.init_state(generator)
    return frozen(ps), frozen(st)


def generator_of(rng: Any) -> np.random.Generator:
    """Return a generator as it is, and a new one for a seed."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise LxcError(
            "LXC-E0001",
            "the random numbers of a model come from a seed or a NumPy generator",
            expected="a number that is not negative, or numpy.random.default_rng(...)",
            actual=repr(rng) if isinstance(rng, str | int | float) else type(rng).__name__,
            hint="lxc.setup takes the seed before the model, kaun.init behind it",
        ) from None


def frozen(tree: Any) -> Any:
    """Return a tree of read-only arrays whose dicts know their paths.

    An array that stands at several places, as a tied parameter does, stays one.
    """
    leaves, structure = flatten(tree, tied=True)
    return with_paths(unflatten(structure, [read_only(leaf) for leaf in leaves]))


def read_only(leaf: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """Return a leaf as a read-only array."""
    array = np.array(leaf)
    array.flags.writeable = False
    return array


def apply(layer: Layer, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
    """Return `layer(x, ps, st)`."""
    return layer(x, ps, st)


def testmode(st: Any) -> Any:
    """Return the state with every `training` set to False, at any depth."""
    return update_state(st, "training", False)


def trainmode(st: Any) -> Any:
    """Return the state with every `training` set to True, at any depth."""
    return update_state(st, "training", True)


def update_state(st: Any, key: str, value: Any) -> Any:
    """Return the state with every entry called `key` replaced by `value`, at any depth.

    The value replaces what was below the key as a whole; True and False keep the kind of
    a flag, which is an array. `st` is not changed.
    """
    return with_paths(replaced(st, key, value), path_of(st))


def replaced(tree: Any, key: str, value: Any) -> Any:
    """Return `tree` with the entries called `key` replaced."""
    if isinstance(tree, dict):
        return {
            k: of_kind(child, value) if k == key else replaced(child, key, value)
            for k, child in tree.items()
        }
    if isinstance(tree, list | tuple):
        return type(tree)(replaced(child, key, value) for child in tree)
    return tree


def of_kind(old: Any, new: Any) -> Any:
    """Return `new`, as an array if it is a bool that replaces one."""
    is_flag = isinstance(old, np.ndarray | np.generic) and old.dtype == np.bool_
    return read_only(new) if is_flag and isinstance(new, bool) else new


def with_mode(st: Any, mode: str | None) -> Any:
    """Return the state in mode `test` or `train`; None leaves it as it is."""
    if mode is None:
        return st
    if mode not in ("test", "train"):
        raise LxcError("LXC-E0001", f"there is no mode {mode!r}", hint="test or train")
    return trainmode(st) if mode == "train" else testmode(st)
