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
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4
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


def with_sign(size: Expr, signed: Expr, width: int) -> Expr:
    """Return the magnitude of one float with the sign of another, by their bits."""
    bits, sign = f"uint{width}", 1 << (width - 1)
    magnitude = intrinsic("and", reinterpret(bits, size), constant(sign - 1, bits))
    minus = intrinsic("and", reinterpret(bits, signed), constant(sign, bits))
    return reinterpret(f"float{width}", intrinsic("or", magnitude, minus))


def power_of_two(exponent: Expr) -> Expr:
    """Return 2 to a whole power in the normal range."""
    biased = exponent + constant(127, "int32")
    return reinterpret("float32", intrinsic("shift_left", biased, constant(23, "int32")))


def exp_parts(x: Expr, hold: Hold) -> tuple[Expr, Expr]:
    """Return e to the power x, and what its rounding took; NaN gives any number."""
    high, low = number(OVERFLOW), number(UNDERFLOW)
    clamped = hold(select(high < x, high, select(x < low, low, x)), "float32")
    turns = hold(intrinsic("nearbyint", clamped * number(1.44269504088896341)), "float32")
    near = hold(clamped - turns * number(LN2_HIGH), "float32")
    rest = hold(near - turns * number(LN2_LOW), "float32")
    # What rounding took from the rest, and from 1 + rest, is added back at the end.
    lost = hold(hold(near - rest, "float32") - turns * number(LN2_LOW), "float32")
    bent = hold(polynomial(rest, EXP_TERMS, hold) * rest, "float32")
    main = hold(rest + number(1.0), "float32")
    small = hold(rest - hold(main - number(1.0), "float32"), "float32")
    tail = hold(small + hold(bent * rest + lost, "float32"), "float32")
    base = hold(main + tail, "float32")
    left = hold(tail - hold(base - main, "float32"), "float32")
    # Two factors: one power of two reaches neither the largest nor the smallest results.
    whole = hold(cast("int32", turns), "int32")
    half = hold(intrinsic("shift_right", whole, constant(1, "int32")), "int32")
    first = hold(power_of_two(half), "float32")
    second = hold(power_of_two(whole - half), "float32")
    parts = [hold(hold(z * first, "float32") * second, "float32") for z in (base, left)]
    return parts[0], parts[1]


def exp(x: Expr, hold: Hold) -> Expr:
    """Return e to the power x."""
    grown, _ = exp_parts(x, hold)
    return hold(select(intrinsic("isnan", x), x, grown), "float32")


def tanh(x: Expr, hold: Hold) -> Expr:
    """Return the hyperbolic tangent: a polynomial near zero, by exp elsewhere."""
    size = hold(intrinsic("abs", x), "float32")
    grown = exp(hold(size + size, "float32"), hold)
    far = hold(number(1.0) - number(2.0) / (grown + number(1.0)), "float32")
    square = hold(x * x, "float32")
    bent = polynomial(square, TANH_TERMS, hold)
    near = hold(hold(bent * square, "float32") * size + size, "float32")
    unsigned = hold(select(is_less(size, number(TANH_SWITCH)), near, far), "float32")
    return hold(with_sign(unsigned, x, 32), "float32")


def logistic(x: Expr, hold: Hold) -> Expr:
    """Return 1 / (1 + exp(-x)) without overflow at either end.

    Below zero it is small / (1 + small), where a rounding of the small number may count
    double: the quotient is corrected by what roundings took.
    """
    size = hold(intrinsic("abs", x), "float32")
    small, left = exp_parts(hold(number(0.0) - size, "float32"), hold)
    below = is_less(x, number(0.0))
    top = hold(select(below, small, number(1.0)), "float32")
    top_left = hold(select(below, left, number(0.0)), "float32")
    whole = hold(small + number(1.0), "float32")
    whole_left = hold(small - hold(whole - number(1.0), "float32"), "float32")
    whole_left = hold(whole_left + left, "float32")
    plain = hold(top / whole, "float32")
    missing = hold(top_left - plain * whole_left, "float32")
    exact = hold(plain + hold(missing / whole, "float32"), "float32")
    return hold(select(intrinsic("isnan", x), x, exact), "float32")
