"""What the lanes behind the last channel of a blocked value can hold.

A filling is the tuple of all numbers that may stand there: empty where the channels fill
their blocks, None where nothing is known. Lanes whose numbers are all finite harm nobody: a
product reads them with weights of zero.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from math import prod

import numpy as np

from lxc.ir.node import Node
from lxc.ir.ops.reduce import identity
from lxc.ir.types import Array

Filling = tuple[Array, ...] | None

MOST = 8
"""A filling of more numbers than this is not worth being followed."""


def filling(numbers: Iterable[Array]) -> Filling:
    """Return the filling of some numbers, each named once."""
    named = {one.tobytes(): one for one in map(np.asarray, numbers)}
    return tuple(named.values()) if len(named) <= MOST else None


def is_harmless(lanes: Filling) -> bool:
    """Return whether a product may read these lanes with weights of zero."""
    if lanes is None:
        return False
    return all(bool(np.isfinite(one.astype(np.float64))) for one in lanes)


def joined(first: Filling, second: Filling) -> Filling:
    """Return the numbers of both fillings."""
    if first is None or second is None:
        return None
    return filling((*first, *second))


def computed(node: Node, operands: Sequence[Filling]) -> Filling:
    """Return what an elementwise node makes of the lanes of its operands."""
    known = [one for one in operands if one is not None]
    if len(known) < len(operands) or prod(map(len, known)) > MOST**2:
        return None
    with np.errstate(all="ignore"):
        return filling(
            node.op.run(numbers, node.attributes)[0] for numbers in product(*known)
        )


def combined(kind: str, lanes: Filling, may_be_nothing: bool) -> Filling:
    """Return what a reduction of a kind makes of lanes.

    `may_be_nothing` says that it may combine no element at all.
    """
    if not lanes:
        return lanes
    start = np.asarray(identity(kind, lanes[0].dtype), lanes[0].dtype)
    chooses = kind in ("max", "min", "and", "or")
    if not chooses and filling((*lanes, start)) != filling((start,)):
        return None
    return joined(lanes, (start,)) if may_be_nothing else lanes
