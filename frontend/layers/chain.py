"""Layers one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import NoOpLayer
from lxc.frontend.layers.naming import (
    Children,
    children_params,
    children_state,
    entry,
    named_children,
    numbered,
)
from lxc.ir.op import Op
from lxc.ir.ops import structure
from lxc.ir.types import Array


@dataclass(frozen=True, init=False)
class Chain(Layer):
    """Feed each layer with what the one before it returned.

    Positional layers are simplified when the chain is made: inner chains are spliced,
    no-ops vanish and later children are renumbered, a single child is returned itself and
    nothing left gives a `NoOpLayer`. `disable_optimizations=True` keeps the children as
    given. Names given by keyword (or a dict) are a contract, so named chains are never
    simplified; asking for it is an error (differs from the signature of Lux.jl's page, as
    its code does).
    """

    __lxc_op__: ClassVar[Op] = structure.chain
    children: Children
    disable_optimizations: bool = field(default=False, repr=False)

    def __new__(
        cls, /, *layers: Any, disable_optimizations: bool | None = None, **named: Any
    ) -> Any:
        """Return the simplest layer that does the same."""
        children = named_children(layers, named)
        has_names = bool(named) or (len(layers) == 1 and isinstance(layers[0], dict))
        if has_names and disable_optimizations is False:
            raise LxcError(
                "LXC-E0101",
                "a chain with named layers cannot be simplified",
                hint="leave disable_optimizations out, or name no layer",
            )
        keep = has_names or bool(disable_optimizations)
        if not keep:
            children = simplified(children)
            if not children:
                return NoOpLayer()
            if len(children) == 1:
                return children[0][1]
        made = super().__new__(cls)
        object.__setattr__(made, "children", children)
        object.__setattr__(made, "disable_optimizations", keep)
        return made

    def __reduce__(self) -> Any:
        """Copy and pickle the children as they are."""
        parts = (self.children, self.disable_optimizations)
        return chain_of, parts, {"__lxc_source__": self.__lxc_source__}

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child."""
        return children_params(self.children, rng)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return one entry per child."""
        return children_state(self.children, rng)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return what the last layer makes of it all."""
        states = {}
        for name, layer in self.children:
            x, states[name] = layer(
                x, entry(ps, name, "parameters"), entry(st, name, "states")
            )
        return x, states

    def __len__(self) -> int:
        """Return the number of children."""
        return len(self.children)

    def keys(self) -> tuple[str, ...]:
        """Return the names of the children."""
        return tuple(name for name, _ in self.children)

    def __getitem__(self, index: int | str | slice | Sequence[int] | Array) -> Any:
        """Return the child at a place or of a name, or the chain of several, names kept.

        Several are a slice, places in any order, or one boolean per child.
        """
        if isinstance(index, str):
            return dict(self.children)[index]
        if isinstance(index, int | np.integer):
            return self.children[index][1]
        if isinstance(index, slice):
            return chain_of(self.children[index], True)
        chosen = tuple(self.children[place] for place in places(index, len(self)))
        if len({name for name, _ in chosen}) < len(chosen):
            raise LxcError(
                "LXC-E0101", f"a child cannot stand twice in a chain: {list(index)}"
            )
        return chain_of(chosen, True)


def places(index: Sequence[int] | Array, count: int) -> list[int]:
    """Return the places that a list or an array of places or booleans names."""
    array = np.asarray(index)
    if array.ndim == 1 and array.dtype == np.bool_ and len(array) == count:
        array = np.flatnonzero(array)
    if array.size == 0:
        return []
    if array.ndim == 1 and array.dtype.kind in "iu":
        return [int(place) for place in array]
    raise LxcError(
        "LXC-E0101",
        "children are chosen by place, name, slice or a list of places",
        expected=f"whole numbers below {count}, or {count} booleans",
        actual=repr(index),
    )


def chain_of(children: Children, disable_optimizations: bool) -> Chain:
    """Return a chain of exactly these children, names included."""
    made: Chain = Layer.__new__(Chain)
    object.__setattr__(made, "children", tuple(children))
    object.__setattr__(made, "disable_optimizations", disable_optimizations)
    return made


def simplified(children: Children) -> Children:
    """Return children with inner chains spliced one level and no-ops gone, renumbered.

    An inner chain was simplified when it was made, so one level is all there is; one that
    was made without simplification keeps its own no-ops and chains.
    """
    kept: list[Layer] = []
    for _, layer in children:
        if isinstance(layer, Chain):
            kept.extend(child for _, child in layer.children)
        elif not isinstance(layer, NoOpLayer):
            kept.append(layer)
    return numbered(kept)
