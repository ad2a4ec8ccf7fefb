"""float16 by operations on whole numbers, for machines without instructions for it.

Numbers are split into sign and size, the bits of a float without its sign, which are in
the order of the numbers. The bits that come out are those of the instructions elsewhere:
ties go to even, denormal numbers keep all their digits, infinities stay, and a NaN keeps
the upper part of its fraction, made quiet.
"""

from collections.abc import Callable

from lxc.targets.tvm_api import (
    Expr,
    at_most,
    cast,
    constant,
    intrinsic,
    is_at_most,
    is_less,
    reinterpret,
    select,
)

Hold = Callable[[Expr, str], Expr]

LOST = 13
"""How many digits float32 has more."""
REBASE = (127 - 15) << 23
"""What the exponent of float32 is ahead by."""
SMALLEST_NORMAL = 113 << 23
BEYOND = 143 << 23
"""The size of the first power of two that float16 has no number for."""
INFINITE = 255 << 23
QUIET = 1 << 22
SUBNORMAL = 2.0**-24
ALIGNING = 0.5
"""Its last digit in float32 is worth the smallest float16."""


def widened_half(value: Expr, hold: Hold) -> Expr:
    """Return a float16 as a float32."""
    bits = hold(cast("uint32", reinterpret("uint16", value)), "uint32")
    size = hold(cast("int32", masked(bits, 0x7FFF)), "int32")
    above = select(is_less(size, whole(0x7C00)), whole(0), whole(REBASE))
    quiet = select(is_at_most(size, whole(0x7C00)), whole(0), whole(QUIET))
    usual = intrinsic("or", shifted_left(size) + whole(REBASE) + above, quiet)
    small = cast("float32", size) * constant(SUBNORMAL, "float32")
    is_small = is_less(size, whole(0x400))
    found = select(is_small, reinterpret("int32", hold(small, "float32")), usual)
    sign = intrinsic("shift_left", masked(bits, 0x8000), constant(16, "uint32"))
    return with_sign(hold(found, "int32"), sign)


def narrowed_half(value: Expr, hold: Hold) -> Expr:
    """Return the float16 nearest to a float32."""
    bits, size = split(value, hold)
    usual = intrinsic("shift_right", raised(size, hold) - whole(REBASE), whole(LOST))
    small = reinterpret("int32", aligned(size, hold)) - whole(127 - 1 << 23)
    fraction = intrinsic("and", intrinsic("shift_right", size, whole(LOST)), whole(0x3FF))
    none = intrinsic("or", fraction, whole(0x7E00))
    found = chosen(size, hold(small, "int32"), hold(usual, "int32"), none)
    sign = intrinsic("shift_right", masked(bits, 1 << 31), constant(16, "uint32"))
    both = intrinsic("or", cast("uint32", hold(found, "int32")), sign)
    return reinterpret("float16", cast("uint16", both))


def rounded_half(value: Expr, hold: Hold) -> Expr:
    """Return the float32 that is the float16 nearest to a float32."""
    bits, size = split(value, hold)
    digits = whole(-1 << LOST)
    usual = hold(intrinsic("and", raised(size, hold), digits), "int32")
    usual = select(is_less(usual, whole(BEYOND)), usual, whole(INFINITE))
    back = aligned(size, hold) - constant(ALIGNING, "float32")
    small = reinterpret("int32", hold(back, "float32"))
    none = intrinsic("or", intrinsic("and", size, digits), whole(QUIET))
    found = hold(chosen(size, small, hold(usual, "int32"), none), "int32")
    return with_sign(found, masked(bits, 1 << 31))


def split(value: Expr, hold: Hold) -> tuple[Expr, Expr]:
    """Return the bits of a float32, and its size."""
    bits = hold(reinterpret("uint32", value), "uint32")
    return bits, hold(cast("int32", masked(bits, (1 << 31) - 1)), "int32")


def raised(size: Expr, hold: Hold) -> Expr:
    """Return a normal size and just so much that cutting it rounds it.

    All that is too large is `BEYOND`, so that no sum leaves 32 bits.
    """
    limited = hold(at_most(size, whole(BEYOND)), "int32")
    odd = intrinsic("and", intrinsic("shift_right", limited, whole(LOST)), whole(1))
    return limited + (odd + whole((1 << (LOST - 1)) - 1))


def aligned(size: Expr, hold: Hold) -> Expr:
    """Return a small size, rounded to the digits of float16, plus `ALIGNING`."""
    total = reinterpret("float32", size) + constant(ALIGNING, "float32")
    return hold(total, "float32")


def chosen(size: Expr, small: Expr, usual: Expr, none: Expr) -> Expr:
    """Return what holds for a size: of small numbers, of normal ones, or of NaN."""
    number = select(is_less(size, whole(SMALLEST_NORMAL)), small, usual)
    return select(is_at_most(size, whole(INFINITE)), number, none)


def with_sign(size: Expr, sign: Expr) -> Expr:
    """Return a float32 of its size and its sign."""
    return reinterpret("float32", intrinsic("or", cast("uint32", size), sign))


def masked(bits: Expr, mask: int) -> Expr:
    """Return some of 32 bits."""
    return intrinsic("and", bits, constant(mask, "uint32"))


def shifted_left(size: Expr) -> Expr:
    """Return the size of a float16 where float32 has its digits."""
    return intrinsic("shift_left", size, whole(LOST))


def whole(value: int) -> Expr:
    """Return an int32."""
    return constant(value, "int32")
