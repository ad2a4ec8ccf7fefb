"""Attention and rotary embeddings of ONNX."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.types import element_type
from lxc.ir import functions as ops
from lxc.ir.functions.counting import counter
from lxc.ir.functions.reduce import summing_type
from lxc.ir.tensor import lifted, shape_of


@dataclass(frozen=True)
class Masks:
    """What hides keys from queries: a condition, and numbers that are added to scores.

    `certain` says that every query surely sees a key.
    """

    allowed: Any = None
    bias: Any = None
    certain: bool = True

    def hiding(self, allowed: Any, *, certain: bool = False) -> "Masks":
        """Return these masks with one more condition."""
        both = allowed if self.allowed is None else ops.logical_and(self.allowed, allowed)
        return replace(self, allowed=both, certain=self.certain and certain)

    def on(self, scores: Any) -> Any:
        """Return scores with numbers added, and minus infinity where hidden."""
        if self.bias is not None:
            scores = ops.add(scores, ops.astype(self.bias, scores.dtype))
        return scores if self.allowed is None else ops.where(self.allowed, scores, -np.inf)

    def only_seen(self, y: Any) -> Any:
        """Return rows of y, and zeros for queries that see no key."""
        if self.certain:
            return y
        seen = self.allowed
        if self.bias is not None:
            open_keys = ops.greater(self.bias, -np.inf)
            seen = open_keys if seen is None else ops.logical_and(seen, open_keys)
        return ops.where(ops.any(seen, -1, keepdims=True), y, 0)


def attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    past_key: Any = None,
    past_value: Any = None,
    nonpad_kv_seqlen: Any = None,
    *,
    is_causal: int = 0,
    kv_num_heads: int | None = None,
    left_window_size: int = -1,
    q_num_heads: int | None = None,
    qk_matmul_output_mode: int = 0,
    right_window_size: int = -1,
    scale: float | None = None,
    softcap: float = 0.0,
    softmax_precision: int | None = None,
    output_count: int = 1,
) -> Any:
    """Return softmax(scores) times the values, the keys and values so far, and scores."""
    flat = query.ndim == 3
    if flat:
        query = heads_of(query, q_num_heads)
        key, value = heads_of(key, kv_num_heads), heads_of(value, kv_num_heads)
    past = 0 if past_key is None else shape_of(past_key)[2]
    key, value = behind(past_key, key), behind(past_value, value)
    query, key, value = lifted((query, key, value))
    window = (left_window_size, right_window_size)
    masks = masks_of(query, key, attn_mask, nonpad_kv_seqlen, past, is_causal, window)
    scores = scores_of(summing_type(query), summing_type(key), scale, softcap)
    hidden = masks.on(scores)
    kind = scores.dtype if softmax_precision is None else element_type(softmax_precision)
    weights = ops.astype(ops.softmax(ops.astype(hidden, kind)), scores.dtype)
    y = masks.only_seen(grouped(weights, summing_type(value)))
    y = ops.astype(joined(y) if flat else y, query.dtype)
    if output_count < 4:
        return y, key, value
    shown = {2: hidden, 3: masks.only_seen(weights)}.get(qk_matmul_output_mode, scores)
    return y, key, value, ops.astype(shown, query.dtype)


def behind(past: Any, x: Any) -> Any:
    """Return keys or values behind those of the past, if there are any."""
    return x if past is None else ops.concatenate([past, x], 2)


def scores_of(query: Any, key: Any, scale: float | None, softcap: float) -> Any:
    """Return how much queries look at keys, within softcap if that is given."""
    factor = 1 / sqrt(shape_of(query)[-1]) if scale is None else scale
    scores = ops.multiply(grouped(query, ops.swapaxes(key, 2, 3)), factor)
    if softcap > 0:
        return ops.multiply(ops.tanh(ops.divide(scores, softcap)), softcap)
    return scores


def heads_of(x: Any, count: int | None) -> Any:
    """Return x [batch, length, heads * size] as [batch, heads, length, size]."""
    batch, length, width = shape_of(x)
    if not count or not isinstance(width, int) or width % count:
        raise LxcError(
            "LXC-E0103", f"{width} features make no {count or 'known number of'} heads"
        )
    parts = ops.reshape(x, (batch, length, count, width // count))
    return ops.transpose(parts, (0, 2, 1, 3))


def joined(y: Any) -> Any:
    """Return y [batch, heads, length, size] as [batch, length, heads * size]."""
    batch, heads, length, size = shape_of(y)
    return ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (batch, length, heads * size))


def grouped(rows: Any, matrix: Any) -> Any:
    """Return rows [batch, heads, L, n] times the matrix of their group of heads.

    The rows of all heads of a group are multiplied at once, so no matrix is repeated.
    """
    sizes: Any = shape_of(rows)
    batch, heads, length, size = sizes
    groups: Any = shape_of(matrix)[1]
    if groups == heads:
        return ops.matmul(rows, matrix)
    rows = ops.reshape(rows, (batch, groups, heads // groups * length, size))
    product = ops.matmul(rows, matrix)
    return ops.reshape(product, (batch, heads, length, shape_of(matrix)[3]))


def masks_of(
    query: Any,
    key: Any,
    mask: Any,
    lengths: Any,
    past: Any,
    causal: int,
    window: tuple[int, int],
) -> Masks:
    """Return what hides keys [batch, heads, keys, size] from queries."""
    square = (shape_of(query)[2], shape_of(key)[2])
    masks = Masks()
    if mask is not None:
        masks = with_given(lengthened(mask, square[1]), masks)
    limits = None
    if lengths is not None:
        limits = ops.reshape(ops.astype(lengths, np.int64), (-1, 1, 1, 1))
    if causal or max(window) >= 0:
        row, column = (counter(query, square, axis) for axis in (0, 1))
        offset = past if limits is None else ops.subtract(limits, square[0])
        distance = ops.subtract(column, ops.add(row, offset))
        left, right = window
        if causal:
            masks = masks.hiding(ops.less_equal(distance, 0), certain=limits is None)
        if left >= 0:
            masks = masks.hiding(ops.greater_equal(distance, -left))
        if right >= 0:
            masks = masks.hiding(ops.less_equal(distance, right))
    if limits is not None:
        masks = masks.hiding(ops.less(counter(query, (1, square[1]), 1), limits))
    return masks


def with_given(mask: Any, masks: Masks) -> Masks:
    """Return masks with one of bools or of numbers that are added."""
    if mask.dtype == np.bool_:
        return masks.hiding(mask)
    return replace(masks, bias=mask, certain=False)


def lengthened(mask: Any, keys: Any) -> Any:
    """Return a mask for all keys; those that it says nothing of are hidden."""
    own = shape_of(mask)[-1]
    if own in (1, keys):
        return mask
    hidden = False if mask.dtype == np.bool_ else -np.inf
    pads = [(0, 0)] * (mask.ndim - 1) + [(0, keys - own)]
    return ops.pad(mask, tuple(pads), constant_values=np.asarray(hidden, mask.dtype))


def rotary_embedding(
    x: Any,
    cos_cache: Any,
    sin_cache: Any,
    position_ids: Any = None,
    *,
    interleaved: int = 0,
    num_heads: int = 0,
    rotary_embedding_dim: int = 0,
) -> Any:
    """Return x with pairs of every head's elements turned by the angles of its position."""
    flat = x.ndim == 3
    y = heads_of(x, num_heads) if flat else x
    turning = rotary_embedding_dim or shape_of(y)[-1]
    if position_ids is not None:
        cos_cache, sin_cache = (
            ops.take(table, position_ids, 0) for table in (cos_cache, sin_cache)
        )
    cosine, sine = (ops.expand_dims(table, 1) for table in (cos_cache, sin_cache))
    part, rest = y[..., :turning], y[..., turning:]
    if interleaved:
        first, second = part[..., 0::2], part[..., 1::2]
    else:
        first, second = ops.split(part, 2, -1)
    real = ops.subtract(ops.multiply(cosine, first), ops.multiply(sine, second))
    imaginary = ops.add(ops.multiply(sine, first), ops.multiply(cosine, second))
    if interleaved:
        pairs = ops.stack([real, imaginary], -1)
        turned = ops.reshape(pairs, shape_of(part))
    else:
        turned = ops.concatenate([real, imaginary], -1)
    y = turned if shape_of(rest)[-1] == 0 else ops.concatenate([turned, rest], -1)
    return joined(y) if flat else y


ATTENTION: Mapping[str, Operator] = {
    "Attention": operator_of(attention, outputs=4),
    "RotaryEmbedding": operator_of(rotary_embedding),
}
