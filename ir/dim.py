"""Sizes known only at run time: integer expressions over named, bounded dimensions.

A size is an `int` or an `Expression`: a polynomial with integer coefficients over atoms,
where an atom is a `Dim` or a `Quotient` (floor division). Expressions are kept in one
normal form (terms sorted, no zero coefficients, constants are plain ints), so two sizes are
equal when their normal forms are equal, and shapes can be compared with `==`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import lcm, prod
from typing import SupportsIndex, TypeAlias

from lxc.errors import LxcError
from lxc.ir.unknown import NoNumber, unknown, whole_number

RESERVED = frozenset(
    [
        "true", "false", "nan", "inf", "tree", "bool", "i8", "i16", "i32", "i64", "u8",
        "u16", "u32", "u64", "f16", "bf16", "f32", "f64",
    ]
)  # fmt: skip
"""Words that mean something else where a dimension's name can stand in IR text."""

LONGEST_PERIOD = 4096
"""Up to which period bounds are found by trying every value."""


class Symbolic(NoNumber):
    """A size that is not known, with Python's operators; results are in normal form.

    Comparisons answer where all values of the dimensions give one answer. What needs a
    number raises, since there is none before a model runs.
    """

    def as_terms(self) -> "Terms":
        """Return the size as a polynomial."""
        raise NotImplementedError

    def __add__(self, other: "Operand") -> "Size":
        """Return the sum."""
        if not isinstance(other, int | Symbolic):
            return NotImplemented
        return collect([*self.as_terms(), *terms(other)])

    def __radd__(self, other: int) -> "Size":
        """Return the sum."""
        return self + other

    def __neg__(self) -> "Size":
        """Return the negative."""
        return self * -1

    def __sub__(self, other: "Operand") -> "Size":
        """Return the difference."""
        if not isinstance(other, int | Symbolic):
            return NotImplemented
        return collect([*self.as_terms(), *((m, -factor) for m, factor in terms(other))])

    def __rsub__(self, other: int) -> "Size":
        """Return the difference."""
        return self * -1 + other

    def __mul__(self, other: "Operand") -> "Size":
        """Return the product."""
        if not isinstance(other, int | Symbolic):
            return NotImplemented
        return collect(
            ((*left, *right), a * b)
            for (left, a), (right, b) in product(self.as_terms(), terms(other))
        )

    def __rmul__(self, other: int) -> "Size":
        """Return the product."""
        return self * other

    def __floordiv__(self, divisor: int) -> "Size":
        """Return the floor division by a positive int, exact where every term divides."""
        if not isinstance(divisor, int):
            return NotImplemented
        if divisor < 1:
            raise LxcError("LXC-E0111", f"{self} cannot be divided by {divisor}")
        own = self.as_terms()
        whole = [(m, factor // divisor) for m, factor in own if factor % divisor == 0]
        rest = collect((m, factor) for m, factor in own if factor % divisor)
        if isinstance(rest, int):
            # What is left is a constant below the divisor or nothing: it floors by itself.
            return collect([*whole, ((), rest // divisor)])
        return collect([*whole, ((Quotient(rest, divisor),), 1)])

    def __mod__(self, divisor: int) -> "Size":
        """Return what the floor division leaves."""
        return self - self // divisor * divisor

    def __lt__(self, other: "Operand") -> bool:
        """Return whether it is smaller, or raise if that depends on the dimensions."""
        return is_negative(self - other, f"{self} < {other}")

    def __le__(self, other: "Operand") -> bool:
        """Return whether it is not larger, or raise if that depends on the dimensions."""
        return is_negative(self - other - 1, f"{self} <= {other}")

    def __gt__(self, other: "Operand") -> bool:
        """Return whether it is larger, or raise if that depends on the dimensions."""
        return is_negative(self * -1 + other, f"{self} > {other}")

    def __ge__(self, other: "Operand") -> bool:
        """Return whether it is not smaller, or raise if that depends on the dimensions."""
        return is_negative(self * -1 + other - 1, f"{self} >= {other}")


@dataclass(frozen=True)
class Dim(Symbolic):
    """A named dimension with inclusive bounds, for use in the shape of a `TensorSpec`."""

    name: str
    low: int
    high: int

    def __post_init__(self) -> None:
        """Refuse a name that IR text could not hold, and empty or negative ranges."""
        fits = self.name.isidentifier() and self.name.isascii()
        if not fits or self.name in RESERVED:
            raise LxcError("LXC-E0111", f"{self.name!r} cannot name a dimension")
        if not 0 <= self.low <= self.high:
            raise LxcError(
                "LXC-E0111",
                f"dimension {self.name} has an empty range",
                expected="0 <= low <= high",
                actual=f"{self.low}..{self.high}",
            )

    def __str__(self) -> str:
        """Print the name alone; the bounds stand in the graph's header."""
        return self.name

    def as_terms(self) -> "Terms":
        """Return the dimension as a polynomial."""
        return (((self,), 1),)


@dataclass(frozen=True)
class Quotient:
    """The floor of `numerator / divisor`; the divisor is positive."""

    numerator: "Expression"
    divisor: int

    def __str__(self) -> str:
        """Print with the parentheses that reading back needs."""
        return f"(({self.numerator}) // {self.divisor})"


Atom: TypeAlias = Dim | Quotient
Monomial: TypeAlias = tuple[Atom, ...]
Terms: TypeAlias = tuple[tuple[Monomial, int], ...]


@dataclass(frozen=True)
class Expression(Symbolic):
    """A polynomial that is not constant: (monomial, coefficient) pairs in a fixed order."""

    terms: "Terms"

    def __str__(self) -> str:
        """Print the terms in order; `parse` of IR text reads this form back."""
        text = " + ".join(print_term(monomial, factor) for monomial, factor in self.terms)
        return text.replace("+ -", "- ")

    def as_terms(self) -> "Terms":
        """Return the terms."""
        return self.terms


Size: TypeAlias = int | Expression
Operand: TypeAlias = int | Symbolic


def is_negative(difference: Size, question: str) -> bool:
    """Return whether a size is below zero for all values of its dimensions, or raise."""
    low, high = bounds(difference)
    if low < 0 <= high:
        raise unknown(f"whether {question}")
    return high < 0


def expression(dim: Dim) -> Expression:
    """Return the expression that is just `dim`."""
    return Expression((((dim,), 1),))


def size(value: SupportsIndex) -> Size:
    """Return `value`, a symbolic size or a whole number of any kind, in normal form."""
    if isinstance(value, Symbolic):
        return collect(value.as_terms())
    return whole_number(value)


def terms(value: Operand) -> Terms:
    """Return the terms of any size; those of a constant hold the empty monomial."""
    if isinstance(value, Symbolic):
        return value.as_terms()
    return (((), value),) if value else ()


def collect(pairs: Iterable[tuple[Monomial, int]]) -> Size:
    """Add up terms into the normal form: higher degrees first, constant last."""
    total: dict[Monomial, int] = {}
    for monomial, factor in pairs:
        key = tuple(sorted(monomial, key=str))
        total[key] = total.get(key, 0) + factor
    kept = [(monomial, factor) for monomial, factor in total.items() if factor]
    if not kept:
        return 0
    if len(kept) == 1 and kept[0][0] == ():
        return kept[0][1]
    kept.sort(key=lambda pair: (-len(pair[0]), [str(atom) for atom in pair[0]]))
    return Expression(tuple(kept))


def print_term(monomial: Monomial, factor: int) -> str:
    """Print one term: `N`, `-N`, `2*N*M` or `7`."""
    if not monomial:
        return str(factor)
    body = "*".join(str(atom) for atom in monomial)
    return {1: body, -1: f"-{body}"}.get(factor, f"{factor}*{body}")


def dims_of(value: Size) -> list[Dim]:
    """Return the named dimensions inside `value`, each once, in order of appearance."""
    found: dict[str, Dim] = {}
    for monomial, _ in terms(value):
        for atom in monomial:
            inner = [atom] if isinstance(atom, Dim) else dims_of(atom.numerator)
            found.update((dim.name, dim) for dim in inner)
    return list(found.values())


def evaluate_size(value: Size, dims: Mapping[str, int]) -> int:
    """Return `value` with every dimension replaced by its number in `dims`."""
    total = 0
    for monomial, factor in terms(value):
        for atom in monomial:
            if isinstance(atom, Dim):
                factor *= dims[atom.name]
            else:
                factor *= evaluate_size(atom.numerator, dims) // atom.divisor
        total += factor
    return total


def bounds(value: Size) -> tuple[int, int]:
    """Return a lower and an upper bound of `value`.

    They are exact where one dimension counts up steadily, as in the sizes of padded axes,
    and those of interval arithmetic elsewhere.
    """
    if isinstance(value, int):
        return value, value
    dims, period = dims_of(value), period_of(value)
    if len(dims) != 1 or not 1 < period <= LONGEST_PERIOD:
        return interval(value)
    (dim,) = dims
    first = range(dim.low, min(dim.low + period, dim.high + 1))
    last = range(max(dim.low, dim.high - period + 1), dim.high + 1)
    numbers = [evaluate_size(value, {dim.name: n}) for n in {*first, *last}]
    return min(numbers), max(numbers)


def period_of(value: Size) -> int:
    """Return after how many steps of its dimensions `value` repeats but for a constant.

    It is 0 for products of dimensions, which do not.
    """
    periods = [1]
    for monomial, _ in terms(value):
        for atom in monomial:
            if isinstance(atom, Quotient):
                periods.append(period_of(atom.numerator) * atom.divisor)
        if len(monomial) > 1:
            return 0
    return lcm(*periods)


def interval(value: Size) -> tuple[int, int]:
    """Return a lower and an upper bound of `value` by interval arithmetic."""
    low = high = 0
    for monomial, factor in terms(value):
        ranges = [atom_bounds(atom) for atom in monomial]
        corners = [factor * prod(corner) for corner in product(*ranges)]
        low += min(corners)
        high += max(corners)
    return low, high


def atom_bounds(atom: Atom) -> tuple[int, int]:
    """Return the inclusive bounds of one atom."""
    if isinstance(atom, Dim):
        return atom.low, atom.high
    low, high = bounds(atom.numerator)
    return low // atom.divisor, high // atom.divisor
