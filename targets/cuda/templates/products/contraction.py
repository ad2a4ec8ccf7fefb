"""Products of matrices and convolutions in one form: three groups of axes, two operands.

A result belongs to a batch, a row and a column. Each of the three, and what is summed up,
runs through several axes in C order. An operand's element lies at a start plus a step per
entry of every axis: a convolution is a product whose left operand shows cells repeatedly.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.sizes import product
from lxc.targets.tvm_api import Buffer, Expr, Index, divide, is_one, modulo
from lxc.targets.tvm_prover import Prover

Dims = Mapping[str, Expr]
Coordinates = Sequence[Index]


@dataclass(frozen=True)
class Axis:
    """An axis, and how far apart its entries lie in the memory of one operand."""

    size: Index
    step: Index


@dataclass(frozen=True)
class Edge:
    """A padded axis: a tap reads cell `number * stride + tap * apart - low` of `size`.

    It is axis `axis` of the rows and axis `tap_axis` of the terms. Its first tap has bit
    `bit` of the number that tells which taps of a row are inside.
    """

    axis: int
    tap_axis: int
    size: Index
    stride: int
    apart: int
    low: int
    taps: int
    bit: int


@dataclass(frozen=True)
class Window:
    """What of a convolution's operand is padding; rows and terms run over such sizes."""

    rows: tuple[Index, ...]
    terms: tuple[Index, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Operand:
    """Where the elements of an operand lie; `free` are its rows or its columns.

    Elements that a `window` says are padding are zeros and have no memory.
    """

    buffer: Buffer
    dtype: DType
    start: Index
    batch: tuple[Axis, ...]
    free: tuple[Axis, ...]
    depth: tuple[Axis, ...]
    window: Window | None = None


@dataclass(frozen=True)
class Contraction:
    """A product; `output` takes the coordinates of batch, row and column.

    `ends_in_rows` says that neighbours in the result's memory are rows, not columns.
    `most` are the largest numbers of batches, rows and columns. Where there are any rows,
    there are `fewest` or more.
    """

    node: Node
    left: Operand
    right: Operand
    output: Callable[[Coordinates, Coordinates, Coordinates], Coordinates]
    ends_in_rows: bool
    most: tuple[int, int, int]
    fewest: int

    @property
    def rows(self) -> Index:
        """How many rows a batch has."""
        return count_of(self.left.free)

    @property
    def columns(self) -> Index:
        """How many columns a batch has."""
        return count_of(self.right.free)

    @property
    def batches(self) -> Index:
        """How many products there are."""
        return count_of(self.left.batch)

    @property
    def depth(self) -> Index:
        """How many terms the sum of one result has."""
        return count_of(self.left.depth)

    def coordinates(self, batch: Index, row: Index, column: Index) -> Coordinates:
        """Return where in the result an element is."""
        parts = (self.left.batch, self.left.free, self.right.free)
        split = [
            unravel(number, [axis.size for axis in axes])
            for number, axes in zip((batch, row, column), parts, strict=True)
        ]
        return self.output(*split)


def count_of(axes: Sequence[Axis]) -> Index:
    """Return how many entries axes have together."""
    return product([axis.size for axis in axes])


def merged(axes: Sequence[Axis], prover: Prover) -> tuple[Axis, ...]:
    """Return the same elements in the same order along as few axes as possible."""
    found: list[Axis] = []
    for axis in axes:
        if is_one(axis.size):
            continue
        if found:
            apart = prover.simplify(found[-1].step - axis.step * axis.size)
            if isinstance(apart, int) and apart == 0:
                found[-1] = Axis(found[-1].size * axis.size, axis.step)
                continue
        found.append(axis)
    return tuple(found)


def offset(axes: Sequence[Axis], number: Index) -> Index:
    """Return how far from the first the element of a number along some axes lies."""
    total: Index = 0
    inner: Index = 1
    for place, axis in reversed(list(enumerate(axes))):
        entry = divide(number, inner)
        total = total + (modulo(entry, axis.size) if place else entry) * axis.step
        inner = inner * axis.size
    return total
