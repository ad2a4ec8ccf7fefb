"""Attention: how much each query looks at each key decides what it takes of the values."""

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import Size, bounds
from lxc.ir.op import op
from lxc.ir.ops.shape import check_count
from lxc.ir.types import Array, DType, TensorType

READ = (DType.F32, DType.BF16, DType.F16)
"""What queries, keys and values may be."""


@op(kind="reduction")
def attention(
    query: TensorType,
    key: TensorType,
    value: TensorType,
    memory: TensorType,
    *masks: TensorType,
    scale: float,
    hidden: float,
    causal: bool,
    offset: Size,
    queries_first: bool,
) -> TensorType:
    """Return softmax(scores) times the values, for every head.

    `query` is [*batch, heads, queries, D], `key` [*batch, groups, keys, D] and `value`
    [*batch, groups, keys, E]: heads / groups heads in a row read the same keys. The result
    is [*batch, heads, queries, E], with queries in front of heads if `queries_first`. All
    three are float32 or of one half type; the result is float32, and so is all in between.

    A score is scale * (query . key). Then each mask [*batch, heads, queries, keys] has its
    turn: one of floats is added, and where one of bool is false, the score is `hidden`. If
    `causal`, it is so as well for every key behind query + `offset`. A row whose scores are
    all minus infinity is NaN. `memory` is float32 of any content for a kernel to work in.
    """
    check_operands(query, key, value)
    *batch, heads, queries, _ = query.shape
    keys = key.shape[-2]
    if memory.dtype is not DType.F32:
        raise Mismatch("memory", "float32", memory)
    for number, mask in enumerate(masks):
        wanted = TensorType(DType.F32, (*batch, heads, queries, keys))
        if mask not in (wanted, wanted.with_dtype(DType.BOOL)):
            expected = f"{wanted} or {wanted.with_dtype(DType.BOOL)}"
            raise Mismatch(f"masks[{number}]", expected, mask)
    width = value.shape[-1]
    order = (queries, heads) if queries_first else (heads, queries)
    return TensorType(DType.F32, (*batch, *order, width))


def check_operands(query: TensorType, key: TensorType, value: TensorType) -> None:
    """Refuse queries, keys and values that do not fit each other."""
    if query.dtype not in READ or query.rank < 3:
        raise Mismatch("query", "float32 [*batch, heads, queries, size]", query)
    check_count("axes of key", key.rank, query.rank)
    check_count("axes of value", value.rank, query.rank)
    heads, groups, keys = query.shape[-3], key.shape[-3], key.shape[-2]
    size, width = query.shape[-1], value.shape[-1]
    if not all(isinstance(entry, int) and entry > 0 for entry in (heads, size, width)):
        raise Mismatch("query", "a known number of heads and features", query)
    if not isinstance(groups, int) or groups < 1 or heads % groups:
        expected = f"a number of heads that divides {heads}"
        raise Mismatch("key", expected, key, because=f"query is {query}")
    if bounds(keys)[0] < 1:
        raise LxcError("LXC-E0103", "attention needs at least one key", actual=str(key))
    for name, found, last in (("key", key, size), ("value", value, width)):
        wanted = query.with_shape((*query.shape[:-3], groups, keys, last))
        if found != wanted:
            raise Mismatch(name, wanted, found, because=f"query is {query}")


@attention.reference
def attention_arrays(
    query: Array,
    key: Array,
    value: Array,
    memory: Array,
    *masks: Array,
    scale: float,
    hidden: float,
    causal: bool,
    offset: int,
    queries_first: bool,
) -> Array:
    """Compute all scores, then softmax as its definition says."""
    kind = np.result_type(query.dtype, np.float32)
    query, key, value = (x.astype(kind, copy=False) for x in (query, key, value))
    shared = query.shape[-3] // key.shape[-3]
    keys, values = (np.repeat(array, shared, axis=-3) for array in (key, value))
    scores = np.matmul(query, np.swapaxes(keys, -1, -2)) * np.asarray(scale, query.dtype)
    low = np.asarray(hidden, query.dtype)
    for mask in masks:
        scores = np.where(mask, scores, low) if mask.dtype == bool else scores + mask
    if causal:
        rows, columns = np.indices(scores.shape[-2:])
        scores = np.where(columns <= rows + offset, scores, low)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    result = np.matmul(powers / powers.sum(-1, keepdims=True), values)
    return np.swapaxes(result, -2, -3) if queries_first else result
