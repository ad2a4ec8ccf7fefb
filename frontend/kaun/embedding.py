"""Rows of a table, by number."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.initializers import normal
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.vars import Vars, dtype_given, fields
from lxc.frontend.layers.linear import check_sizes
from lxc.ir import functions as ops
from lxc.ir.tensor import type_of
from lxc.ir.types import DType


def embedding(vocab_size: int, embed_dim: int, scale: bool = True) -> Layer:
    """Return a layer that maps int32 ids [...] to rows [..., embed_dim] of its table.

    The rows are multiplied by sqrt(embed_dim) unless `scale` is False (`nn.Embedding` never
    scales). Ids are int32 and no other type. They count from 0; one outside of the table is
    an error where it is known, and compiled code never reads outside of the table.
    """
    check_sizes(vocab_size=vocab_size, embed_dim=embed_dim)
    return layer_of(Embedding(vocab_size, embed_dim, scale), "embedding")


@dataclass(frozen=True)
class Embedding:
    """The table's sizes, and whether rows are scaled."""

    vocab_size: int
    embed_dim: int
    scale: bool

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return the table, from N(0, .02 squared)."""
        table = normal(stddev=0.02)(rng, (self.vocab_size, self.embed_dim), dtype)
        return Vars({"embedding": table}, [], dtype)

    def apply(
        self,
        params: Any,
        state: Any,
        dtype: np.dtype[Any],
        training: bool,
        rngs: Any,
        ctx: Context | None,
        x: Any,
    ) -> tuple[Any, Any]:
        """Return the rows that x names."""
        dtype_given(x, "int32")
        ids = type_of(x)
        if ids.dtype is not DType.I32:
            raise LxcError(
                "LXC-E0103",
                f"input dtype {ids.dtype.numpy} is not that of indices, int32",
                expected=f"x: {ids.with_dtype(DType.I32)}",
                actual=f"x: {ids}",
                hint="convert the input with astype(np.int32)",
            )
        table = fields(params, dtype, "embedding", what="parameters")["embedding"]
        rows = ops.lookup(table, x)
        return (ops.multiply(rows, sqrt(self.embed_dim)) if self.scale else rows), state
