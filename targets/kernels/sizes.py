"""Sizes of the IR as index expressions of generated code."""

from collections.abc import Mapping, Sequence

from lxc.ir.dim import Dim, Size, terms
from lxc.targets.tvm_api import Expr, Index, divide


def index_of(size: Size, dims: Mapping[str, Expr]) -> Index:
    """Return a size as an index; named dimensions become the variables in `dims`."""
    if isinstance(size, int):
        return size
    total: Index = 0
    for monomial, factor in terms(size):
        term: Index = factor
        for atom in monomial:
            if isinstance(atom, Dim):
                term = term * dims[atom.name]
            else:
                term = term * divide(index_of(atom.numerator, dims), atom.divisor)
        total = total + term
    return total


def strides_of(shape: Sequence[Index]) -> list[Index]:
    """Return how far apart neighbours along each axis lie in C order."""
    strides: list[Index] = []
    step: Index = 1
    for entry in reversed(shape):
        strides.append(step)
        step = step * entry
    return strides[::-1]


def whole_parts(count: Index, size: Index) -> Index:
    """Return how many whole parts of a size there are in a count."""
    if isinstance(count, int) and isinstance(size, int):
        return count // size
    return divide(count, size)


def covering_parts(count: Index, size: Index) -> Index:
    """Return how many parts of a size cover a count, the last one maybe in part."""
    return whole_parts(count + (size - 1), size)


def product(shape: Sequence[Index]) -> Index:
    """Return the number of elements of a shape, a plain 0 if an axis certainly has none."""
    if any(isinstance(entry, int) and entry == 0 for entry in shape):
        return 0
    total: Index = 1
    for entry in shape:
        total = total * entry
    return total
