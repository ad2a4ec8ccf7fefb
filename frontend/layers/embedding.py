"""Rows of a table, by number."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import Mismatch
from lxc.frontend.initializers import Initializer, initialise, randn32, reversed_fans
from lxc.frontend.layer import Layer
from lxc.frontend.layers.linear import check_sizes
from lxc.ir import functions as ops
from lxc.ir.tensor import type_of


@dataclass(frozen=True, init=False)
class Embedding(Layer):
    """Return weight[ids]: [...] integers become [..., dim].

    `weight` is [vocab, dim]; nothing is scaled. Ids count from 0, as everywhere in NumPy
    (Lux.jl counts from 1), and -1 is not the last row. An id outside of the table is an
    error: of this call on arrays, and in an artifact of a call from Python whose input
    holds the ids. Compiled code called otherwise, and ids that a model computes, take the
    nearest row: no address outside of the table is ever read.
    """

    vocab: int
    dim: int
    init_weight: Initializer

    def __init__(self, vocab: int, dim: int, *, init_weight: Initializer = randn32) -> None:
        """Take the number of rows and their length."""
        check_sizes(vocab=vocab, dim=dim)
        object.__setattr__(self, "vocab", vocab)
        object.__setattr__(self, "dim", dim)
        object.__setattr__(self, "init_weight", init_weight)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the table."""
        shape = (self.vocab, self.dim)
        return {"weight": initialise(self.init_weight, rng, shape, reversed_fans(shape))}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the rows that x names."""
        ids = type_of(x)
        if not ids.dtype.is_integer:
            raise Mismatch("x", "integers", ids, because="they are numbers of rows")
        return ops.lookup(ps["weight"], x), st
