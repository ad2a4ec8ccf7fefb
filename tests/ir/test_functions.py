"""Public functions mean on arrays, on traced tensors and through NumPy what NumPy means."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

from lxc.ir import functions as ops
from tests.ir import product_cases, structural_cases
from tests.ir.elementwise_cases import elementwise_cases
from tests.ir.function_cases import F, cases
from tests.ir.traced import same, traced

CASES = cases()
MOVING = structural_cases.cases() + product_cases.cases()
"""What the eager functions mean here is compared in `test_structural_functions.py`."""


def each(found: Sequence[Any]) -> pytest.MarkDecorator:
    """Return the mark of a test of every one of some calls."""
    names = [f"{name}-{number}" for number, (name, _, _) in enumerate(found)]
    return pytest.mark.parametrize(("name", "arrays", "call"), found, ids=names)


ALL = each([*CASES, *MOVING])
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


@each(CASES)
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
        lambda x: ops.conv(
            ops.reshape(x, (1, 3, 4)), F.T[:, :, None], strides=(2,), padding=((1, 0),)
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
    "mean_window": (
        lambda x: ops.mean_window(x, window=(2,), strides=(1,), padding=((1, 0),)),
        lambda x: torch.nn.functional.avg_pool1d(
            torch.nn.functional.pad(torch.from_numpy(x), (1, 0)), 2, 1
        ).numpy(),
    ),
}


@pytest.mark.parametrize("name", BEYOND)
def test_functions_that_numpy_lacks_are_right(name: str) -> None:
    own, reference = BEYOND[name]
    eager = own(F)
    assert eager.dtype == np.float32
    np.testing.assert_allclose(eager, reference(F), rtol=1e-6, atol=1e-6)
    same(traced(own, F), eager)


@pytest.mark.parametrize("call", [ops.random_bits, ops.random_uniform, ops.random_normal])
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


def test_normal_numbers_are_normal() -> None:
    numbers = ops.random_normal(np.array([1, 2], np.uint32), (100_000,))
    assert numbers.dtype == np.float32
    assert np.isfinite(numbers).all()
    assert scipy.stats.kstest(numbers, "norm").pvalue > 0.01


def test_split_keys_are_the_same_traced() -> None:
    key = np.array([1, 2], np.uint32)
    same(traced(ops.random_split, key), ops.random_split(key))


ELSEWHERE = {"indices", "logsumexp", "lookup", "one_hot"}
ELSEWHERE |= {"ndim", "result_type", "shape", "size", "scan"}
ELSEWHERE |= {"random_bits", "random_normal", "random_split", "random_uniform"}
"""Functions that have tests of their own."""


def test_every_public_function_is_compared() -> None:
    tested = {name for name, _, _ in CASES} | set(BEYOND)
    tested |= {case.name for case in elementwise_cases()}
    tested |= {name for name, _, _ in MOVING}
    tested |= ELSEWHERE
    assert set(ops.__all__) == tested
