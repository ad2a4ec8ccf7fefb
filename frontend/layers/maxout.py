"""The largest of several layers."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.branch import run_children
from lxc.frontend.layers.linear import check_sizes
from lxc.frontend.layers.naming import (
    Children,
    children_params,
    children_state,
    named_children,
)
from lxc.ir import functions as ops


@dataclass(frozen=True, init=False)
class Maxout(Layer):
    """Return the elementwise maximum of what several layers make of the same input.

    NaN in one output is NaN in the result. `Maxout(f, n)` calls f() n times for its layers,
    each of which has parameters of its own. From Goodfellow et al., 2013.
    """

    children: Children

    def __init__(self, /, *layers: Any, **named: Any) -> None:
        """Take layers by place, called `layer_1`, ..., by keyword, or a function and n."""
        if len(layers) == 2 and counts_layers(layers[1]) and makes_layers(layers[0]):
            make, count = layers
            check_sizes(**{"the number of layers": count})
            layers = tuple(make() for _ in range(count))
        children = named_children(layers, named)
        if not children:
            raise LxcError("LXC-E0101", "there is no layer to take the maximum of")
        object.__setattr__(self, "children", children)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child."""
        return children_params(self.children, rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child."""
        return children_state(self.children, rng)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the maximum of all outputs."""
        outputs, states = run_children(self.children, [x] * len(self.children), ps, st)
        return reduce(ops.maximum, outputs), states


def counts_layers(item: Any) -> bool:
    """Return whether something is a number of layers."""
    return isinstance(item, int | np.integer)


def makes_layers(item: Any) -> bool:
    """Return whether something may be called for a layer; layers are called on arrays."""
    return callable(item) and not isinstance(item, Layer)
