"""State that is None at first: how a layer reads it, and how tracing finds its types.

In Python such an entry is None until the layer has made it. Compiled code has a fixed set
of buffers, so there it is a bool that says whether the rest is present, followed by buffers
that hold zeros until then. While a model is traced the layer meets an `Optional`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir import functions as ops
from lxc.ir.tensor import type_of
from lxc.ir.types import TensorSpec, TensorType
from lxc.structure import PRESENT, Structure
from lxc.tree import Optional, flatten, map_leaves, unflatten

ROUNDS = 64
"""How often a model is run to find its state: once per level of what depends on what."""


def value_or(state: Any, otherwise: Any) -> Any:
    """Return `state`, or the tree `otherwise` where the state is missing.

    Both have one structure, and leaves of the same shapes and types.
    """
    if state is None:
        return otherwise
    if not isinstance(state, Optional):
        return state
    values, structure = flatten(state.value)
    others, other = flatten(otherwise)
    if structure != other:
        raise LxcError(
            "LXC-E0109",
            "a state that may be missing and its first value differ in structure",
            expected=str(structure),
            actual=str(other),
        )
    pairs = zip(values, others, strict=True)
    return unflatten(structure, [ops.where(state.present, a, b) for a, b in pairs])


def is_missing(state: Any) -> Any:
    """Return whether a state that is None at first is missing: a bool, or a tensor."""
    if isinstance(state, Optional):
        return ops.logical_not(state.present)
    return state is None


def settled(before: Any, after: Any) -> Any:
    """Return a layer's new state with an `Optional` wherever the old one had it."""
    if isinstance(before, Optional):
        if after is None:
            return Optional(np.asarray(False), map_leaves(ops.zeros_like, before.value))
        if isinstance(after, Optional):
            return after
        return Optional(np.asarray(True), after)
    if isinstance(before, dict) and isinstance(after, dict):
        return {k: settled(before.get(k), child) for k, child in after.items()}
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        if len(before) != len(after):
            return after
        return type(after)(settled(a, b) for a, b in zip(before, after, strict=True))
    return after


def chosen(condition: Any, one: Any, other: Any) -> Any:
    """Return the first tree where the condition holds, else the second.

    What is missing in one of them may be missing in the result.
    """
    if has_missing_part(one, other):
        known = [tree for tree in (one, other) if tree is not None]
        likes = [tree for tree in known if isinstance(tree, Optional)]
        like = [*likes, Optional(np.asarray(True), known[0])][0]
        first, second = settled(like, one), settled(like, other)
        present = chosen(condition, first.present, second.present)
        return Optional(present, chosen(condition, first.value, second.value))
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return {key: chosen(condition, one[key], other[key]) for key in one}
    for kind in (list, tuple):
        if isinstance(one, kind) and isinstance(other, kind) and len(one) == len(other):
            pairs = zip(one, other, strict=True)
            return kind(chosen(condition, *pair) for pair in pairs)
    (first, structure), (second, found) = flatten(one), flatten(other)
    if structure != found:
        raise LxcError(
            "LXC-E0109",
            "a layer returns one structure if its state is there, and another one if not",
            expected=str(found),
            actual=str(structure),
        )
    pairs = zip(first, second, strict=True)
    leaves = [a if a is b else ops.where(condition, a, b) for a, b in pairs]
    return unflatten(structure, leaves)


def has_missing_part(one: Any, other: Any) -> bool:
    """Return whether one of two trees is missing, or may be, and the other is there."""
    kinds = [isinstance(tree, Optional) for tree in (one, other)]
    return any(kinds) or (one is None) != (other is None)


def grown(before: Any, after: Any) -> Any:
    """Return `before` with typed stand-ins wherever it is None and `after` is not."""
    if before is None and after is not None:
        value = after.value if isinstance(after, Optional) else after
        check_value(value)
        return Optional(TensorSpec((), "bool"), specs_of(value))
    if isinstance(before, dict) and isinstance(after, dict):
        return {k: grown(child, after.get(k)) for k, child in before.items()}
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        if len(before) != len(after):
            return before
        return type(before)(grown(a, b) for a, b in zip(before, after, strict=True))
    return before


def check_value(value: Any) -> None:
    """Refuse what buffers and a `present` in front of them cannot hold."""
    _, structure = flatten(value)
    if structure.leaf_count == 0:
        raise LxcError(
            "LXC-E0109",
            "a state that is None at first becomes something without an array",
            expected="an array, or a tree of arrays",
            actual=str(structure),
            hint="begin with an array: np.asarray(False) for a flag",
        )
    if PRESENT in structure.keys:
        raise LxcError(
            "LXC-E0109",
            f"a state that is None at first gets an entry called {PRESENT!r}",
            hint="give it another name: this one says whether the state is there",
        )


def continues(before: Structure, after: Structure) -> bool:
    """Tell whether two structures differ only in what was None before."""
    if before.kind == "none" or before == after:
        return True
    return (before.kind, before.keys, before.value) == (
        after.kind,
        after.keys,
        after.value,
    ) and all(map(continues, before.children, after.children))


def specs_of(tree: Any) -> Any:
    """Return a tree of the types of its leaves."""
    return map_leaves(lambda leaf: spec_of(type_of(leaf)), tree)


def spec_of(type: TensorType) -> TensorSpec:
    """Return a type as a stand-in for an array."""
    return TensorSpec(type.shape, type.dtype.numpy)


def has_missing(tree: Any) -> bool:
    """Return whether some entry of a tree is None."""
    if isinstance(tree, dict):
        return any(map(has_missing, tree.values()))
    if isinstance(tree, list | tuple):
        return any(map(has_missing, tree))
    return tree is None


def completed(st: Any, run: Callable[[Any], Any]) -> Any:
    """Return `st` with an `Optional` for each None that `run`, a call, turns into arrays.

    `run(st)` returns the new state. It is repeated, since what appears in one call may
    change what the next one does, until nothing more appears.
    """
    for _ in range(ROUNDS):
        if not has_missing(st):
            return st
        following = grown(st, run(st))
        if flatten(following)[1] == flatten(st)[1]:
            return st
        st = following
    raise LxcError(
        "LXC-E0109",
        "the state gains entries with every call",
        hint="return a state of one structure from the second call on",
    )
