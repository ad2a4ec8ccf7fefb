"""NumPy's einsum, taken apart into products of two operands at a time.

An operand with the labels of its axes is a `Term`. Terms are multiplied in pairs, the one
with the smallest result first; what no other term needs is summed on the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.dim import Size, bounds
from lxc.ir.functions.diagonals import diagonal
from lxc.ir.functions.elementwise import multiply, not_equal
from lxc.ir.functions.promotion import as_operand, common_type
from lxc.ir.functions.reduce import reduced
from lxc.ir.functions.shape import expand_dims, reshape, transpose
from lxc.ir.functions.subscripts import Label, subscripts_of
from lxc.ir.ops.contract import dot_general
from lxc.ir.tensor import Operand, apply, implements, lifted, shape_of
from lxc.ir.types import count_elements

Labels = tuple[Label, ...]


@dataclass(frozen=True, eq=False)
class Term:
    """An operand whose axes have labels, each once."""

    operand: Operand
    labels: Labels

    def axis(self, label: Label) -> int:
        """Return the axis that has a label."""
        return self.labels.index(label)

    def size(self, label: Label) -> Size:
        """Return the size of the axis that has a label."""
        return shape_of(self.operand)[self.axis(label)]


@implements(np.einsum)
def einsum(*operands: Any, dtype: Any = None, optimize: Any = True) -> Any:
    """Return sums of products of operands whose axes are named by subscripts.

    Subscripts are one string such as "ij,jk->ik", or lists of numbers after the operands.
    Half types accumulate in float32. `optimize` changes nothing: the order of products
    follows from the sizes.
    """
    given, inputs, output = subscripts_of(operands)
    kind = common_type(tuple(given)) if dtype is None else np.dtype(dtype)
    held = np.dtype(np.int64) if kind == np.bool_ else kind
    arrays = lifted([as_operand(as_operand(x, kind), held) for x in given])
    terms = [term_of(x, labels) for x, labels in zip(arrays, inputs, strict=True)]
    sizes = sizes_of(terms)
    if any(label not in sizes for label in output):
        raise LxcError("LXC-E0103", "the output has a label that no operand has")
    terms = [squeezed(term, sizes) for term in terms]
    while len(terms) > 1:
        first, second = best_pair(terms, sizes, output)
        rest = [term for term in terms if term is not first and term is not second]
        terms = [*rest, joined(first, second, needed(rest, output))]
    (term,) = terms
    result = ordered(summed(term, set(output)), output)
    return not_equal(result, 0) if kind == np.bool_ else result


def term_of(x: Operand, labels: Labels) -> Term:
    """Return an operand with its labels; one that comes twice becomes a diagonal."""
    while len(set(labels)) < len(labels):
        label = next(label for label in labels if labels.count(label) > 1)
        first = labels.index(label)
        second = labels.index(label, first + 1)
        if shape_of(x)[first] != shape_of(x)[second]:
            raise LxcError(
                "LXC-E0103",
                f"axes {first} and {second} of an operand have one label and two sizes",
                actual=f"{shape_of(x)[first]} and {shape_of(x)[second]}",
            )
        x = diagonal(x, 0, first, second)
        kept = [n for place, n in enumerate(labels) if place not in (first, second)]
        labels = (*kept, label)
    return Term(x, labels)


def sizes_of(terms: Sequence[Term]) -> dict[Label, Size]:
    """Return the size of every label, where a size of 1 fits any other."""
    sizes: dict[Label, Size] = {}
    for term in terms:
        for label in term.labels:
            own = term.size(label)
            if sizes.setdefault(label, own) == 1:
                sizes[label] = own
            if own not in (1, sizes[label]):
                raise LxcError(
                    "LXC-E0103",
                    f"the label {label} has two sizes",
                    actual=f"{sizes[label]} and {own}",
                )
    return sizes


def squeezed(term: Term, sizes: dict[Label, Size]) -> Term:
    """Return a term without axes of size 1 where other terms have more entries."""
    kept = tuple(n for n in term.labels if term.size(n) == sizes[n])
    return Term(reshape(term.operand, tuple(term.size(n) for n in kept)), kept)


def needed(rest: Sequence[Term], output: Labels) -> set[Label]:
    """Return the labels that are still read after a product."""
    return set(output).union(*(term.labels for term in rest))


def best_pair(
    terms: Sequence[Term], sizes: dict[Label, Size], output: Labels
) -> tuple[Term, Term]:
    """Return the two terms with the smallest product, the first such pair."""

    def price(pair: tuple[Term, Term]) -> int:
        rest = [term for term in terms if term not in pair]
        left = {*pair[0].labels, *pair[1].labels} & needed(rest, output)
        return bounds(count_elements([sizes[label] for label in left]))[1]

    return min(combinations(terms, 2), key=price)


def summed(term: Term, kept: set[Label]) -> Term:
    """Return a term summed along all axes but those with some labels."""
    gone = [axis for axis, label in enumerate(term.labels) if label not in kept]
    if not gone:
        return term
    total = reduced(term.operand, "add", gone, False)
    return Term(total, tuple(label for label in term.labels if label in kept))


def joined(first: Term, second: Term, kept: set[Label]) -> Term:
    """Return the product of two terms, summed along what nothing else reads."""
    first = summed(first, kept | set(second.labels))
    second = summed(second, kept | set(first.labels))
    shared = [label for label in first.labels if label in second.labels]
    batch = [label for label in shared if label in kept]
    depth = [label for label in shared if label not in kept]
    left = [label for label in first.labels if label not in shared]
    right = [label for label in second.labels if label not in shared]
    labels = (*batch, *left, *right)
    if not depth:
        return Term(multiply(spread(first, labels), spread(second, labels)), labels)
    product = apply(
        dot_general,
        first.operand,
        second.operand,
        lhs_batch=tuple(map(first.axis, batch)),
        rhs_batch=tuple(map(second.axis, batch)),
        lhs_contract=tuple(map(first.axis, depth)),
        rhs_contract=tuple(map(second.axis, depth)),
    )
    return Term(product, labels)


def spread(term: Term, labels: Labels) -> Operand:
    """Return the operand of a term with axes in the order of labels, of size 1 if new."""
    present = tuple(label for label in labels if label in term.labels)
    absent = [axis for axis, label in enumerate(labels) if label not in term.labels]
    moved = ordered(term, present)
    result: Operand = expand_dims(moved, absent) if absent else moved
    return result


def ordered(term: Term, labels: Labels) -> Operand:
    """Return the operand of a term with its axes in the order of labels."""
    result: Operand = transpose(term.operand, [term.axis(label) for label in labels])
    return result
