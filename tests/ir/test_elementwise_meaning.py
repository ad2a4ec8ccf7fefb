"""What elementwise ops compute: PyTorch agrees, and special values are as documented."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import scipy.special
import torch

from lxc.ir.types import DType
from tests.ir.one_op import run_one

NAN, INF = np.nan, np.inf
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.5, 1e-40, 88.0, -104.0, INF, -INF, NAN], np.float32
)
FLOAT_UNARY: dict[str, Callable[..., Any]] = {
    "negate": torch.neg,
    "absolute": torch.abs,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "exp2": torch.exp2,
    "log2": torch.log2,
    "log10": torch.log10,
    "cbrt": lambda x: torch.from_numpy(scipy.special.cbrt(x.numpy())),
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "arcsin": torch.arcsin,
    "arccos": torch.arccos,
    "arctan": torch.arctan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "arcsinh": torch.arcsinh,
    "arccosh": torch.arccosh,
    "arctanh": torch.arctanh,
    "erf": torch.erf,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
}
BINARY: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "subtract": torch.subtract,
    "multiply": torch.multiply,
    "divide": torch.divide,
    "floor_divide": torch.floor_divide,
    "remainder": torch.remainder,
    "fmod": torch.fmod,
    "power": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}
FLOAT_BINARY: dict[str, Callable[..., Any]] = {
    "copysign": torch.copysign,
    "arctan2": torch.atan2,
    "hypot": torch.hypot,
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "equal": torch.eq,
    "not_equal": torch.ne,
    "less": torch.lt,
    "less_equal": torch.le,
}
BITS: dict[str, Callable[..., Any]] = {
    "bitwise_and": torch.bitwise_and,
    "bitwise_or": torch.bitwise_or,
    "bitwise_xor": torch.bitwise_xor,
    "shift_left": torch.bitwise_left_shift,
    "shift_right": torch.bitwise_right_shift,
}


@pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("name", FLOAT_UNARY)
def test_functions_of_one_float_agree_with_torch(name: str, wide: bool) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([SPECIAL, rng.normal(size=50).astype(np.float32) * 4])
    actual = run_one(name, x, wide=wide)
    assert actual.dtype == (np.float64 if wide else np.float32)
    expected = FLOAT_UNARY[name](torch.from_numpy(x).double()).numpy()
    tolerance = 1e-14 if wide else 3e-7
    expected = expected if wide else expected.astype(np.float32)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=1e-44)
    signs = [np.signbit(array[~np.isnan(expected)]) for array in (actual, expected)]
    np.testing.assert_array_equal(*signs, strict=True)


@pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("name", [*BINARY, *FLOAT_BINARY, *COMPARISONS])
def test_functions_of_two_floats_agree_with_torch(name: str, wide: bool) -> None:
    x, y = (grid.ravel() for grid in np.meshgrid(SPECIAL[:9], SPECIAL[:9]))
    actual = run_one(name, x, y, wide=wide)
    operands = (torch.from_numpy(x.copy()).double(), torch.from_numpy(y.copy()).double())
    expected = {**BINARY, **FLOAT_BINARY, **COMPARISONS}[name](*operands).numpy()
    with np.errstate(over="ignore"):
        expected = expected.astype(actual.dtype)
    np.testing.assert_allclose(actual, expected, rtol=1e-14 if wide else 3e-7)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_nan_on_either_side_wins(name: str) -> None:
    x, y = np.array([NAN, 1, NAN], np.float32), np.array([1, NAN, NAN], np.float32)
    assert np.isnan(run_one(name, x, y)).all()


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
@pytest.mark.parametrize("name", [*BINARY, *COMPARISONS])
def test_functions_of_two_integers_agree_with_torch(name: str, dtype: Any) -> None:
    if name in ("divide", "power"):
        return
    x, y = (g.ravel() for g in np.meshgrid([-7, -1, 0, 1, 7, 100], [-3, -1, 1, 2, 99]))
    operands = (x.astype(dtype), y.astype(dtype))
    expected = {**BINARY, **COMPARISONS}[name](*map(torch.from_numpy, operands)).numpy()
    np.testing.assert_array_equal(run_one(name, *operands), expected, strict=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
def test_an_integer_divided_by_zero_gives_zero(name: str, dtype: Any) -> None:
    result = run_one(name, np.array([5, 0], dtype), np.zeros(2, dtype))
    np.testing.assert_array_equal(result, np.zeros(2, dtype), strict=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32])
@pytest.mark.parametrize("name", BITS)
def test_functions_of_bits_agree_with_torch(name: str, dtype: Any) -> None:
    x = np.array([0, 1, 5, 100, 127, np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
    y = np.array([1, 3, 2, 0, 5, 6, 1], dtype)
    expected = BITS[name](torch.from_numpy(x), torch.from_numpy(y)).numpy()
    np.testing.assert_array_equal(run_one(name, x, y), expected, strict=True)


def test_bits_and_bools_are_negated() -> None:
    np.testing.assert_array_equal(
        run_one("bitwise_not", np.array([0, 5], np.uint8)), [255, 250]
    )
    np.testing.assert_array_equal(
        run_one("bitwise_not", np.array([True, False])), [False, True]
    )


def test_the_sign_of_nan_is_nan() -> None:
    x = np.array([-2, -0.0, 0, 3, NAN], np.float32)
    np.testing.assert_array_equal(
        run_one("sign", x), np.array([-1, 0, 0, 1, NAN], np.float32)
    )
    np.testing.assert_array_equal(run_one("sign", np.array([-5, 0, 9])), [-1, 0, 1])


def test_select_takes_from_both_sides() -> None:
    condition = np.array([True, False])
    result = run_one("select", condition, np.array([1, 2]), np.array([3, 4]))
    np.testing.assert_array_equal(result, [1, 4])


@pytest.mark.parametrize(
    ("x", "dtype", "expected"),
    [
        (np.array([-2.7, 2.7], np.float32), DType.I32, [-2, 2]),
        (np.array([1 + 2**-11, 1 + 3 * 2**-11], np.float32), DType.F16, [1, 1 + 2**-9]),
        (np.array([0, -3, 2]), DType.BOOL, [False, True, True]),
        (np.array([True, False]), DType.F64, [1.0, 0.0]),
        (np.array([257, -1]), DType.U8, [1, 255]),
    ],
)
def test_casts_round_and_wrap_as_documented(x: Any, dtype: DType, expected: Any) -> None:
    result = run_one("cast", x, dtype=dtype)
    np.testing.assert_array_equal(result, np.array(expected, dtype.numpy), strict=True)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", ["exp", "tanh", "logistic", "erf", "sqrt"])
def test_half_types_are_within_one_rounding(name: str, dtype: Any) -> None:
    x = np.linspace(0.01, 4, 40).astype(dtype)
    exact = run_one(name, x, wide=True)
    result = run_one(name, x)
    assert result.dtype == dtype
    step = np.finfo(np.float16).eps if dtype == np.float16 else 2.0**-7
    np.testing.assert_allclose(result.astype(np.float64), exact, rtol=float(step))
