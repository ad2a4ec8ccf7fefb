"""Sizes have one normal form, which obeys the laws of arithmetic."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lxc.errors import LxcError
from lxc.ir.dim import (
    LONGEST_PERIOD,
    RESERVED,
    Dim,
    Expression,
    Size,
    bounds,
    dims_of,
    evaluate_size,
    expression,
    period_of,
    size,
)
from lxc.ir.size_json import size_to_json
from lxc.ir.types import DType

DIMS = (Dim("N", 1, 64), Dim("M", 0, 7), Dim("T", 3, 3))
NUMBERS = st.fixed_dictionaries({d.name: st.integers(d.low, d.high) for d in DIMS})
ATOMS: st.SearchStrategy[Size] = st.one_of(
    st.integers(-9, 9), st.sampled_from([expression(dim) for dim in DIMS])
)


def combined(children: st.SearchStrategy[Size]) -> st.SearchStrategy[Size]:
    operations: list[Callable[[Size, Size], Size]] = [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
    ]
    sums = st.builds(
        lambda f, a, b: f(a, b), st.sampled_from(operations), children, children
    )
    quotients = st.builds(lambda a, b: a // b, children, st.integers(1, 5))
    return st.one_of(sums, quotients)


SIZES = st.recursive(ATOMS, combined, max_leaves=6)


@given(SIZES, SIZES, SIZES)
def test_sums_and_products_commute_associate_and_distribute(
    a: Size, b: Size, c: Size
) -> None:
    assert a + b == b + a
    assert a * b == b * a
    assert (a + b) + c == a + (b + c)
    assert (a * b) * c == a * (b * c)
    assert a * (b + c) == a * b + a * c


@given(SIZES)
def test_neutral_elements_vanish(a: Size) -> None:
    assert a + 0 == a == a * 1
    assert a - a == 0 == a * 0
    assert a // 1 == a


@given(SIZES, SIZES, NUMBERS)
def test_evaluation_commutes_with_arithmetic(a: Size, b: Size, n: dict[str, int]) -> None:
    left, right = evaluate_size(a, n), evaluate_size(b, n)
    assert evaluate_size(a + b, n) == left + right
    assert evaluate_size(a - b, n) == left - right
    assert evaluate_size(a * b, n) == left * right


@given(SIZES, st.integers(1, 6), NUMBERS)
def test_division_floors(a: Size, divisor: int, n: dict[str, int]) -> None:
    assert evaluate_size(a // divisor, n) == evaluate_size(a, n) // divisor


@given(SIZES, NUMBERS)
def test_bounds_hold_every_value(a: Size, n: dict[str, int]) -> None:
    low, high = bounds(a)
    assert low <= evaluate_size(a, n) <= high


@given(SIZES)
def test_a_size_without_dimensions_is_an_int(a: Size) -> None:
    assert isinstance(a, Expression) == bool(dims_of(a))


@given(SIZES, NUMBERS)
def test_the_json_form_means_the_same(a: Size, n: dict[str, int]) -> None:
    def value(form: object) -> int:
        match form:
            case int():
                return form
            case str():
                return n[form]
            case ["+", x, y]:
                return value(x) + value(y)
            case ["*", x, y]:
                return value(x) * value(y)
            case ["//", x, y]:
                return value(x) // value(y)
        raise AssertionError(form)

    assert value(size_to_json(a)) == evaluate_size(a, n)


def test_a_multiple_divides_exactly() -> None:
    n = Dim("N", 1, 64)
    assert (n * 6 + 4) // 2 == n * 3 + 2
    assert str((n + 1) // 2) == "((N + 1) // 2)"
    assert (n * 4 + 3) // 2 == n * 2 + 1


def test_a_dim_computes_like_its_expression() -> None:
    n = Dim("N", 1, 64)
    assert n + 1 == 1 + n == expression(n) + 1
    assert n - 1 == expression(n) - 1
    assert 1 - n == n * -1 + 1
    assert 2 * n == n + n
    assert n // 2 == expression(n) // 2
    assert size(n) == expression(n)
    assert str(n - 3) == "N - 3"


def test_whole_numbers_of_any_kind_are_sizes() -> None:
    for number in (3, np.int64(3), np.uint8(3), np.array(3)):
        assert type(size(number)) is int
        assert size(number) == 3
    for wrong in (3.0, np.float32(3), "3", None, (3,)):
        with pytest.raises(LxcError, match="a size is a whole number") as caught:
            size(wrong)  # type: ignore[arg-type]
        assert caught.value.code == "LXC-E0103"


@pytest.mark.parametrize("name", ["", "1N", "a b", "N.M", "Ñ", *sorted(RESERVED)])
def test_a_name_that_text_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(LxcError, match="cannot name a dimension"):
        Dim(name, 1, 2)


def test_every_element_type_is_a_reserved_word() -> None:
    assert {str(dtype) for dtype in DType} <= RESERVED


@pytest.mark.parametrize(("low", "high"), [(-1, 4), (5, 4)])
def test_an_empty_or_negative_range_is_refused(low: int, high: int) -> None:
    with pytest.raises(LxcError, match="empty range"):
        Dim("N", low, high)


def test_division_by_nothing_is_refused() -> None:
    with pytest.raises(LxcError, match="cannot be divided by 0"):
        expression(Dim("N", 1, 4)) // 0


STEADY = st.recursive(
    st.one_of(st.integers(-9, 9), st.just(expression(DIMS[0]))),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, factor: a * factor, inner, st.integers(-3, 3)),
        st.builds(lambda a, divisor: a // divisor, inner, st.integers(1, 4)),
    ),
    max_leaves=8,
)


@given(STEADY)
def test_bounds_of_what_one_dimension_counts_are_exact(a: Size) -> None:
    values = [evaluate_size(a, {"N": n}) for n in range(1, 65)]
    if dims_of(a) and period_of(a) <= LONGEST_PERIOD:
        assert bounds(a) == (min(values), max(values))


def test_bounds_of_long_ranges_take_no_longer() -> None:
    length = expression(Dim("L", 1, 2**62))
    total = (length + 2) // 3 * 3 - length
    assert bounds(total) == (0, 2)
    assert bounds((length - 1) // 4 - length // 4) == (-1, 0)
