"""exp, tanh and the logistic function in float32, as code that runs on all lanes at once.

exp is within 1 ULP, the others within 2; overflow gives infinity, results below the normal
range are rounded once, NaN stays NaN. The polynomials are those of the Cephes library by
S. Moshier.
"""

from collections.abc import Callable, Sequence

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

OVERFLOW, UNDERFLOW = 89.0, -104.0
EXP_TERMS = (
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)
TANH_TERMS = (
    -5.70498872745e-3,
    2.06390887954e-2,
    -5.37397155531e-2,
    1.33314422036e-1,
    -3.33332819422e-1,
)
TANH_SWITCH = 0.625


def number(value: float) -> Expr:
    """Return a float32 constant."""
    return constant(value, "float32")


def polynomial(x: Expr, terms: Sequence[float], hold: Hold) -> Expr:
    """Return the polynomial with the highest term first, by Horner's rule."""
    total = number(terms[0])
    for term in terms[1:]:
        total = hold(total * x + number(term), "float32")
    return total


def power_of_two(exponent: Expr) -> Expr:
    """Return 2 to a whole power in the normal range."""
    biased = exponent + constant(127, "int32")
    return reinterpret("float32", intrinsic("shift_left", biased, constant(23, "int32")))


def exp(x: Expr, hold: Hold) -> Expr:
    """Return e to the power x."""
    high, low = number(OVERFLOW), number(UNDERFLOW)
    clamped = hold(select(high < x, high, select(x < low, low, x)), "float32")
    turns = hold(intrinsic("nearbyint", clamped * number(1.44269504088896341)), "float32")
    rest = hold(clamped - turns * number(0.693359375), "float32")
    rest = hold(rest - turns * number(-2.12194440e-4), "float32")
    bent = polynomial(rest, EXP_TERMS, hold)
    base = hold(hold(bent * (rest * rest) + rest, "float32") + number(1.0), "float32")
    # Two factors: one power of two reaches neither the largest nor the smallest results.
    whole = hold(cast("int32", turns), "int32")
    half = hold(intrinsic("shift_right", whole, constant(1, "int32")), "int32")
    scaled = hold(base * power_of_two(half), "float32") * power_of_two(whole - half)
    return hold(select(intrinsic("isnan", x), x, scaled), "float32")


def tanh(x: Expr, hold: Hold) -> Expr:
    """Return the hyperbolic tangent: a polynomial near zero, by exp elsewhere."""
    size = hold(intrinsic("abs", x), "float32")
    grown = exp(hold(size + size, "float32"), hold)
    far = hold(number(1.0) - number(2.0) / (grown + number(1.0)), "float32")
    square = hold(x * x, "float32")
    bent = polynomial(square, TANH_TERMS, hold)
    near = hold(hold(bent * square, "float32") * x + x, "float32")
    signed = select(is_less(x, number(0.0)), number(0.0) - far, far)
    return hold(select(is_less(size, number(TANH_SWITCH)), near, signed), "float32")


def logistic(x: Expr, hold: Hold) -> Expr:
    """Return 1 / (1 + exp(-x)) without overflow at either end."""
    size = hold(intrinsic("abs", x), "float32")
    small = exp(hold(number(0.0) - size, "float32"), hold)
    top = select(is_less(x, number(0.0)), small, number(1.0))
    plain = hold(top / (small + number(1.0)), "float32")
    return hold(select(intrinsic("isnan", x), x, plain), "float32")
