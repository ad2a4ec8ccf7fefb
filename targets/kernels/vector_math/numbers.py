"""Numbers of which every lane of a vector has its own, and arithmetic on them.

Each operation keeps its result in registers under a name of its own: expressions stay
short, and TVM has nothing to rearrange. Products that a sum follows are fused into it
where the machine can, so formulas must be right with one rounding there and with two.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Union

from lxc.targets.tvm_api import (
    Expr,
    cast,
    constant,
    intrinsic,
    is_at_most,
    is_equal,
    is_less,
    reinterpret,
    select,
)

Hold = Callable[[Expr, str], Expr]
Operand = Union["Number", float]


@dataclass(frozen=True)
class Number:
    """One number per lane, of one type."""

    value: Expr
    dtype: str
    hold: Hold

    def made(self, value: Expr, dtype: str | None = None) -> "Number":
        """Return a new number, kept in registers."""
        dtype = dtype or self.dtype
        return Number(self.hold(value, dtype), dtype, self.hold)

    def of(self, other: Operand) -> Expr:
        """Return the expression of an operand; Python's numbers take this one's type."""
        return other.value if isinstance(other, Number) else constant(other, self.dtype)

    def constant(self, value: float) -> "Number":
        """Return a constant of the same type."""
        return Number(constant(value, self.dtype), self.dtype, self.hold)

    def __add__(self, other: Operand) -> "Number":
        """Return the sum."""
        return self.made(self.value + self.of(other))

    def __radd__(self, other: float) -> "Number":
        """Return the sum."""
        return self.made(self.of(other) + self.value)

    def __sub__(self, other: Operand) -> "Number":
        """Return the difference."""
        return self.made(self.value - self.of(other))

    def __rsub__(self, other: float) -> "Number":
        """Return the difference from a constant."""
        return self.made(self.of(other) - self.value)

    def __mul__(self, other: Operand) -> "Number":
        """Return the product."""
        return self.made(self.value * self.of(other))

    def __truediv__(self, other: Operand) -> "Number":
        """Return the quotient."""
        return self.made(self.value / self.of(other))

    def __rtruediv__(self, other: float) -> "Number":
        """Return the quotient of a constant by this."""
        return self.made(self.of(other) / self.value)

    def __and__(self, other: Operand) -> "Number":
        """Return the bits that both integers have."""
        return self.made(intrinsic("and", self.value, self.of(other)))

    def __or__(self, other: Operand) -> "Number":
        """Return the bits that one of two integers has."""
        return self.made(intrinsic("or", self.value, self.of(other)))

    def __xor__(self, other: Operand) -> "Number":
        """Return the bits in which two integers differ."""
        return self.made(intrinsic("xor", self.value, self.of(other)))

    def __lshift__(self, other: Operand) -> "Number":
        """Return an integer moved up; bits that leave it are lost."""
        return self.made(intrinsic("shift_left", self.value, self.of(other)))

    def __rshift__(self, other: Operand) -> "Number":
        """Return an integer moved down; the sign of a signed one stays."""
        return self.made(intrinsic("shift_right", self.value, self.of(other)))

    def times_plus(self, factor: Operand, term: Operand) -> "Number":
        """Return the product plus a term."""
        return self.made(self.value * self.of(factor) + self.of(term))

    def plus_product(self, factor: Operand, other: Operand) -> "Number":
        """Return this plus a product."""
        return self.made(self.value + self.of(factor) * self.of(other))

    def less_product(self, factor: Operand, other: Operand) -> "Number":
        """Return this minus a product."""
        return self.made(self.value - self.of(factor) * self.of(other))

    def polynomial(self, terms: Sequence[float]) -> "Number":
        """Return the polynomial of this with the highest term first, by Horner's rule."""
        total = self.constant(terms[0])
        for term in terms[1:]:
            total = total.times_plus(self, term)
        return total

    def size(self) -> "Number":
        """Return the absolute value."""
        return self.made(intrinsic("abs", self.value))

    def root(self) -> "Number":
        """Return the square root; NaN below zero."""
        return self.made(intrinsic("sqrt", self.value))

    def floor(self) -> "Number":
        """Return the largest whole number that is not above this."""
        return self.made(intrinsic("floor", self.value))

    def at_most(self, high: float) -> "Number":
        """Return the smaller of this and a constant; NaN stays."""
        return self.where(is_less(self.of(high), self.value), high, self)

    def at_least(self, low: float) -> "Number":
        """Return the larger of this and a constant; NaN stays."""
        return self.where(is_less(self.value, self.of(low)), low, self)

    def where(self, condition: Expr, then: Operand, otherwise: Operand) -> "Number":
        """Return one of two numbers of this one's type."""
        return self.made(select(condition, self.of(then), self.of(otherwise)))

    def is_below(self, other: Operand) -> Expr:
        """Return whether this is smaller; false beside NaN."""
        return is_less(self.value, self.of(other))

    def is_up_to(self, other: Operand) -> Expr:
        """Return whether this is not larger; false beside NaN."""
        return is_at_most(self.value, self.of(other))

    def is_equal(self, other: Operand) -> Expr:
        """Return whether both are equal; false beside NaN."""
        return is_equal(self.value, self.of(other))

    def is_nan(self) -> Expr:
        """Return whether this is not a number."""
        return intrinsic("isnan", self.value)

    def as_type(self, dtype: str) -> "Number":
        """Return the number converted to another type."""
        return self.made(cast(dtype, self.value), dtype)

    def bits(self, dtype: str) -> "Number":
        """Return the same bits as another type of the same width."""
        return self.made(reinterpret(dtype, self.value), dtype)

    def with_sign(self, signed: "Number") -> "Number":
        """Return the magnitude of this float with the sign of another."""
        width = int(self.dtype.removeprefix("float"))
        return self.made(with_sign(self.value, signed.value, width))


def with_sign(size: Expr, signed: Expr, width: int) -> Expr:
    """Return the magnitude of one float with the sign of another, by their bits."""
    bits, sign = f"uint{width}", 1 << (width - 1)
    magnitude = intrinsic("and", reinterpret(bits, size), constant(sign - 1, bits))
    minus = intrinsic("and", reinterpret(bits, signed), constant(sign, bits))
    return reinterpret(f"float{width}", intrinsic("or", magnitude, minus))
