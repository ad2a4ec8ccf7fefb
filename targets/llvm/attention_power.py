"""e to powers that are not above zero, as the weights of scores need them."""

from collections.abc import Callable

from lxc.targets.tvm_api import (
    Expr,
    cast,
    constant,
    intrinsic,
    is_less,
    reinterpret,
    select,
)

Hold = Callable[[Expr, str], Expr]

LOWEST_NORMAL = -87.33654
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4
"""The logarithm of 2 in two parts; small multiples of the first are exact."""
TERMS = (
    0.0013836835278198123,
    0.008374824188649654,
    0.04166822507977486,
    0.16666419804096222,
    0.49999991059303284,
    1.0,
    1.0,
)
"""A polynomial that is within 2e-8 of e to the power x where |x| <= ln(2) / 2."""


def falling_power(x: Expr, hold: Hold) -> Expr:
    """Return e to the power x, which is at most 0, within 2 ULP; NaN gives NaN.

    What is below the normal range is 0. `x` is repeated in the result, so it should be a
    load.
    """
    turns = hold(intrinsic("nearbyint", x * number(1.44269504088896341)), "float32")
    near = hold(x - turns * number(LN2_HIGH), "float32")
    rest = hold(near - turns * number(LN2_LOW), "float32")
    total = number(TERMS[0])
    for term in TERMS[1:]:
        total = hold(total * rest + number(term), "float32")
    biased = hold(cast("int32", turns), "int32") + constant(127, "int32")
    shifted = intrinsic("shift_left", biased, constant(23, "int32"))
    grown = hold(total * reinterpret("float32", shifted), "float32")
    return hold(select(is_less(x, number(LOWEST_NORMAL)), number(0.0), grown), "float32")


def number(value: float) -> Expr:
    """Return a float32 constant."""
    return constant(value, "float32")
