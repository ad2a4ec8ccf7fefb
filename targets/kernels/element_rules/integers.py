"""Integer arithmetic that wraps around.

TVM promises LLVM that 32- and 64-bit sums, differences and products never overflow, and
LLVM builds on it. Integers of the IR wrap, as NumPy's do, so they are computed in a way
that keeps the promise: 32 bits inside 64, and 64 bits in halves. LLVM finds the plain
instruction again for the first.
"""

from collections.abc import Callable

from lxc.targets.tvm_api import (
    Expr,
    cast,
    constant,
    either,
    intrinsic,
    is_equal,
    is_less,
    select,
)

LOW = 0xFFFFFFFF
Hold = Callable[[Expr, str], Expr]


def bits_of(dtype: str) -> int:
    """Return the width of an integer type."""
    return int(dtype.lstrip("uint"))


def add(x: Expr, y: Expr, dtype: str, hold: Hold) -> Expr:
    """Return x + y."""
    bits = bits_of(dtype)
    if bits < 32:
        return x + y
    if bits == 32:
        return cast(dtype, unsigned(x, 32) + unsigned(y, 32))
    return cast(dtype, add_halves(unsigned(x, 64), unsigned(y, 64), hold))


def subtract(x: Expr, y: Expr, dtype: str, hold: Hold) -> Expr:
    """Return x - y."""
    bits = bits_of(dtype)
    if bits < 32:
        return x - y
    if bits == 32:
        return cast(dtype, unsigned(x, 32) + (wide(1 << 32) - unsigned(y, 32)))
    minus = hold(add_halves(intrinsic("not", unsigned(y, 64)), wide(1), hold), "uint64")
    return cast(dtype, add_halves(unsigned(x, 64), minus, hold))


def multiply(x: Expr, y: Expr, dtype: str, hold: Hold) -> Expr:
    """Return x * y."""
    bits = bits_of(dtype)
    if bits < 32:
        return x * y
    if bits == 32:
        return cast(dtype, unsigned(x, 32) * unsigned(y, 32))
    first, second = hold(unsigned(x, 64), "uint64"), hold(unsigned(y, 64), "uint64")
    crossed = hold(low(low(first) * high(second)), "uint64")
    crossed = hold(low(crossed + low(high(first) * low(second))), "uint64")
    product = hold(low(first) * low(second), "uint64")
    return cast(dtype, add_halves(product, up(crossed), hold))


def floor_divide(x: Expr, y: Expr, dtype: str, hold: Hold) -> Expr:
    """Return the floor of x / y, and 0 where y is 0."""
    quotient, _ = divided(x, y, dtype, hold)
    return quotient


def remainder(x: Expr, y: Expr, dtype: str, hold: Hold) -> Expr:
    """Return what the floor of x / y leaves, and 0 where y is 0."""
    _, rest = divided(x, y, dtype, hold)
    return rest


def fmod(x: Expr, y: Expr, dtype: str, hold: Hold) -> Expr:
    """Return what x / y leaves when it is cut toward zero, and 0 where y is 0."""
    safe, _ = divisor(y, dtype, hold)
    return x - intrinsic("truncating_divide", x, safe) * safe


def divisor(y: Expr, dtype: str, hold: Hold) -> tuple[Expr, Expr]:
    """Return y as the processor may see it: 1 where y is 0 or -1; and where that is."""
    odd = is_equal(y, constant(0, dtype))
    if not dtype.startswith("u"):
        odd = either(odd, is_equal(y, constant(-1, dtype)))
    return hold(select(odd, constant(1, dtype), y), dtype), odd


def divided(x: Expr, y: Expr, dtype: str, hold: Hold) -> tuple[Expr, Expr]:
    """Return quotient and rest; the processor must not see a divisor of 0 or -1."""
    zero, one = constant(0, dtype), constant(1, dtype)
    safe, odd = divisor(y, dtype, hold)
    quotient = hold(intrinsic("truncating_divide", x, safe), dtype)
    rest = hold(x - quotient * safe, dtype)
    if not dtype.startswith("u"):
        apart = is_less(intrinsic("xor", rest, safe), zero)
        below = select(is_equal(rest, zero), zero, select(apart, one, zero))
        below = hold(below, dtype)
        quotient, rest = quotient - below, rest + below * safe
        minus = subtract(zero, x, dtype, hold)
        quotient = select(is_equal(y, constant(-1, dtype)), minus, quotient)
    nothing = is_equal(y, zero)
    return select(nothing, zero, quotient), select(odd, zero, rest)


def add_halves(x: Expr, y: Expr, hold: Hold) -> Expr:
    """Return the 64-bit sum without a carry out of it."""
    lower = hold(low(x) + low(y), "uint64")
    upper = high(x) + high(y) + high(lower)
    return intrinsic("or", up(upper), low(lower))


def unsigned(x: Expr, bits: int) -> Expr:
    """Return the same bits in an unsigned type of 64."""
    return cast("uint64", cast(f"uint{bits}", x))


def wide(number: int) -> Expr:
    """Return a 64-bit constant."""
    return constant(number, "uint64")


def low(x: Expr) -> Expr:
    """Return the lower half of 64 bits."""
    return intrinsic("and", x, wide(LOW))


def high(x: Expr) -> Expr:
    """Return the upper half of 64 bits."""
    return intrinsic("shift_right", x, wide(32))


def up(x: Expr) -> Expr:
    """Return the lower half moved to the upper one."""
    return intrinsic("shift_left", x, wide(32))
