"""One call of a compiled model on trees of values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.runtime import CompiledModel
from lxc.runtime.checkpoint import Array
from lxc.structure import Structure


@dataclass(frozen=True)
class Variables:
    """Parameters and state of a Kaun model, as its call takes them."""

    params: Any
    state: Any


def call(
    model: CompiledModel, trees: Mapping[str, Any], ps: Any, st: Any
) -> tuple[Any, Any]:
    """Return outputs and new state of one call."""
    if model.signature.calling == "lux":
        return model(trees["x"], ps, st)
    rest = {key: trees[key] for key in ("rngs", "ctx") if key in trees}
    y, variables = model(trees["x"], Variables(ps, st), **rest)
    return y, variables.state


def leaves_of(structure: Structure, tree: Any) -> Iterator[Array]:
    """Yield the leaves of outputs; a list of slices is one array."""
    if structure.kind == "leaf":
        yield tree
    if structure.kind == "unstack":
        yield np.stack(tree, structure.number)
    for place, child in enumerate(structure.children):
        key = structure.keys[place] if structure.kind == "dict" else place
        yield from leaves_of(child, tree[key])
