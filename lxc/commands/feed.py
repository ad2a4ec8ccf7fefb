"""Inputs of a run: arrays from files, zeros, or random numbers from a seed."""

import re
from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from lxc.commands.array_files import STANDARD_INPUT, array_in
from lxc.commands.pairs import pairs, ranges
from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array
from lxc.runtime.extent import interval
from lxc.runtime.signature import DTYPES, Leaf, Signature

SEED = re.compile(r"rand\((\d+)\)")
FORMS = "@x.npy, @x.npz:key, @x.safetensors:key, @x.raw, @-, zeros or rand(seed)"


def input_arrays(
    signature: Signature, texts: Sequence[str], dims: Sequence[str]
) -> dict[str, Array]:
    """Return an array for every input by name; all of them must be given.

    Dimensions of made-up arrays are those of the arrays from files, those that `dims` give,
    or the smallest.
    """
    leaves = {leaf.name: leaf for leaf in signature.inputs.leaves}
    given = pairs("--input", texts, "x=@x.npy")
    for name in given:
        if name not in leaves:
            raise LxcError(
                "LXC-E0001", f"the model has no input {name}", expected=", ".join(leaves)
            )
    missing = [f"{name}: {leaf}" for name, leaf in leaves.items() if name not in given]
    if missing:
        raise LxcError(
            "LXC-E0001",
            "an input of the model is not given",
            expected="; ".join(missing),
            hint=f"--input NAME=..., where ... is {FORMS}",
        )
    places = {name: text[1:] for name, text in given.items() if text.startswith("@")}
    if list(places.values()).count(STANDARD_INPUT) > 1:
        raise LxcError("LXC-E0001", "the standard input holds one array, not several")
    told = ranges(dims)
    single = {name: low for name, (low, high) in told.items() if low == high}
    arrays = {
        name: array_in(place, leaves[name], most_bytes(leaves[name], signature), single)
        for name, place in places.items()
    }
    sizes = sizes_of(signature, arrays, told)
    for name, text in given.items():
        if name not in arrays:
            arrays[name] = made_up(name, text, leaves[name], sizes)
    return {name: arrays[name] for name in leaves}


def most_bytes(leaf: Leaf, signature: Signature) -> int:
    """Return the size of an input with every dimension at its upper bound."""
    bounds = {dim.name: (dim.low, dim.high) for dim in signature.dims}
    return prod(interval(entry, bounds)[1] for entry in leaf.shape) * leaf.item_bytes


def sizes_of(
    signature: Signature, arrays: Mapping[str, Array], given: Mapping[str, tuple[int, int]]
) -> dict[str, int]:
    """Return a size for every dimension."""
    sizes = {dim.name: max(dim.low, min(1, dim.high)) for dim in signature.dims}
    for name, (low, high) in given.items():
        if name not in sizes or low != high:
            raise LxcError(
                "LXC-E0001",
                f"--dim {name} does not fit the model",
                expected=f"one size for one of: {', '.join(sizes) or 'no dimensions'}",
            )
        sizes[name] = low
    for leaf in signature.inputs.leaves:
        if leaf.name in arrays:
            shape = arrays[leaf.name].shape
            pairs_of_sizes = zip(leaf.shape, shape, strict=False)
            sizes |= {e: n for e, n in pairs_of_sizes if isinstance(e, str)}
    return sizes


def made_up(name: str, text: str, leaf: Leaf, sizes: Mapping[str, int]) -> Array:
    """Return zeros, or normal numbers from a seed; integers and indices are uniform."""
    shape, dtype = leaf.shape_at(sizes), DTYPES[leaf.dtype]
    if text == "zeros":
        return np.zeros(shape, dtype)
    match = SEED.fullmatch(text)
    if match is None:
        raise LxcError(
            "LXC-E0001",
            f"the value of input {name} cannot be understood",
            expected=FORMS,
            actual=text,
        )
    generator = np.random.default_rng(int(match[1]))
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        if leaf.below is not None:
            low, high = 0, leaf.below - 1
        return generator.integers(low, high, shape, dtype, endpoint=True)
    if dtype.kind == "b":
        return generator.random(shape) < 0.5
    return generator.standard_normal(shape).astype(dtype)
