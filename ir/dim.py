"""Sizes known only at run time: integer expressions over named, bounded dimensions.

A size is an `int` or an `Expression`: a polynomial with integer coefficients over atoms,
where an atom is a `Dim` or a `Quotient` (floor division). Expressions are kept in one
normal form (terms sorted, no zero coefficients, constants are plain ints), so two sizes are
equal when their normal forms are equal, and shapes can be compared with `==`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, TypeAlias

from lxc.errors import LxcError

RESERVED = frozenset(
    [
        "true",
        "false",
        "nan",
        "inf",
        "tree",
        "bool",
        "i8",
        "i16",
        "i32",
        "i64",
        "u8",
        "u16",
        "u32",
        "u64",
        "f16",
        "bf16",
        "f32",
        "f64",
    ]
)
"""Words that mean something else where a dimension's name can stand in IR text."""


@dataclass(frozen=True)
class Dim:
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

    def __add__(self, other: "Size | Dim") -> "Size":
        """Return the sum in normal form."""
        return expression(self) + other

    def __radd__(self, other: int) -> "Size":
        """Return the sum in normal form."""
        return expression(self) + other

    def __sub__(self, other: "Size | Dim") -> "Size":
        """Return the difference in normal form."""
        return expression(self) - other

    def __rsub__(self, other: int) -> "Size":
        """Return the difference in normal form."""
        return other - expression(self)

    def __mul__(self, other: "Size | Dim") -> "Size":
        """Return the product in normal form."""
        return expression(self) * other

    def __rmul__(self, other: int) -> "Size":
        """Return the product in normal form."""
        return expression(self) * other

    def __floordiv__(self, other: int) -> "Size":
        """Return the floor division in normal form."""
        return expression(self) // other


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


@dataclass(frozen=True)
class Expression:
    """A polynomial that is not constant: (monomial, coefficient) pairs in a fixed order."""

    terms: tuple[tuple[Monomial, int], ...]

    def __str__(self) -> str:
        """Print the terms in order; `parse` of IR text reads this form back."""
        text = " + ".join(print_term(monomial, factor) for monomial, factor in self.terms)
        return text.replace("+ -", "- ")

    def __add__(self, other: "Size | Dim") -> "Size":
        """Return the sum in normal form."""
        return collect([*self.terms, *terms(other)])

    def __radd__(self, other: int) -> "Size":
        """Return the sum in normal form."""
        return self + other

    def __neg__(self) -> "Size":
        """Return the negative in normal form."""
        return self * -1

    def __sub__(self, other: "Size | Dim") -> "Size":
        """Return the difference in normal form."""
        return collect([*self.terms, *((m, -factor) for m, factor in terms(other))])

    def __rsub__(self, other: int) -> "Size":
        """Return the difference in normal form."""
        return self * -1 + other

    def __mul__(self, other: "Size | Dim") -> "Size":
        """Return the product in normal form."""
        return collect(
            ((*left, *right), a * b)
            for (left, a), (right, b) in product(self.terms, terms(other))
        )

    def __rmul__(self, other: int) -> "Size":
        """Return the product in normal form."""
        return self * other

    def __floordiv__(self, divisor: int) -> "Size":
        """Return the floor division by a positive int, exact where every term divides."""
        if divisor < 1:
            raise LxcError("LXC-E0111", f"{self} cannot be divided by {divisor}")
        whole = [
            (m, factor // divisor) for m, factor in self.terms if factor % divisor == 0
        ]
        rest = collect((m, factor) for m, factor in self.terms if factor % divisor)
        if isinstance(rest, int):
            # What is left is a constant below the divisor or nothing: it floors by itself.
            return collect([*whole, ((), rest // divisor)])
        if divisor == 1:
            return self
        return collect([*whole, ((Quotient(rest, divisor),), 1)])


Size: TypeAlias = int | Expression


def expression(dim: Dim) -> Expression:
    """Return the expression that is just `dim`."""
    return Expression((((dim,), 1),))


def size(value: int | Dim | Expression) -> Size:
    """Return `value` as a size in normal form."""
    return expression(value) if isinstance(value, Dim) else value


def terms(value: Size | Dim) -> tuple[tuple[Monomial, int], ...]:
    """Return the terms of any size; those of a constant hold the empty monomial."""
    if isinstance(value, int):
        return (((), value),) if value else ()
    return expression(value).terms if isinstance(value, Dim) else value.terms


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


def size_to_json(value: Size) -> Any:
    """Return the prefix form of a manifest: ints, names and `["+", a, b]` lists."""
    total: Any = None
    for monomial, factor in terms(value):
        term: Any = factor if factor != 1 or not monomial else None
        for atom in monomial:
            if isinstance(atom, Dim):
                part: Any = atom.name
            else:
                part = ["//", size_to_json(atom.numerator), atom.divisor]
            term = part if term is None else ["*", term, part]
        total = term if total is None else ["+", total, term]
    return 0 if total is None else total
