"""Attention of a sequence to itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.dropout import check_rate, dropped
from lxc.frontend.kaun.initializers import glorot_uniform
from lxc.frontend.kaun.layer import Layer, layer_of
from lxc.frontend.kaun.rope import check_theta, rope
from lxc.frontend.kaun.vars import Vars, check_dtype, fields
from lxc.frontend.layers.linear import check_sizes
from lxc.ir import functions as ops
from lxc.ir.functions.counting import counter
from lxc.ir.functions.reduce import summing_type
from lxc.ir.tensor import type_of
from lxc.ir.types import DType, shape_text

attention_mask_key = "attention_mask"
"""The name under which a context holds the mask of `multi_head_attention`."""

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "out_proj")
BIASES = ("q_bias", "k_bias", "v_bias", "out_bias")

HIDDEN = -1e9
"""The score of a position that is not seen: finite, so that a row may hide all of them."""


def multi_head_attention(
    embed_dim: int,
    num_heads: int,
    num_kv_heads: int | None = None,
    dropout: float = 0.0,
    is_causal: bool = False,
    rope: bool = False,
    rope_theta: float = 10000.0,
    bias: bool = False,
) -> Layer:
    """Return a layer that lets every position of x [B, L, embed_dim] look at all of them.

    Each of `num_heads` heads computes softmax(q k^T / sqrt(d)) v on d = embed_dim /
    num_heads features of the projected input, and `out_proj` joins the heads to [B, L,
    embed_dim]. With `bias` each projection adds one, which starts at zeros and which Kaun's
    own layer does not have. `num_kv_heads` heads of keys and values serve
    num_heads / num_kv_heads consecutive heads of queries each.

    With `is_causal` a position sees none behind itself. The tensor `attention_mask` [B, L]
    of the context, bool or integers, hides positions where it is 0, from all heads and
    queries. Hidden positions get a score of -1e9, so a row that sees nothing is the mean of
    all values (torch gives 0 there). `rope` turns queries and keys by their position, with
    base `rope_theta`. In training `dropout` zeroes weights, as the layer `dropout` does,
    and a call needs `rngs`. For half types scores, softmax and the sum of values are
    computed in float32.
    """
    heads = num_heads if num_kv_heads is None else num_kv_heads
    check_sizes(embed_dim=embed_dim, num_heads=num_heads, num_kv_heads=heads)
    for whole, size, part, count in (
        ("embed_dim", embed_dim, "num_heads", num_heads),
        ("num_heads", num_heads, "num_kv_heads", heads),
    ):
        if size % count:
            raise LxcError(
                "LXC-E0101",
                f"{whole} does not split into {part} equal parts",
                expected=f"{whole} divisible by {count}",
                actual=f"{whole}: {size}",
            )
    if rope and embed_dim // num_heads % 2:
        raise LxcError(
            "LXC-E0101",
            "rope turns pairs, and a head has an odd number of features",
            expected="an even embed_dim / num_heads",
            actual=f"embed_dim / num_heads: {embed_dim // num_heads}",
        )
    rate, base = check_rate("dropout", dropout), check_theta("rope_theta", rope_theta)
    theta = base if rope else None
    made = Attention(embed_dim, num_heads, heads, rate, is_causal, theta, bias)
    return layer_of(made, "multi_head_attention")


@dataclass(frozen=True)
class Attention:
    """Sizes and options; without `rope_theta` nothing turns."""

    embed_dim: int
    num_heads: int
    num_kv_heads: int
    dropout: float
    is_causal: bool
    rope_theta: float | None
    bias: bool

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return the four projections, as [in, out], and their biases if there are any."""
        size = self.embed_dim // self.num_heads * self.num_kv_heads
        draw, sizes = glorot_uniform(), (self.embed_dim, size, size, self.embed_dim)
        params = {
            name: draw(rng, (self.embed_dim, width), dtype)
            for name, width in zip(PROJECTIONS, sizes, strict=True)
        }
        if self.bias:
            biases = zip(BIASES, sizes, strict=True)
            params |= {name: np.zeros(width, dtype) for name, width in biases}
        return Vars(params, [], dtype)

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
        """Return [B, L, embed_dim]."""
        check_dtype(x, dtype)
        if len(x.shape) != 3 or x.shape[2] != self.embed_dim:
            expected = shape_text(["B", "L", self.embed_dim])
            raise Mismatch("x", expected, shape_text(x.shape))
        names = (*PROJECTIONS, *BIASES) if self.bias else PROJECTIONS
        own = fields(params, dtype, *names, what="parameters")
        query = self.heads(projected(x, own, "q"), self.num_heads)
        key = self.heads(projected(x, own, "k"), self.num_kv_heads)
        value = self.heads(projected(x, own, "v"), self.num_kv_heads)
        if self.rope_theta is not None:
            query, key = rope(query, self.rope_theta), rope(key, self.rope_theta)
        scores = self.grouped(query, ops.swapaxes(key, 2, 3))
        weights = ops.softmax(self.hidden(scores, visible(x, ctx)))
        if training:
            weights = dropped(weights, self.dropout, rngs, "attention dropout")
        joined = ops.transpose(self.grouped(weights, value), (0, 2, 1, 3))
        joined = ops.astype(ops.reshape(joined, x.shape), dtype)
        return projected(joined, own, "out"), state

    def heads(self, x: Any, count: int) -> Any:
        """Return x [B, L, count * d] as [B, count, L, d], float32 for half types."""
        batch, length, _ = x.shape
        size = self.embed_dim // self.num_heads
        parts = ops.reshape(x, (batch, length, count, size))
        return summing_type(ops.transpose(parts, (0, 2, 1, 3)))

    def grouped(self, rows: Any, matrix: Any) -> Any:
        """Return rows [B, heads, L, n] times the matrix of their group of heads.

        The rows of all heads of a group are multiplied at once, so no matrix is repeated.
        """
        batch, heads, length, size = rows.shape
        together = heads // self.num_kv_heads * length
        rows = ops.reshape(rows, (batch, self.num_kv_heads, together, size))
        product = ops.matmul(rows, matrix)
        return ops.reshape(product, (batch, heads, length, matrix.shape[3]))

    def hidden(self, scores: Any, mask: Any) -> Any:
        """Return scores [B, heads, L, L] scaled, and -1e9 for positions not to be seen."""
        scaled = ops.multiply(scores, 1 / sqrt(self.embed_dim // self.num_heads))
        if self.is_causal:
            square = scores.shape[2:]
            earlier = ops.less_equal(*(counter(scores, square, axis) for axis in (1, 0)))
            mask = earlier if mask is None else ops.logical_and(mask, earlier)
        return scaled if mask is None else ops.where(mask, scaled, HIDDEN)


def projected(x: Any, own: Mapping[str, Any], part: str) -> Any:
    """Return a projection of x, with its bias if it has one."""
    y = ops.matmul(x, own[f"{part}_proj"])
    bias = own.get(f"{part}_bias")
    return y if bias is None else ops.add(y, bias)


def visible(x: Any, ctx: Context | None) -> Any:
    """Return the context's mask for x as [B, 1, 1, L] of bool, or None if it has none."""
    mask = None if ctx is None else ctx.find(attention_mask_key)
    if mask is None:
        return None
    own, wanted = type_of(mask), type_of(x).with_shape(x.shape[:2])
    if own.dtype is not DType.BOOL and not own.dtype.is_integer:
        expected = f"{wanted.with_dtype(DType.BOOL)} or integers"
        raise Mismatch(attention_mask_key, expected, own)
    if own.shape != wanted.shape:
        raise Mismatch(attention_mask_key, wanted.with_dtype(own.dtype), own)
    return ops.reshape(ops.not_equal(mask, 0), (wanted.shape[0], 1, 1, wanted.shape[1]))
