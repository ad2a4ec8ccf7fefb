"""Elementwise functions mean what NumPy means: every type, edge value and broadcasting."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir import functions as ops
from lxc.ir.types import Array
from tests.ir.elementwise_cases import BF16, Case, edges, elementwise_cases
from tests.ir.traced import placeholders, traced

CASES = elementwise_cases()
ALL = pytest.mark.parametrize("case", CASES, ids=[case.label for case in CASES])


SMALLEST = {
    "float16": 2.0**-24,
    "bfloat16": 2.0**-133,
    "float32": 2.0**-149,
    "float64": 2.0**-1074,
}


def listed(results: Any) -> list[Array]:
    return list(map(np.asarray, results if isinstance(results, tuple) else (results,)))


def digits(dtype: np.dtype[Any]) -> float:
    """Return the distance from 1 to the next number."""
    return float(np.finfo(dtype).eps) if dtype != BF16 else 2.0**-7


@ALL
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_eager_results_are_numpys(case: Case) -> None:
    results, wanted = (listed(case.call(m, *case.arrays)) for m in (ops, np))
    for found, expected in zip(results, wanted, strict=True):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        if found.dtype.kind in "iub":
            np.testing.assert_array_equal(found, expected)
            continue
        wide, exactly = found.astype(np.float64), expected.astype(np.float64)
        unit = digits(found.dtype)
        # A number without all its digits is off by its own last place.
        last = 2 * SMALLEST[found.dtype.name] if case.near else 0.0
        absolute = case.floor * unit + last
        np.testing.assert_allclose(wide, exactly, rtol=case.near * unit, atol=absolute)
        zeros = (exactly == 0) & case.signed
        np.testing.assert_array_equal(np.signbit(wide[zeros]), np.signbit(exactly[zeros]))


@ALL
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_traced_results_are_the_eager_ones(case: Case) -> None:
    eager = case.call(ops, *case.arrays)
    for module in (ops, np):
        results = traced(lambda *xs, m=module: case.call(m, *xs), *case.arrays)
        for actual, wanted in zip(results, listed(eager), strict=True):
            assert (actual.dtype, actual.shape) == (wanted.dtype, wanted.shape)
            assert actual.tobytes() == wanted.tobytes()


ONCE: dict[str, Callable[..., Any]] = {
    "sinc": np.sinc,
    "degrees": np.degrees,
    "radians": np.radians,
    "logaddexp": lambda x: np.logaddexp(x, x[::-1]),
    "logaddexp2": lambda x: np.logaddexp2(x, x[::-1]),
}


@pytest.mark.parametrize("dtype", [np.dtype(np.float16), BF16], ids=str)
@pytest.mark.parametrize("name", ONCE)
def test_compositions_of_half_types_round_once(name: str, dtype: np.dtype[Any]) -> None:
    x = np.random.default_rng(0).uniform(0.1, 3, 500).astype(dtype)
    own = getattr(ops, name)
    found = own(x, x[::-1]) if name.startswith("log") else own(x)
    exact = ONCE[name](x.astype(np.float64))
    assert found.dtype == dtype
    _, exponent = np.frexp(exact)
    unit = digits(dtype) * np.ldexp(1.0, exponent - 1)
    # Near a zero of sinc, float32 has lost what the half type could still hold.
    allowed = 0.51 * unit + (2.0**-23 if name == "sinc" else 0)
    assert np.all(np.abs(found.astype(np.float64) - exact) <= allowed)


def test_nan_to_num_knows_the_largest_bfloat16() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 1], BF16)
    largest = float(np.array(0x7F7F, np.uint16).view(BF16))
    expected = np.array([0, largest, -largest, 1], BF16)
    np.testing.assert_array_equal(ops.nan_to_num(x), expected)


def test_lists_and_numbers_are_operands() -> None:
    np.testing.assert_array_equal(ops.add([1, 2], [3, 4.5]), [4, 6.5])
    np.testing.assert_array_equal(ops.maximum(2, [1, 3]), [2, 3])
    result = ops.tan(0.5)
    assert (result.dtype, result.shape) == (np.float64, ())
    (there,) = traced(lambda x: ops.add(x, [1, 2, 3]), np.ones(3, np.float32))
    np.testing.assert_array_equal(there, np.array([2, 3, 4], np.float64), strict=True)


REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: ops.add(x.astype(np.uint8), 300), "LXC-E0103"),
    (lambda x: ops.multiply(x.astype(np.int32), 2**40), "LXC-E0103"),
    (lambda x: ops.add(x.astype(BF16), x.astype(np.int32)), "LXC-E0103"),
    (lambda x: ops.clip(x, 1, min=2), "LXC-E0103"),
    (lambda x: ops.where(x > 0), "LXC-E0104"),
    (lambda x: ops.power(x.astype(np.int32), -1), "LXC-E0103"),
    (lambda x: ops.subtract(x > 0, x > 1), "LXC-E0103"),
]
REFUSED_OF_NUMPY: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: np.clip(x, 0, 1, out=np.zeros(3)), "LXC-E0110"),
    (lambda x: np.round(x, 1, out=np.zeros(3)), "LXC-E0110"),
    (lambda x: np.add(x, x, out=np.zeros(3)), "LXC-E0110"),
    (lambda x: np.add(x, x, where=np.ones(3, bool)), "LXC-E0110"),
    (lambda x: np.gcd(x, x), "LXC-E0110"),
    (lambda x: np.full_like(x, 1, order="F"), "LXC-E0110"),
]


@pytest.mark.parametrize(("call", "code"), REFUSED)
def test_what_has_no_result_is_refused(call: Callable[[Any], Any], code: str) -> None:
    x = np.arange(3, dtype=np.float32)
    for operand in (x, placeholders([x])[0]):
        with pytest.raises(LxcError) as caught:
            call(operand)
        assert caught.value.code == code


@pytest.mark.parametrize(("call", "code"), REFUSED_OF_NUMPY)
def test_options_that_functions_lack_are_refused(
    call: Callable[[Any], Any], code: str
) -> None:
    (x,) = placeholders([np.arange(3, dtype=np.float32)])
    with pytest.raises(LxcError) as caught:
        call(x)
    assert caught.value.code == code


def test_no_output_is_no_option() -> None:
    x = edges(np.dtype(np.float32))
    (result,) = traced(lambda x: np.round(x, 0, out=None), x)
    np.testing.assert_array_equal(result, np.round(x))


@pytest.mark.parametrize("name", ops.__all__)
def test_public_functions_can_be_pickled(name: str) -> None:
    function = getattr(ops, name)
    assert pickle.loads(pickle.dumps(function)) is function


def test_a_whole_power_takes_few_products() -> None:
    (x,) = placeholders([np.ones(3, np.int64)])
    ops.power(x, 60)
    assert [node.op.name for node in x.builder.nodes] == ["multiply"] * 8


def test_properties_are_those_of_arrays() -> None:
    array = np.zeros((3, 4), np.float16)
    (x,) = placeholders([array], symbolic=True)
    assert (np.ndim(x), ops.ndim(array)) == (2, 2)
    assert (str(np.shape(x)[0]), np.shape(x)[1]) == ("N", 4)
    assert (str(np.size(x)), ops.size(array), np.size(x, 1)) == ("4*N", 12, 4)
    assert np.result_type(x, np.float32, 1.0) == np.float32
    assert ops.result_type(array, np.int32) == np.float64
    assert ops.shape(array) == (3, 4)


def test_sizes_that_may_be_equal_are_no_answer() -> None:
    (x,) = placeholders([np.zeros((3, 4), np.float32)], symbolic=True)
    with pytest.raises(LxcError, match="known at run time"):
        ops.array_equal(x, np.zeros((3, 4), np.float32))
    assert traced(lambda x: ops.array_equal(x, x), np.zeros(3), symbolic=True)[0]
