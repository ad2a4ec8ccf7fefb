"""Trees of dicts, lists and tuples: flattened to leaves and back, in insertion order.

The order of the leaves is the order of the artifact's buffers, so dict keys are never
sorted. `None`, bool, int, float and str are part of the structure, not leaves: they select
code when a model is traced and never become buffers. Everything else is a leaf, NumPy's
scalars too, some of which are Python floats besides. Only the standard library is imported
here, so that the compiler and the runtime can share this file.

Two kinds of branches have a class of their own: `Optional`, something that may be missing
at run time, and `Unstacked`, a list that is one array.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from lxc.errors import LxcError
from lxc.structure import KEY, LEAF, NONE, Structure, join


@dataclass(frozen=True, eq=False)
class Optional:
    """A part of a state that may be missing at run time: None in Python's trees.

    Layers meet it while they are traced. `present` is a scalar of bools, `value` the tree,
    filled with zeros where it is missing. What Python does with a value, as arithmetic and
    unpacking, is refused: `nn.value_or` reads it.
    """

    present: Any
    value: Any

    def used(self, *_: object, **__: object) -> NoReturn:
        """Refuse to stand for the value, which may be missing."""
        raise LxcError(
            "LXC-E0104",
            "a state that is None at first is used as if it were there, and whether it is "
            "is not known while the model is traced",
            hint='read it with nn.value_or(st["name"], otherwise)',
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = used
    __truediv__ = __rtruediv__ = __matmul__ = __rmatmul__ = __pow__ = __rpow__ = used
    __neg__ = __bool__ = __len__ = __iter__ = __getitem__ = __array__ = used


@dataclass(frozen=True, eq=False)
class Unstacked(Sequence[Any]):
    """The list of slices of one array along `axis`, made as they are asked for."""

    stacked: Any
    axis: int = 0

    def __len__(self) -> int:
        """Return the number of slices, which must be known."""
        count = self.stacked.shape[self.axis]
        if isinstance(count, int):
            return count
        raise LxcError(
            "LXC-E0104",
            "the length of this list is not known while the model is traced",
            actual=f"{count} steps",
            hint="index it (ys[0], ys[-1]), or use its array: ys.stacked, along ys.axis",
        )

    def __iter__(self) -> Iterator[Any]:
        """Yield the slices in order."""
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place: Any) -> Any:
        """Return the slice at a place, or a list of those at several."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        return self.stacked[(*(slice(None),) * self.axis, place)]


def flatten(tree: Any, *, tied: bool = False) -> tuple[list[Any], Structure]:
    """Return the leaves of `tree` in insertion order, depth first, and its structure.

    With `tied`, an object that stands at several places is one leaf.
    """
    leaves: list[Any] = []
    return leaves, take_apart(tree, leaves, "", tied)


def take_apart(tree: Any, leaves: list[Any], path: str, tied: bool) -> Structure:
    """Append the leaves of `tree` to `leaves` and return its structure."""
    if tree is None:
        return NONE
    if isinstance(tree, bool | int | float | str) and not hasattr(tree, "dtype"):
        return Structure("static", value=tree)
    if isinstance(tree, dict):
        for key in tree:
            check_key(key, path)
        children = tuple(take_apart(tree[k], leaves, join(path, k), tied) for k in tree)
        return Structure("dict", tuple(tree), children)
    if isinstance(tree, list | tuple):
        children = tuple(
            take_apart(child, leaves, join(path, str(i)), tied)
            for i, child in enumerate(tree)
        )
        return Structure("list" if isinstance(tree, list) else "tuple", (), children)
    if isinstance(tree, Optional):
        leaves.append(tree.present)
        return Structure("optional", (), (take_apart(tree.value, leaves, path, False),))
    if isinstance(tree, Unstacked):
        leaves.append(tree.stacked)
        return Structure("unstack", value=tree.axis)
    if tied:
        for place, leaf in enumerate(leaves):
            if leaf is tree:
                return Structure("same", value=place)
    leaves.append(tree)
    return LEAF


def check_key(key: object, path: str) -> None:
    """Refuse a dict key that could not be part of a name."""
    if not (isinstance(key, str) and KEY.fullmatch(key)):
        raise LxcError(
            "LXC-E0102",
            f"{key!r} cannot be a name in a tree",
            layer=path or None,
            hint="use letters, digits and underscores, and no digit first",
        )


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """Build the tree of `structure` around `leaves`; the inverse of `flatten`."""
    if len(leaves) != structure.leaf_count:
        raise LxcError("LXC-E0105", f"{len(leaves)} leaves do not fit {structure}")
    return put_together(structure, iter(leaves), leaves)


def put_together(
    structure: Structure, following: Iterator[Any], leaves: Sequence[Any]
) -> Any:
    """Build one level of a tree, taking `following` leaves in order."""
    match structure.kind:
        case "leaf":
            return next(following)
        case "none":
            return None
        case "static":
            return structure.value
        case "dict":
            return {
                name: put_together(child, following, leaves)
                for name, child in structure.named_children()
            }
        case "list":
            return [put_together(child, following, leaves) for child in structure.children]
        case "tuple":
            children = structure.children
            return tuple(put_together(child, following, leaves) for child in children)
        case "optional":
            present = next(following)
            return Optional(present, put_together(structure.children[0], following, leaves))
        case "unstack":
            return Unstacked(next(following), structure.number)
        case "same":
            return leaves[structure.number]


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return `tree` with `function` applied to every leaf."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])
