"""Public functions mean on arrays, on traced tensors and through NumPy what NumPy means."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import torch

from lxc.ir import functions as ops
from tests.ir.traced import same, traced

RNG = np.random.default_rng(0)
F = RNG.normal(size=(3, 4)).astype(np.float32)
G = RNG.normal(size=(4,)).astype(np.float32)
I = RNG.integers(-5, 6, (3, 4)).astype(np.int32)  # noqa: E741 - short names keep the table
J = RNG.integers(1, 4, (3, 1)).astype(np.int16)
B = RNG.normal(size=(3, 4)) > 0
H = F.astype(np.float16)
D = F.astype(np.float64)
U = RNG.integers(0, 9, (3, 4)).astype(np.uint8)

UNARY = "absolute ceil cos exp expm1 floor negative positive rint sign sin square tanh"
UNARY_POSITIVE = "log log1p reciprocal sqrt"
BINARY = "add subtract multiply maximum minimum equal not_equal less less_equal greater"
BINARY += " greater_equal divide"
BITS = "bitwise_and bitwise_or bitwise_xor"
LOGIC = "logical_and logical_or logical_xor"
REDUCTIONS = "sum max min prod mean all any"

Case = tuple[str, tuple[Any, ...], Callable[..., Any]]


def cases() -> list[Case]:
    """Return (name, arrays, how a module of functions is called on them)."""
    table: list[Case] = []

    def add(
        name: str, arrays: tuple[Any, ...], call: Callable[..., Any] | None = None
    ) -> None:
        table.append((name, arrays, call or (lambda m, *xs: getattr(m, name)(*xs))))

    for name in UNARY.split():
        for x in (F, D, H) if name != "positive" else (F, I):
            add(name, (x,))
    for name in UNARY_POSITIVE.split():
        add(name, (np.abs(F) + 1,))
    for name in ("absolute", "negative", "sign", "square"):
        add(name, (I,))
    for name in ("exp", "floor", "sqrt"):
        add(name, (np.abs(I),))
    for name in BINARY.split():
        for x, y in ((F, G), (F, F.T[:, :3].T), (I, J), (F, I), (H, F), (D, F), (U, I)):
            add(name, (x, y))
    for name in ("floor_divide", "remainder", "power"):
        add(name, (F, np.abs(G) + 1) if name != "power" else (np.abs(F), G))
    add("floor_divide", (I, J))
    add("remainder", (I, J))
    for name in BITS.split():
        add(name, (I, J))
        add(name, (B, ~B))
    for name in LOGIC.split():
        add(name, (I, F))
        add(name, (B, ~B))
    add("logical_not", (I,))
    add("logical_not", (B,))
    add("invert", (I,))
    add("left_shift", (I, J))
    add("right_shift", (I, J))
    add("isnan", (np.where(B, F, np.nan).astype(np.float32),))
    add("where", (B, F, G))
    add("where", (I, F, I))
    add("clip", (F,), lambda m, x: m.clip(x, -0.5, 0.5))
    add("clip", (F, G), lambda m, x, y: m.clip(x, y, None))
    add("astype", (F,), lambda m, x: m.astype(x, np.int32))
    add("astype", (F,), lambda m, x: m.astype(x, np.float16))
    for name in ("full_like", "zeros_like", "ones_like"):
        extra = (3,) if name == "full_like" else ()
        add(name, (F,), lambda m, x, n=name, e=extra: getattr(m, n)(x, *e))
        add(name, (I,), lambda m, x, n=name, e=extra: getattr(m, n)(x, *e))
    for name in REDUCTIONS.split():
        for axis in (None, 0, -1, (0, 1)):
            add(name, (F,), lambda m, x, n=name, a=axis: getattr(m, n)(x, axis=a))
            add(name, (I,), lambda m, x, n=name, a=axis: getattr(m, n)(x, axis=a))
        add(name, (F,), lambda m, x, n=name: getattr(m, n)(x, axis=1, keepdims=True))
    add("sum", (B,))
    add("sum", (U,))
    for name in ("matmul", "dot"):
        add(name, (I, I.T))
        add(name, (I, I[0]))
        add(name, (I[:, 0], I))
        add(name, (I[0], I[1]))
    add("matmul", (np.stack([I, I]), np.stack([I.T, I.T])))
    add("matmul", (np.stack([I, I]), I.T))
    add("matmul", (I, np.stack([I.T, I.T])))
    add("matmul", (I[0], np.stack([I.T, I.T])))
    add("matmul", (I, np.float32(2) * I.T))
    add("tensordot", (I, I), lambda m, x, y: m.tensordot(x, y, 2))
    add("tensordot", (I, I), lambda m, x, y: m.tensordot(x, y, ((0,), (0,))))
    add("reshape", (F,), lambda m, x: m.reshape(x, (2, -1)))
    add("reshape", (F,), lambda m, x: m.reshape(x, -1))
    add("ravel", (F,))
    add("transpose", (F,))
    add("transpose", (F,), lambda m, x: m.transpose(x, (1, 0)))
    add("swapaxes", (F,), lambda m, x: m.swapaxes(x, 0, -1))
    add("moveaxis", (F,), lambda m, x: m.moveaxis(x, -1, 0))
    add("broadcast_to", (G,), lambda m, x: m.broadcast_to(x, (2, 3, 4)))
    add("expand_dims", (F,), lambda m, x: m.expand_dims(x, 1))
    add("expand_dims", (F,), lambda m, x: m.expand_dims(x, (0, -1)))
    add("squeeze", (F[:, None, :1],), lambda m, x: m.squeeze(x))
    add("squeeze", (F[:, None, :1],), lambda m, x: m.squeeze(x, 1))
    add("flip", (F,), lambda m, x: m.flip(x))
    add("flip", (F,), lambda m, x: m.flip(x, 1))
    add("concatenate", (F, I), lambda m, x, y: m.concatenate([x, y], 1))
    add("stack", (F, F), lambda m, x, y: m.stack([x, y], -1))
    add("split", (F,), lambda m, x: m.split(x, 2, axis=1))
    add("split", (F,), lambda m, x: m.split(x, [1, 3], axis=1))
    add("pad", (F,), lambda m, x: m.pad(x, 1))
    add("pad", (F,), lambda m, x: m.pad(x, (1, 2)))
    add("pad", (F,), lambda m, x: m.pad(x, ((1, 0), (0, 2)), constant_values=5))
    return table


CASES = cases()
ALL = pytest.mark.parametrize(
    ("name", "arrays", "call"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)]
)
CLOSE = {
    "mean",
    "prod",
    "exp",
    "expm1",
    "log",
    "log1p",
    "tanh",
    "sin",
    "cos",
    "power",
    "sum",
}


def numpy_result(name: str, arrays: tuple[Any, ...], call: Callable[..., Any]) -> Any:
    with np.errstate(all="ignore"):
        return call(np, *arrays)


@ALL
def test_eager_results_are_numpys(
    name: str, arrays: tuple[Any, ...], call: Callable[..., Any]
) -> None:
    result, expected = call(ops, *arrays), numpy_result(name, arrays, call)
    if name in CLOSE or name in ("matmul", "divide", "reciprocal"):
        assert np.shape(result) == np.shape(expected)
        assert result.dtype == expected.dtype
        tolerance = 2e-3 if result.dtype == np.float16 else 1e-6
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)
    else:
        same(result, expected)


@ALL
def test_traced_results_are_the_eager_ones(
    name: str, arrays: tuple[Any, ...], call: Callable[..., Any]
) -> None:
    same(traced(lambda *xs: call(ops, *xs), *arrays), call(ops, *arrays))


@ALL
def test_numpys_functions_take_traced_tensors(
    name: str, arrays: tuple[Any, ...], call: Callable[..., Any]
) -> None:
    same(traced(lambda *xs: call(np, *xs), *arrays), call(ops, *arrays))


BEYOND: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "erf": (ops.erf, scipy.special.erf),
    "sigmoid": (ops.sigmoid, scipy.special.expit),
    "rsqrt": (lambda x: ops.rsqrt(ops.absolute(x)), lambda x: 1 / np.sqrt(np.abs(x))),
    "softmax": (lambda x: ops.softmax(x, 0), lambda x: scipy.special.softmax(x, 0)),
    "log_softmax": (ops.log_softmax, lambda x: scipy.special.log_softmax(x, -1)),
    "var": (lambda x: ops.var(x, 1), lambda x: np.var(x, 1)),
    "std": (ops.std, np.std),
    "conv": (
        lambda x: (
            ops.conv(
                ops.reshape(x, (1, 3, 4)), F[:, :, None], strides=(1,), padding=((1, 0),)
            )
            if False
            else ops.conv(
                ops.reshape(x, (1, 3, 4)), F.T[:, :, None], strides=(2,), padding=((1, 0),)
            )
        ),
        lambda x: torch.nn.functional.conv1d(
            torch.nn.functional.pad(torch.from_numpy(x)[None], (1, 0)),
            torch.from_numpy(np.ascontiguousarray(F.T[:, :, None])),
            stride=2,
        ).numpy(),
    ),
    "reduce_window": (
        lambda x: ops.reduce_window(x, "max", window=(2,), strides=(2,), padding=((0, 0),)),
        lambda x: x.reshape(3, 2, 2).max(-1),
    ),
}


@pytest.mark.parametrize("name", BEYOND)
def test_functions_that_numpy_lacks_are_right(name: str) -> None:
    own, reference = BEYOND[name]
    eager = own(F)
    assert eager.dtype == np.float32
    np.testing.assert_allclose(eager, reference(F), rtol=1e-6, atol=1e-6)
    same(traced(own, F), eager)


@pytest.mark.parametrize("call", [ops.random_bits, ops.random_uniform])
def test_random_numbers_are_the_same_traced(call: Callable[..., Any]) -> None:
    key = np.array([1, 2], np.uint32)
    eager = call(key, (5, 3))
    same(traced(lambda k: call(k, (5, 3)), key), eager)
    assert len(np.unique(eager)) == 15


def test_uniform_numbers_fill_the_unit_interval() -> None:
    numbers = ops.random_uniform(np.array([1, 2], np.uint32), (100_000,))
    assert numbers.dtype == np.float32
    assert 0 <= numbers.min() < 1e-4
    assert 1 - 1e-4 < numbers.max() < 1
    assert abs(float(numbers.mean()) - 0.5) < 0.005


def test_split_keys_are_the_same_traced() -> None:
    key = np.array([1, 2], np.uint32)
    same(traced(ops.random_split, key), ops.random_split(key))


def test_every_public_function_is_compared() -> None:
    tested = {name for name, _, _ in CASES} | set(BEYOND)
    assert set(ops.__all__) - tested == {"random_bits", "random_split", "random_uniform"}
