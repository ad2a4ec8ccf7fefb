"""Models in another float type: parameters and state converted leaf by leaf."""

from dataclasses import replace
from typing import Any

import numpy as np

from lxc.frontend.kaun.vars import Vars, witness
from lxc.frontend.record import path_of, with_paths
from lxc.frontend.setup import read_only
from lxc.ir.ops import logic as ops
from lxc.ir.tensor import apply
from lxc.ir.types import dtype_of, type_of_array
from lxc.tree import map_leaves


def cast(tree: Any, dtype: Any) -> Any:
    """Return a tree of parameters or state with its float arrays in the float type `dtype`.

    Keys of random streams, counters, flags and the mode stay as they are, and so does the
    tree. `Vars` of the Kaun family are cast as a whole, the type that they demand of inputs
    included. The arrays are new and read-only. Numbers are rounded to nearest even; what is
    too large for `dtype` becomes infinite.
    """
    wanted = witness(dtype)
    if isinstance(tree, Vars):
        params, state = cast(tree.params, wanted), cast(tree.state, wanted)
        return replace(tree, params=params, state=state, dtype=wanted)
    converted = map_leaves(lambda leaf: cast_leaf(np.asarray(leaf), wanted), tree)
    return with_paths(converted, path_of(tree))


def cast_leaf(leaf: np.ndarray[Any, Any], wanted: np.dtype[Any]) -> Any:
    """Return a read-only copy of an array, in `wanted` if its elements are floats."""
    if not type_of_array(leaf).dtype.is_float:
        return read_only(leaf)
    return read_only(apply(ops.cast, leaf, dtype=dtype_of(wanted)))
