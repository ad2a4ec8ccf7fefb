"""Whether two calls compute the same, before their times are compared."""

from collections.abc import Mapping

from lxc.benchmarking.contestant import Contestant
from lxc.comparison.arrays import distance
from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array

ALIKE = 1e-3
"""Outputs that are further apart, by their largest value, come from other models."""


def apart(own: Contestant, other: Contestant) -> float:
    """Return how far the outputs of two calls are apart, by the largest value of each."""
    pairs = partners(own.name, own.outputs(), other.name, other.outputs())
    return max((distance(a, b).relative for a, b in pairs), default=0.0)


def partners(
    name: str, mine: Mapping[str, Array], other: str, others: Mapping[str, Array]
) -> list[tuple[Array, Array]]:
    """Return outputs in pairs, by name or else by order; those of other shapes are none."""
    same_names = mine.keys() == others.keys()
    found = others.values() if not same_names else [others[key] for key in mine]
    pairs = list(zip(mine.values(), found, strict=False))
    if len(mine) != len(others) or any(a.shape != b.shape for a, b in pairs):
        raise LxcError(
            "LXC-E0001",
            f"{other} does not return what {name} returns",
            expected=shapes(mine),
            actual=shapes(others),
        )
    return pairs


def shapes(arrays: Mapping[str, Array]) -> str:
    """Return the types of outputs: `y: float32[1, 10]`."""
    return "; ".join(
        f"{name}: {array.dtype.name}[{', '.join(map(str, array.shape))}]"
        for name, array in arrays.items()
    )
