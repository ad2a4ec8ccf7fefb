"""Values of a model by name, and in the order of its graph's header."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lxc.runtime.checkpoint import Array
from lxc.runtime.signature import DTYPES, Group, Signature


@dataclass(frozen=True)
class Values:
    """Arrays for the header of a graph, in its order."""

    inputs: Sequence[Array]
    params: Sequence[Array]
    state: Sequence[Array]


@dataclass(frozen=True)
class Given:
    """Values of a model by name, and where those of each section come from."""

    inputs: Mapping[str, Array]
    params: Mapping[str, Array]
    state: Mapping[str, Array]
    sizes: Mapping[str, int]
    origins: Mapping[str, str]

    def ordered(self, signature: Signature) -> Values:
        """Return the values in the order of the header."""
        return Values(
            [self.inputs[leaf.name] for leaf in signature.inputs.leaves],
            [self.params[leaf.name] for leaf in signature.params.leaves],
            in_header_order(signature.state, self.state, self.sizes),
        )


def in_header_order(
    group: Group, arrays: Mapping[str, Array], sizes: Mapping[str, int]
) -> list[Array]:
    """Return an array for every leaf; something optional that is lacking gets zeros."""
    present = {}
    for places in group.tree.optional_leaves():
        flag, *inside = (group.leaves[place].name for place in places)
        present[flag] = np.asarray(any(name in arrays for name in inside))
    found = []
    for leaf in group.leaves:
        array = present.get(leaf.name, arrays.get(leaf.name))
        if array is None:
            array = np.zeros(leaf.shape_at(sizes), DTYPES[leaf.dtype])
        found.append(array)
    return found
