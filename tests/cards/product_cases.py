"""Products and convolutions of odd and even sizes, with operands in all orders."""

from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from lxc.ir.types import Array, DType
from tests.ops.cases import Case

Shape = tuple[int, ...]


def drawn(seed: int, *shape: int, dtype: Any = np.float32) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def dot(left: Array, right: Array, *axes: tuple[int, ...], **more: Any) -> Case:
    names = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    facts = {**dict(zip(names, axes, strict=True)), **more}
    return Case("dot", "dot_general", (left, right), facts)


def conv(x: Array, weight: Array, **facts: Any) -> Case:
    plain: Mapping[str, Any] = {
        "strides": (1, 1),
        "padding": ((0, 0), (0, 0)),
        "lhs_dilation": (1, 1),
        "rhs_dilation": (1, 1),
        "groups": 1,
    }
    return Case("conv", "conv", (x, weight), {**plain, **facts})


def cases(dtype: Any, **more: Any) -> list[Case]:
    """Return products of odd and even sizes, with operands in all orders, and others."""

    def one(seed: int, *shape: int) -> Array:
        return drawn(seed, *shape, dtype=dtype)

    padded, below = {"padding": ((1, 1), (2, 0))}, {"padding": ((0, 3), (0, 0))}
    return [
        dot(one(0, 131, 300), one(1, 300, 136), (), (), (1,), (0,), **more),
        dot(one(2, 304, 132), one(3, 137, 304), (), (), (0,), (1,), **more),
        dot(one(4, 19, 37), one(5, 37, 23), (), (), (1,), (0,), **more),
        dot(one(6, 2, 20, 3, 16), one(7, 2, 24, 3, 16), (0, 2), (0, 2), (3,), (3,), **more),
        dot(one(8, 300), one(9, 300, 40), (), (), (0,), (0,), **more),
        dot(one(10, 24, 4, 10), one(11, 10, 4), (), (), (1, 2), (1, 0), **more),
        conv(one(12, 2, 5, 9, 8), one(13, 12, 5, 3, 3), strides=(2, 1), **padded, **more),
        conv(one(14, 1, 16, 6, 7), one(15, 24, 8, 2, 2), groups=2, **more),
        conv(one(16, 3, 16, 4, 4), one(17, 1, 1, 16, 24), weight_order="io", **more),
        conv(
            one(18, 1, 4, 9, 9), one(19, 8, 4, 3, 3), rhs_dilation=(2, 1), **below, **more
        ),
    ]


def channels_last(operands: tuple[Array, Array], *more: Mapping[str, Any]) -> Case:
    facts: dict[str, Any] = {"strides": (1, 1), "padding": ((1, 1), (2, 0))}
    facts |= {"rhs_dilation": (1, 1), "groups": 1}
    for some in more:
        facts |= some
    return Case("channels last", "channels_last_conv", operands, facts)


def channels_last_cases() -> list[Case]:
    """Return convolutions whose channels are copied 16, 8, 4 and 2 bytes at a time."""
    half, wide = np.dtype(ml_dtypes.bfloat16), np.dtype(np.float32)

    def operands(seed: int, x: Shape, weight: Shape, dtype: Any) -> tuple[Array, Array]:
        return drawn(seed, *x, dtype=dtype), drawn(seed + 1, *weight, dtype=dtype)

    kept, groups = {"result": DType.F32}, {"groups": 2}
    return [
        channels_last(operands(30, (2, 9, 8, 16), (24, 3, 3, 16), half), kept),
        channels_last(
            operands(32, (2, 7, 9, 4), (16, 3, 2, 4), half), kept, {"strides": (2, 1)}
        ),
        channels_last(
            operands(34, (1, 6, 5, 12), (16, 2, 3, 6), half),
            kept,
            groups,
            {"rhs_dilation": (2, 1)},
        ),
        channels_last(operands(36, (1, 5, 6, 3), (8, 3, 3, 3), half), kept),
        channels_last(operands(38, (1, 6, 5, 8), (16, 3, 3, 4), wide), groups),
        channels_last(operands(40, (1, 6, 5, 8), (9, 3, 3, 8), wide), {"factors": "tf32"}),
    ]


ALL_CASES = {
    "float32": cases(np.float32),
    "bfloat16": cases(ml_dtypes.bfloat16, result=DType.F32)[:7],
    "float16": cases(np.float16)[1:3],
    "tf32": cases(np.float32, factors="tf32")[:9],
    "channels last": channels_last_cases(),
}
