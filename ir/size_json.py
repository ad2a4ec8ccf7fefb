"""Sizes as the JSON of a manifest."""

from typing import Any

from lxc.ir.dim import Dim, Size, terms


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
