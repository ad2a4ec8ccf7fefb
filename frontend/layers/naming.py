"""Children of containers: their names, and the trees that hold one entry per child."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.record import path_of
from lxc.tree import check_key

Children = tuple[tuple[str, Layer], ...]


def named_children(layers: Sequence[Any], named: Mapping[str, Any]) -> Children:
    """Return children with their keywords, or called `layer_1`, `layer_2`, ... by place.

    Lists and tuples of layers count as the layers in them; a single dict counts as
    keywords.
    """
    if len(layers) == 1 and isinstance(layers[0], dict) and not named:
        named, layers = layers[0], ()
    if layers and named:
        raise LxcError(
            "LXC-E0101",
            "children are either all named or all unnamed",
            actual=f"{len(layers)} unnamed and {', '.join(named)}",
        )
    for key in named:
        check_key(key, "")
    if named:
        return tuple((key, as_layer(item)) for key, item in named.items())
    return numbered([as_layer(item) for item in spliced(layers)])


def several_children(
    parent: Layer, layers: Sequence[Any], named: Mapping[str, Any]
) -> Children:
    """Return children as `named_children` does, at least one."""
    children = named_children(layers, named)
    if not children:
        kind = type(parent).__name__
        raise LxcError("LXC-E0101", f"{kind} needs at least one layer inside")
    return children


def spliced(items: Sequence[Any]) -> Iterator[Any]:
    """Yield items, those inside lists and tuples in their place."""
    for item in items:
        if isinstance(item, list | tuple):
            yield from spliced(item)
        else:
            yield item


def numbered(layers: Sequence[Layer]) -> Children:
    """Return layers called by their place, from 1."""
    return tuple((f"layer_{place}", layer) for place, layer in enumerate(layers, 1))


def children_params(children: Children, rng: np.random.Generator) -> dict[str, Any]:
    """Return the parameters of every child under its name."""
    return {name: layer.init_params(rng) for name, layer in children}


def children_state(children: Children, rng: np.random.Generator) -> dict[str, Any]:
    """Return the state of every child under its name."""
    return {name: layer.init_state(rng) for name, layer in children}


def entry(tree: Any, name: str, what: str) -> Any:
    """Return the child's part of a tree, or raise with the path of what is missing."""
    if isinstance(tree, Mapping) and name in tree:
        return tree[name]
    raise LxcError(
        "LXC-E0105",
        f"the {what} have no entry for {name}",
        layer=path_of(tree) or None,
        expected=f"an entry {name}",
        actual=", ".join(tree) if isinstance(tree, Mapping) else type(tree).__name__,
        hint="lxc.setup makes trees that fit",
    )
