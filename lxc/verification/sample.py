"""The check that a bundle brings: a call by the rule of bundles, and its exact results."""

from collections.abc import Mapping, Sequence

import numpy as np

from lxc.ir.types import Array
from lxc.runtime.signature import DTYPES, Group, Leaf, Signature
from lxc.targets.bundle.check import Check, Expected, drawn_inputs, expected
from lxc.targets.bundle.values import BundleValues
from lxc.verification.given import Values, in_header_order
from lxc.verification.meaning import Meaning

SOME = 2
"""The size of a dimension in a check, where it can be."""


def check_sizes_of(signature: Signature) -> dict[str, int]:
    """Return a size for every dimension."""
    return {dim.name: max(dim.low, min(SOME, dim.high)) for dim in signature.dims}


def first_values(
    signature: Signature, params: Mapping[str, Array], state: Mapping[str, Array]
) -> BundleValues:
    """Return values in header order; state whose size is not fixed begins as zeros."""
    sizes = check_sizes_of(signature)
    fixed = {
        leaf.name: np.asarray(state[leaf.name])
        for leaf in signature.state.leaves
        if leaf.name in state and not leaf.symbolic
    }
    return BundleValues(
        [in_type(params[leaf.name], leaf) for leaf in signature.params.leaves],
        in_header_order(signature.state, without_parts(signature.state, fixed), sizes),
    )


def in_type(array: Array, leaf: Leaf) -> Array:
    """Return an array in the element type of its leaf."""
    return np.asarray(array).astype(DTYPES[leaf.dtype], copy=False)


def without_parts(group: Group, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return arrays without what is optional and not there as a whole."""
    dropped: set[str] = set()
    for places in group.tree.optional_leaves():
        inside = [group.leaves[place].name for place in places[1:]]
        if not all(name in arrays for name in inside):
            dropped.update(inside)
    return {name: array for name, array in arrays.items() if name not in dropped}


def sample_check(meaning: Meaning, sizes: Mapping[str, int], *, by_tiles: bool) -> Check:
    """Return what is expected of a call; `by_tiles` is that of `Meaning.allowed`."""
    signature = meaning.signature
    outputs = signature.outputs.leaves
    results: list[Expected] = []
    for place, leaf in enumerate(outputs):
        results += result(meaning, place, leaf, leaf.name, by_tiles=by_tiles)
    absent = absent_leaves(meaning)
    for place, leaf in enumerate(signature.state.leaves, len(outputs)):
        if not leaf.frozen and leaf.name not in absent:
            name = f"state {leaf.name}"
            results += result(meaning, place, leaf, name, by_tiles=by_tiles)
    return Check(tuple(sizes[dim.name] for dim in signature.dims), tuple(results))


def result(
    meaning: Meaning, place: int, leaf: Leaf, name: str, *, by_tiles: bool
) -> Sequence[Expected]:
    """Return what is expected of one result.

    Nothing is expected of integers that rounding can change, which follow from comparing
    floats now and then.
    """
    exact = meaning.exact[name]
    others = (meaning.narrow[name], meaning.lower[name])
    is_float = np.issubdtype(exact.dtype, np.floating)
    if not is_float and not all(np.array_equal(exact, one) for one in others):
        return ()
    return (expected(place, leaf, exact, meaning.allowed(name, by_tiles=by_tiles)),)


def absent_leaves(meaning: Meaning) -> set[str]:
    """Return the names of leaves that are optional and are not there after the call."""
    group = meaning.signature.state
    names = [leaf.name for leaf in group.leaves]
    ranges = group.tree.optional_leaves()
    gone = [p for p in ranges if not np.all(meaning.exact[f"state {names[p[0]]}"])]
    return {names[place] for places in gone for place in places[1:]}


def arguments_of(signature: Signature, values: BundleValues) -> Values:
    """Return the values of the call of a check."""
    inputs = drawn_inputs(signature.inputs.leaves, check_sizes_of(signature))
    return Values(inputs, list(values.params), list(values.state))
