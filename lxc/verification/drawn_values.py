"""Values for the leaves of a model that nobody gives, the same in every run."""

from collections.abc import Mapping
from hashlib import sha256
from math import prod

import numpy as np

from lxc.runtime.checkpoint import Array
from lxc.runtime.signature import DTYPES, Group, Leaf


def drawn_params(group: Group) -> dict[str, Array]:
    """Return parameters that keep the size of what goes through a layer.

    The first axis is taken for that of the results.
    """
    found: dict[str, Array] = {}
    for leaf in group.leaves:
        shape, dtype = leaf.shape_at({}), DTYPES[leaf.dtype]
        numbers = generator(leaf).standard_normal(shape)
        found[leaf.name] = (numbers / max(1, prod(shape[1:])) ** 0.5).astype(dtype)
    return found


def drawn_state(group: Group, sizes: Mapping[str, int]) -> dict[str, Array]:
    """Return a state: positive floats, as variances are, bits of keys, and zeros.

    What a state may lack is not there.
    """
    optional = group.optional_names
    return {
        leaf.name: state_leaf(leaf, leaf.shape_at(sizes))
        for leaf in group.leaves
        if leaf.name not in optional
    }


def state_leaf(leaf: Leaf, shape: tuple[int, ...]) -> Array:
    """Return one leaf of a state."""
    dtype = DTYPES[leaf.dtype]
    if dtype.kind == "u":
        return generator(leaf).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    if dtype.kind in "ib":
        return np.zeros(shape, dtype)
    return (0.5 + np.abs(generator(leaf).standard_normal(shape))).astype(dtype)


def generator(leaf: Leaf) -> np.random.Generator:
    """Return random numbers that follow from the name of a leaf."""
    digest = sha256(leaf.name.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
