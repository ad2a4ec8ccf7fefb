"""What goes into a model, before sizes and element types are chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import lxc
from lxc.tree import flatten, unflatten


@dataclass(frozen=True)
class Feed:
    """An input: sizes by number or by the name of a dimension.

    Without `dtype` it has the model's element type. `below` is for whole numbers: the
    first that is too large.
    """

    shape: tuple[int | str, ...]
    dtype: str | None = None
    below: int = 2

    def array(self, sizes: Mapping[str, int], dtype: Any, rng: np.random.Generator) -> Any:
        """Return drawn numbers."""
        shape = [sizes[n] if isinstance(n, str) else n for n in self.shape]
        if self.dtype is None:
            return rng.standard_normal(shape).astype(dtype)
        return rng.integers(0, self.below, shape).astype(self.dtype)

    def spec(self, dims: Mapping[str, lxc.Dim], dtype: Any) -> lxc.TensorSpec:
        """Return the type, with dimensions for the named sizes."""
        shape = tuple(dims[n] if isinstance(n, str) else n for n in self.shape)
        return lxc.TensorSpec(shape, self.dtype or dtype)


def floats(*shape: int | str) -> Feed:
    """Return an input of floats."""
    return Feed(shape)


def ids(below: int, *shape: int | str, dtype: str = "int32") -> Feed:
    """Return an input of whole numbers."""
    return Feed(shape, dtype, below)


def arrays(feeds: Any, sizes: Mapping[str, int], dtype: Any, seed: int = 0) -> Any:
    """Return a tree of drawn inputs."""
    leaves, structure = flatten(feeds)
    rng = np.random.default_rng(seed)
    return unflatten(structure, [feed.array(sizes, dtype, rng) for feed in leaves])


def specs(feeds: Any, dims: Mapping[str, lxc.Dim], dtype: Any) -> Any:
    """Return a tree of input types."""
    leaves, structure = flatten(feeds)
    return unflatten(structure, [feed.spec(dims, dtype) for feed in leaves])
