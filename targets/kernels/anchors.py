"""The reductions that kernels are built around, in one form.

A reduction has loop axes (which together name one result element), reduction axes, and one
or two factors for every pair of their coordinates; the products of the factors of one
element are combined in the order of the reduction axes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lxc.ir.node import Node, Value
from lxc.ir.ops.reduce import identity
from lxc.ir.types import DType
from lxc.targets.kernels.element import Elements
from lxc.targets.kernels.element_rules import integers
from lxc.targets.kernels.element_rules.extremes import largest, smallest
from lxc.targets.kernels.pairs.factors import Pairs
from lxc.targets.kernels.sliding import Sliding
from lxc.targets.kernels.storage import computed
from lxc.targets.tvm_api import (
    Expr,
    Index,
    constant,
    intrinsic,
    is_less,
    select,
)

Coordinates = Sequence[Index]
Hold = Callable[[Expr, str], Expr]
Pull = Callable[[Elements, Coordinates, Coordinates], Expr]


@dataclass(frozen=True)
class Factor:
    """An operand of a reduction: its element for coordinates along loops and depth.

    `loops` are the loop axes along which the element differs.
    """

    pull: Pull
    loops: frozenset[int]


@dataclass(frozen=True)
class Anchor:
    """A reduction as loops; `output` takes coordinates along the loop axes.

    `lane` is the loop axis that vectors run along, None if they run along the last
    reduction axis. `row` is the loop axis of which several entries are computed together.
    `block` is set where the lane axis is one vector: several entries of that axis are
    computed together. `inner` are the loop axes that are walked inside of those. `valid`
    is how many entries of (block, lane) together the result has; None means all.
    `row_bytes` is how far apart in memory the rows of an operand lie, if that is known.
    `far` is an operand of which every step reads neighbours that lie far from those of the
    next step, `far_place` where in it the element of some coordinates and a step lies.
    `cells` is an operand whose entries along `row` lie one after the other, each with all
    that the last reduction axis reads, `cell_place` where in it such an entry begins.
    `panel_weight` is the operand whose blocks lie one after the other, `panel_place` where
    in it the block of some coordinates begins. If the factors are `pairs`, those say where
    they lie, and the last of `depth` counts them, without a half one at the end. A `loose`
    maximum may pass over NaN. Where loops run through several axes of the result at once,
    `position` says where in it an element lies: lanes in a row must be seen to be that.
    Where rows are `overlapping`, neighbours read the same elements for different entries of
    the last reduction axis; where they are `sliding`, for those of the axis in front of it.
    `first_shared` is the loop axis that threads share before any in front of it, where the
    kernels before and after this one share theirs along the same axis.
    """

    node: Node
    loops: tuple[Index, ...]
    depth: tuple[Index, ...]
    lane: int | None
    row: int | None
    kind: str
    output: Callable[[Coordinates], Coordinates]
    factors: tuple[Factor, ...]
    block: int | None = None
    inner: tuple[int, ...] = ()
    valid: int | None = None
    row_bytes: int = 0
    far: Value | None = None
    far_place: Callable[[Coordinates, Coordinates], Index] | None = None
    cells: Value | None = None
    cell_place: Callable[[Coordinates, Coordinates], Index] | None = None
    panel_weight: Value | None = None
    panel_place: Callable[[Coordinates], Index] | None = None
    pairs: Pairs | None = None
    loose: bool = False
    overlapping: bool = False
    sliding: Sliding | None = None
    position: Callable[[Coordinates], Index] | None = None
    first_shared: int | None = None

    @property
    def dtype(self) -> DType:
        """The element type of the result."""
        return self.node.result.type.dtype

    @property
    def held(self) -> str:
        """The type that partial results are kept in; conditions are kept as 0 or 1."""
        return "int32" if self.dtype is DType.BOOL else computed(self.dtype)

    @property
    def start(self) -> Expr:
        """What a reduction of nothing gives."""
        if self.dtype is DType.BOOL:
            return constant(1 if self.kind == "and" else 0, "int32")
        wide = np.dtype(np.float32) if self.dtype.is_float else self.dtype.numpy
        number = identity(self.kind, wide)
        return constant(float(number) if self.dtype.is_float else int(number), self.held)

    def combine(self, x: Expr, y: Expr, hold: Hold) -> Expr:
        """Return two partial results put together."""
        if self.loose:
            return select(is_less(y, x), x, y)
        return COMBINE[self.kind](x, y, self.held, hold)

    def term(self, elements: Sequence[Expr], hold: Hold) -> Expr:
        """Return the product of the factors' elements, in the type of partial results."""
        if len(elements) == 2:
            return multiply(elements[0], elements[1], self.held, hold)
        (element,) = elements
        if self.dtype is DType.BOOL:
            return select(element, constant(1, "int32"), constant(0, "int32"))
        return element

    def term_at(self, elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        """Return the term for one pair of coordinates."""
        pulled = [factor.pull(elements, at, deep) for factor in self.factors]
        return self.term(pulled, elements.hold)


def add(x: Expr, y: Expr, name: str, hold: Hold) -> Expr:
    """Return the sum."""
    return x + y if name.startswith("float") else integers.add(x, y, name, hold)


def multiply(x: Expr, y: Expr, name: str, hold: Hold) -> Expr:
    """Return the product."""
    return x * y if name.startswith("float") else integers.multiply(x, y, name, hold)


COMBINE: Mapping[str, Callable[[Expr, Expr, str, Hold], Expr]] = {
    "add": add,
    "multiply": multiply,
    "max": largest,
    "min": smallest,
    "and": lambda x, y, name, hold: intrinsic("and", x, y),
    "or": lambda x, y, name, hold: intrinsic("or", x, y),
}


def ordered(axes: Sequence[int], coordinates: Sequence[Index]) -> list[Index]:
    """Return coordinates put to the axes that they belong to."""
    result: list[Index] = [0] * len(axes)
    for axis, entry in zip(axes, coordinates, strict=True):
        result[axis] = entry
    return result
