"""Functions that move, join, find and combine elements mean what NumPy's mean."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lxc.ir import functions as ops
from tests.ir import product_cases, structural_cases
from tests.ir.traced import same

CASES = structural_cases.cases() + product_cases.cases()
ALL = pytest.mark.parametrize(
    ("name", "arrays", "call"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)]
)
ROUNDED = {
    "average",
    "linspace",
    "mean",
    "nanmean",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
}
ROUNDED |= {"prod", "std", "sum", "trace", "trapezoid", "var"}
"""Functions whose float results depend on the order of sums."""


def close(one: Any, two: Any) -> None:
    """Check that results have one type and shape, and nearly one value."""
    ones = one if isinstance(one, list | tuple) else [one]
    twos = two if isinstance(two, list | tuple) else [two]
    for left, right in zip(ones, twos, strict=True):
        assert (np.shape(left), left.dtype) == (np.shape(right), np.asarray(right).dtype)
        tolerance = 2e-3 if left.dtype == np.float16 else 1e-6
        np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance)


@ALL
def test_eager_results_are_numpys(
    name: str, arrays: tuple[Any, ...], call: Callable[..., Any]
) -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = call(np, *arrays)
    rounded = name in ROUNDED or any(x.dtype == np.float16 for x in arrays)
    (close if rounded else same)(call(ops, *arrays), expected)
