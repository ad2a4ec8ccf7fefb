"""How elements lie in memory and how they are computed on.

A bool is a byte that is 0 or 1. Half types are held as their bits (bfloat16) or as
themselves (float16), and are computed on in float32 with one rounding after every op:
that is the correctly rounded result for sums, products, quotients and square roots.
Where a machine has no instruction that converts float16, functions here are given what
holds vectors, and convert by operations on whole numbers.
"""

from lxc.ir.types import DType
from lxc.targets.kernels.halves import Hold, narrowed_half, rounded_half, widened_half
from lxc.targets.tvm_api import (
    Expr,
    both,
    cast,
    constant,
    differs,
    intrinsic,
    is_less,
    reinterpret,
    select,
)

NAMES = {
    DType.I8: "int8",
    DType.I16: "int16",
    DType.I32: "int32",
    DType.I64: "int64",
    DType.U8: "uint8",
    DType.U16: "uint16",
    DType.U32: "uint32",
    DType.U64: "uint64",
    DType.F32: "float32",
    DType.F64: "float64",
}
STORED = {DType.BOOL: "uint8", DType.F16: "float16", DType.BF16: "uint16"} | NAMES
COMPUTED = {DType.BOOL: "bool", DType.F16: "float32", DType.BF16: "float32"} | NAMES


def stored(dtype: DType) -> str:
    """Return the type of elements in memory."""
    return STORED[dtype]


def computed(dtype: DType) -> str:
    """Return the type that elements are computed in."""
    return COMPUTED[dtype]


def from_memory(value: Expr, dtype: DType, hold: Hold | None = None) -> Expr:
    """Return an element as it is computed on."""
    if dtype is DType.BOOL:
        return differs(value, constant(0, "uint8"))
    if dtype is DType.F16:
        return widened_half(value, hold) if hold else cast("float32", value)
    if dtype is DType.BF16:
        return widened(cast("uint32", value))
    return value


def to_memory(value: Expr, dtype: DType, hold: Hold | None = None) -> Expr:
    """Return an element as it is stored; a half value must have been rounded."""
    if dtype is DType.BOOL:
        return select(value, constant(1, "uint8"), constant(0, "uint8"))
    if dtype is DType.F16:
        return narrowed_half(value, hold) if hold else cast("float16", value)
    if dtype is DType.BF16:
        return cast("uint16", shifted_right(reinterpret("uint32", value)))
    return value


def rounded(value: Expr, dtype: DType, hold: Hold | None = None) -> Expr:
    """Return a float32 rounded to nearest even in a half type; other types as they are.

    `value` is repeated in the result, so it should be a load.
    """
    if dtype is DType.F16:
        if hold:
            return rounded_half(value, hold)
        return cast("float32", cast("float16", value))
    if dtype is DType.BF16:
        bits = reinterpret("uint32", value)
        upper = shifted_right(bits)
        odd = intrinsic("and", upper, constant(1, "uint32"))
        # The lower half alone: generated code must never leave 32 bits.
        rest = intrinsic("and", bits, constant(0xFFFF, "uint32"))
        up = upper + shifted_right(rest + odd + constant(0x7FFF, "uint32"))
        quiet = intrinsic("or", upper, constant(0x40, "uint32"))
        return widened(select(intrinsic("isnan", value), quiet, up))
    return value


def shortened(value: Expr, dtype: DType, hold: Hold) -> Expr:
    """Return a number as a float32 that rounds to a half type as the number itself does.

    What float32 cannot hold becomes one odd bit far below the digits of half types, so
    that the first of two roundings never makes a tie, and never breaks one.
    """
    if dtype in (DType.I64, DType.U64):
        # float64 holds everything below 2 to the 53, and what is above with 11 bits less.
        limit = constant(1 << 53, computed(dtype))
        small = is_less(value, limit)
        if dtype is DType.I64:
            small = both(small, is_less(constant(-(1 << 53), "int64"), value))
        short = with_odd_end(hold(cast("uint64", value), "uint64"), 11)
        value = hold(select(small, value, cast(computed(dtype), short)), computed(dtype))
    if dtype in (DType.I32, DType.U32, DType.I64, DType.U64):
        value = hold(cast("float64", value), "float64")
    elif dtype is not DType.F64:
        return value if computed(dtype) == "float32" else cast("float32", value)
    bits = hold(reinterpret("uint64", value), "uint64")
    return cast("float32", reinterpret("float64", with_odd_end(bits, 38)))


def with_odd_end(bits: Expr, count: int) -> Expr:
    """Return 64 bits with the last `count` zero and the one before set if any of them was.

    `bits` is repeated in the result, so it should be a load.
    """
    mask = (1 << count) - 1
    last = constant(mask, "uint64")
    carried = intrinsic("and", bits, last) + last
    kept = constant(~mask & 0xFFFFFFFFFFFFFFFF, "uint64")
    return intrinsic("and", intrinsic("or", bits, carried), kept)


def is_half(dtype: DType) -> bool:
    """Return whether a type has 16-bit floats."""
    return dtype in (DType.F16, DType.BF16)


def shifted_right(bits: Expr) -> Expr:
    """Return the upper half of 32 bits."""
    return intrinsic("shift_right", bits, constant(16, "uint32"))


def widened(bits: Expr) -> Expr:
    """Return the float32 whose upper half are the lowest 16 of some bits."""
    return reinterpret("float32", intrinsic("shift_left", bits, constant(16, "uint32")))
