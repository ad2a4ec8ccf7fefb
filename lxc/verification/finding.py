"""The first value of a program that compiled code got wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.ir.agreement import LARGEST, agreement, relative_error, summed_terms
from lxc.ir.node import Node, walk
from lxc.ir.types import Array
from lxc.ir.work_text import work_line
from lxc.passes.loop_memory import is_alias
from lxc.verification.judgement import number
from lxc.verification.meaning import BY_TF32, HALF_TYPES, TILES


@dataclass(frozen=True)
class Place:
    """Work of a program: its ops, the layers that it is from, and the kernels that do it.

    There is one kernel, but for a scan, which has those of its steps.
    """

    work: str
    layers: tuple[str, ...]
    kernels: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`."""
        return {"op": self.work, "layers": list(self.layers), "kernels": list(self.kernels)}

    def __str__(self) -> str:
        """Print the work with where it is from."""
        layers = f" at {', '.join(self.layers)}" if self.layers else ""
        kernels = f" ({', '.join(self.kernels)})" if self.kernels else ""
        return f"{self.work}{layers}{kernels}"


@dataclass(frozen=True)
class Finding:
    """A wrong value, given the values in front of it that compiled code computed.

    One of `suspects` is at fault; there are several where what lies between them cannot be
    read any more. `index` is that of the element that is furthest off.
    """

    phase: str
    suspects: tuple[Place, ...]
    error: float
    allowed: float
    numpy: float
    index: tuple[int, ...]
    found: float
    exact: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`."""
        return {
            "phase": self.phase,
            "suspects": [place.to_json() for place in self.suspects],
            "error": number(self.error),
            "allowed": number(self.allowed),
            "numpy_error": number(self.numpy),
            "index": list(self.index),
            "found": number(self.found),
            "exact": number(self.exact),
        }


def finding(
    phase: str,
    nodes: Sequence[Node],
    kernels: Mapping[Node, str],
    arrays: tuple[Array, Array, Array],
) -> Finding | None:
    """Return what is wrong with the result of some nodes, if anything is.

    `arrays` are the compiled result, NumPy's in its types, and that in float64.
    """
    actual, narrow, exact = arrays
    if actual.shape == exact.shape and not np.issubdtype(exact.dtype, np.floating):
        # What follows from comparing floats may be that of any width.
        exact = np.where(actual == narrow, narrow, exact)
    error, allowed = relative_error(actual, exact), allowed_for(nodes, narrow, exact)
    if error <= allowed:
        return None
    index = furthest(actual, exact)
    doing = [node for node in nodes if not is_alias(node)] or nodes
    return Finding(
        phase,
        tuple(place_of(node, kernels) for node in doing),
        error,
        allowed,
        relative_error(narrow, exact),
        index,
        float(actual[index]),
        float(exact[index]),
    )


def place_of(node: Node, kernels: Mapping[Node, str]) -> Place:
    """Return where a node of a program is; `kernels` are the names of all kernels."""
    names = tuple(kernels[inner] for inner in walk((node,)) if inner in kernels)
    return Place(work_line(node), node.location.layers, tuple(dict.fromkeys(names)))


def allowed_for(nodes: Sequence[Node], narrow: Array, exact: Array) -> float:
    """Return how far the last of some nodes may be off, given exact operands."""
    if not np.issubdtype(exact.dtype, np.floating):
        return 0.0
    every = list(walk(nodes))
    types = {value.type.dtype for n in every for value in (*n.operands, *n.results)}
    most = max((HALF_TYPES.get(dtype, LARGEST) for dtype in types), default=LARGEST)
    if any(node.attributes.get("factors") == "tf32" for node in every):
        most = max(most, BY_TF32)
    if most == LARGEST:
        terms = max(map(summed_terms, every), default=1)
        most = min(agreement(exact, narrow, exact, terms).bound, most)
    by_tiles = any(node.op.name.startswith("winograd") for node in every)
    return max(most, TILES) if by_tiles else most


def furthest(actual: Array, exact: Array) -> tuple[int, ...]:
    """Return the index of the element that is furthest off."""
    wide, reference = actual.astype(np.float64), exact.astype(np.float64)
    with np.errstate(invalid="ignore"):
        distances = np.where(wide == reference, 0.0, np.abs(wide - reference))
    distances[np.isnan(wide) & np.isnan(reference)] = 0.0
    distances[np.isnan(distances)] = np.inf
    place = np.unravel_index(int(np.argmax(distances)), distances.shape)
    return tuple(map(int, place))
