"""Work that is ready to run: compiled in one way, with memory for everything it reads.

What it reads comes from where it would be found in a model: values that were just made are
in the caches, and weights are not, because all other weights of the model were read since.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from lxc.ir.dim import Dim
from lxc.runtime import load
from lxc.runtime.memory import ALIGNMENT, Array, aligned_bytes
from lxc.runtime.signature import DTYPES, Leaf, Signature

COLD_BYTES = 48 << 20
"""Weights that lie so far back are in no cache that belongs to one core."""
MOST_COPIES = 64
USUAL_SIZE = 64
"""The length of a dimension while something is measured, if its bounds allow it."""
SAMPLES = 4096


@dataclass(frozen=True)
class Trial:
    """One way to do some work: calls with weights of their own that do it `works` times."""

    calls: tuple[Callable[[], None], ...]
    works: int = 1


class KernelMemory:
    """The arrays that all trials of one kernel read and write, made when first asked for.

    `weights` are the numbers of those inputs that are weights: all other weights of the
    model, `cold_bytes` in all, are read between two calls with the same ones.
    """

    def __init__(
        self, sizes: Mapping[str, int], weights: Collection[int], cold_bytes: int
    ) -> None:
        """Begin without arrays."""
        self.sizes, self.weights, self.cold_bytes = sizes, weights, cold_bytes
        self.inputs: list[tuple[Array, ...]] = []
        self.outputs: list[Array] = []

    def trial(self, artifact: bytes) -> Trial:
        """Return the trial of a kernel."""
        model = load(artifact, threads=1)
        if not self.inputs:
            self.fill(model.signature)
        bound = model.bind({}, {}, threads=1)
        (output,) = self.outputs
        calls = [bound.at(inputs=one, outputs=output) for one in self.inputs]
        return Trial(tuple(calls))

    def fill(self, signature: Signature) -> None:
        """Make the arrays."""
        leaves, results = signature.inputs.leaves, signature.outputs.leaves
        # As in the arena of a model, what is read and what is written are neighbours:
        # stores at the same place of another page would hold up the loads.
        arrays = filled([*leaves, *results], self.sizes)
        first, self.outputs = arrays[: len(leaves)], arrays[len(leaves) :]
        moving = [leaves[number] for number in self.weights]
        weight_bytes = sum(first[number].nbytes for number in self.weights)
        copies = copies_of(weight_bytes, self.cold_bytes)
        found = iter(filled(moving * copies, self.sizes))
        for _ in range(copies):
            placed = dict(zip(self.weights, found, strict=False))
            self.inputs.append(tuple(placed.get(n, one) for n, one in enumerate(first)))


def sizes_of(dims: Sequence[Dim]) -> dict[str, int]:
    """Return how long dimensions are while something is measured."""
    return {dim.name: min(dim.high, max(dim.low, USUAL_SIZE)) for dim in dims}


def copies_of(weight_bytes: int, cold_bytes: int) -> int:
    """Return how many copies of some weights take so many bytes."""
    wanted = min(cold_bytes, COLD_BYTES) // max(1, weight_bytes)
    return max(1, min(MOST_COPIES, wanted))


def model_trial(artifact: bytes, sizes: Mapping[str, int]) -> Trial:
    """Return the trial of a model with params that does its work once for every output."""
    model = load(artifact, threads=1)
    signature = model.signature
    x, *outputs = filled([*signature.inputs.leaves, *signature.outputs.leaves], sizes)
    params = filled(signature.params.leaves, sizes)
    bound = model.bind(params, {}, threads=1)
    return Trial((bound.at(inputs=x, outputs=outputs),), len(outputs))


def filled(leaves: Sequence[Leaf], sizes: Mapping[str, int]) -> list[Array]:
    """Return arrays for leaves, one behind the other in memory, with ordinary numbers."""
    shapes = [leaf.shape_at(sizes) for leaf in leaves]
    dtypes = [DTYPES[leaf.dtype] for leaf in leaves]
    lengths = [
        -(-prod(shape) * dtype.itemsize // ALIGNMENT) * ALIGNMENT
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    block, place, arrays = aligned_bytes(sum(lengths)), 0, []
    for shape, dtype, length in zip(shapes, dtypes, lengths, strict=True):
        part = block[place : place + prod(shape) * dtype.itemsize]
        arrays.append(part.view(dtype).reshape(shape))
        arrays[-1][...] = numbers_of(dtype, shape)
        place += length
    return arrays


def numbers_of(dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """Return numbers that kernels meet in models; integers are 0."""
    numbers = np.zeros(1)
    if dtype.kind not in "iub":
        numbers = np.random.default_rng(0).standard_normal(SAMPLES)
    return np.resize(numbers.astype(dtype), shape)
