"""Tensors have the methods and properties of arrays that layers use."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from tests.ir.traced import placeholders, traced

X = np.random.default_rng(0).normal(size=(4, 1, 6)).astype(np.float32)

METHODS: list[Callable[[Any], Any]] = [
    lambda x: x.T,
    lambda x: x.mT,
    lambda x: x.reshape(2, -1),
    lambda x: x.reshape((6, 4)),
    lambda x: x.transpose(2, 0, 1),
    lambda x: x.transpose(),
    lambda x: x.swapaxes(0, -1),
    lambda x: x.squeeze(),
    lambda x: x.squeeze(1),
    lambda x: x.ravel(),
    lambda x: x.flatten(),
    lambda x: x.copy(),
    lambda x: x.astype(np.float64),
    lambda x: x.astype(np.int32, copy=False),
    lambda x: x.clip(-0.5, 0.5),
    lambda x: x.clip(max=0),
    lambda x: x.clip(min=0),
    lambda x: x.round(),
    lambda x: x.round(2),
    lambda x: x.sum(),
    lambda x: x.sum(axis=(0, 2), keepdims=True),
    lambda x: x.prod(0),
    lambda x: x.mean(-1),
    lambda x: x.var(axis=0),
    lambda x: x.std(axis=2, keepdims=True),
    lambda x: x.max(),
    lambda x: x.min(1),
    lambda x: (x > 0).all(0),
    lambda x: (x > 0).any(axis=2),
    lambda x: x.argmax(2),
    lambda x: x.argmin(),
    lambda x: x.cumsum(2),
    lambda x: x.cumprod(axis=0),
    lambda x: x.repeat(2, axis=1),
    lambda x: x.take(np.array([2, 0]), axis=2),
    lambda x: x.squeeze().diagonal(),
    lambda x: x.squeeze().trace(),
    lambda x: x.squeeze().dot(X[0, 0]),
    lambda x: abs(x),
    lambda x: x // 0.5,
    lambda x: x % 0.7,
    lambda x: divmod(x, 0.3)[0],
    lambda x: divmod(2.0, x)[1],
    lambda x: np.modf(x)[0],
    lambda x: ~(x > 0),
    lambda x: x.astype(np.int32) << 2,
    lambda x: 1 << abs(x.astype(np.int32)),
    lambda x: x.astype(np.int32) >> 1,
    lambda x: x @ x.mT,
    lambda x: x * (x > 0) * (x < 1),
    lambda x: (x > 0) + (x < -1),
    lambda x: 2.0**x,
]


@pytest.mark.parametrize("call", METHODS, ids=map(str, range(len(METHODS))))
def test_methods_are_those_of_arrays(call: Callable[[Any], Any]) -> None:
    (result,) = traced(call, X)
    expected = np.asarray(call(X))
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(result, expected, rtol=2e-6, atol=1e-6)


def test_properties_are_those_of_arrays() -> None:
    (x,) = placeholders([X])
    assert (x.size, x.ndim, x.itemsize, x.dtype, x.shape) == (24, 3, 4, X.dtype, X.shape)
    (wide,) = placeholders([X], symbolic=True)
    assert str(wide.size) == "6*N"


def test_rounding_by_python_keeps_the_tensor() -> None:
    (result,) = traced(lambda x: round(x, 1), X)
    np.testing.assert_array_equal(result, X.round(1))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda x: x.item(), "LXC-E0104"),
        (lambda x: x.tolist(), "LXC-E0104"),
        (lambda x: x.sum(nonsense=1), "LXC-E0110"),
        (lambda x: x.sum(out=np.zeros(())), "LXC-E0110"),
    ],
)
def test_methods_that_need_contents_or_more_are_refused(
    call: Callable[[Any], Any], code: str
) -> None:
    (x,) = placeholders([X])
    with pytest.raises(LxcError) as caught:
        call(x)
    assert caught.value.code == code
