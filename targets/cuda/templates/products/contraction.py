"""Products of matrices and convolutions in one form: three groups of axes, two operands.

A result belongs to a batch, a row and a column. Each of the three, and what is summed up,
runs through several axes in C order. An operand's element lies at a start plus a step per
entry of every axis: a convolution is a product whose left operand shows cells repeatedly.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lxc.ir.node import Node
from lxc.ir.ops.contract import free_axes
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.templates.products.counts import fewest_of, most_of
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.strided import Strided, strided
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


def contraction_of(node: Node, source: Source, dims: Dims) -> Contraction:
    """Return a product or a convolution in this form."""
    left, right = (strided(source, value, dims) for value in node.operands)
    return FORMS[node.op.name](node, left, right, dims)


def matrix_product(node: Node, left: Strided, right: Strided, dims: Dims) -> Contraction:
    """Return a product of matrices."""
    facts, (lhs, rhs) = attributes_of(node), node.operands
    rows = free_axes(lhs.type.rank, facts["lhs_batch"], facts["lhs_contract"])
    columns = free_axes(rhs.type.rank, facts["rhs_batch"], facts["rhs_contract"])

    def operand(here: Strided, place: int, free: Sequence[int], side: str) -> Operand:
        kind = node.operands[place].type
        sizes = [index_of(entry, dims) for entry in kind.shape]

        def axes(group: Sequence[int]) -> tuple[Axis, ...]:
            return tuple(Axis(sizes[axis], here.steps[axis]) for axis in group)

        return Operand(
            here.buffer,
            kind.dtype,
            here.start,
            axes(facts[f"{side}_batch"]),
            axes(free),
            axes(facts[f"{side}_contract"]),
        )

    return Contraction(
        node,
        operand(left, 0, rows, "lhs"),
        operand(right, 1, columns, "rhs"),
        lambda batch, row, column: (*batch, *row, *column),
        ends_in_rows=not columns,
        most=(
            most_of(lhs.type.shape[axis] for axis in facts["lhs_batch"]),
            most_of(lhs.type.shape[axis] for axis in rows),
            most_of(rhs.type.shape[axis] for axis in columns),
        ),
        fewest=fewest_of(lhs.type.shape[axis] for axis in rows),
    )


def convolution(node: Node, left: Strided, right: Strided, dims: Dims) -> Contraction:
    """Return a convolution: batches are groups, rows are the cells of all samples."""
    facts, (x, weight) = attributes_of(node), node.operands
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    kernel = [int(entry) for entry in weight.type.shape]
    groups, space = facts["groups"], len(shape) - 2
    by_input = facts["weight_order"] == "io"
    out, inner = (space + 1, space) if by_input else (0, 1)
    terms = [inner, *(range(space) if by_input else range(2, space + 2))]
    outputs = shape[1] // groups
    cells = (x.type.shape[0], *node.result.type.shape[2:])
    weights = Operand(
        right.buffer,
        weight.type.dtype,
        right.start,
        (Axis(groups, right.steps[out] * outputs),),
        (Axis(outputs, right.steps[out]),),
        tuple(Axis(kernel[axis], right.steps[axis]) for axis in terms),
    )
    return Contraction(
        node,
        cells_of(node, left, [kernel[axis] for axis in terms], dims),
        weights,
        lambda group, row, column: (
            row[0],
            group[0] * outputs + column[0],
            *row[1:],
        ),
        ends_in_rows=True,
        most=(groups, most_of(cells), outputs),
        fewest=fewest_of(cells),
    )


def cells_of(node: Node, x: Strided, terms: Sequence[int], dims: Dims) -> Operand:
    """Return the operand of a convolution: rows are cells of the result."""
    facts, steps = attributes_of(node), x.steps[2:]
    samples, _, *space = (index_of(size, dims) for size in node.result.type.shape)
    lows = [low for low, _ in facts["padding"]]
    inputs, *taps = terms
    cells = zip(space, steps, facts["strides"], strict=True)
    spread = zip(taps, steps, facts["rhs_dilation"], strict=True)
    return Operand(
        x.buffer,
        node.operands[0].type.dtype,
        x.start - sum(low * step for low, step in zip(lows, steps, strict=True)),
        (Axis(facts["groups"], x.steps[1] * inputs),),
        (
            Axis(samples, x.steps[0]),
            *(Axis(size, step * by) for size, step, by in cells),
        ),
        (
            Axis(inputs, x.steps[1]),
            *(Axis(count, step * by) for count, step, by in spread),
        ),
        window_of(node, terms, 1, dims),
    )


def channels_last_convolution(
    node: Node, left: Strided, right: Strided, dims: Dims
) -> Contraction:
    """Return the same of values with their channels last: those are the last terms."""
    facts, (x, weight) = attributes_of(node), node.operands
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    outer, *terms = (int(entry) for entry in weight.type.shape)
    groups: int = facts["groups"]
    outputs = outer // groups
    weights = Operand(
        right.buffer,
        weight.type.dtype,
        right.start,
        (Axis(groups, right.steps[0] * outputs),),
        (Axis(outputs, right.steps[0]),),
        tuple(Axis(size, step) for size, step in zip(terms, right.steps[1:], strict=True)),
    )
    steps, (*taps, inputs) = left.steps[1:-1], terms
    lows = [low for low, _ in facts["padding"]]
    cells = zip(shape[1:-1], steps, facts["strides"], strict=True)
    spread = zip(taps, steps, facts["rhs_dilation"], strict=True)
    rows = Operand(
        left.buffer,
        x.type.dtype,
        left.start - sum(low * step for low, step in zip(lows, steps, strict=True)),
        (Axis(groups, left.steps[-1] * inputs),),
        (
            Axis(shape[0], left.steps[0]),
            *(Axis(size, step * by) for size, step, by in cells),
        ),
        (
            *(Axis(count, step * by) for count, step, by in spread),
            Axis(inputs, left.steps[-1]),
        ),
        window_of(node, terms, 0, dims),
    )
    return Contraction(
        node,
        rows,
        weights,
        lambda group, row, column: (*row, group[0] * outputs + column[0]),
        ends_in_rows=False,
        most=(groups, most_of(node.result.type.shape[:-1]), outputs),
        fewest=fewest_of(node.result.type.shape[:-1]),
    )


def window_of(
    node: Node, terms: Sequence[int], first_tap: int, dims: Dims
) -> Window | None:
    """Return what of a convolution's operand is padding, None if nothing is.

    Of the terms, axis `first_tap` is that of the taps along the first spatial axis.
    """
    facts, edges, bit = attributes_of(node), [], 0
    spatial = slice(1, -1) if first_tap == 0 else slice(2, None)
    shape = node.result.type.shape
    for axis, (low, high) in enumerate(facts["padding"]):
        taps = terms[axis + first_tap]
        if low or high:
            size = index_of(node.operands[0].type.shape[spatial][axis], dims)
            steps = facts["strides"][axis], facts["rhs_dilation"][axis]
            places = axis + 1, axis + first_tap
            edges.append(Edge(*places, size, *steps, low, taps, bit))
            bit += taps
    rows = (index_of(shape[0], dims), *(index_of(size, dims) for size in shape[spatial]))
    return Window(rows, tuple(terms), tuple(edges)) if edges else None


FORMS: Mapping[str, Callable[[Node, Strided, Strided, Dims], Contraction]] = {
    "dot_general": matrix_product,
    "conv": convolution,
    "channels_last_conv": channels_last_convolution,
}
"""The reductions that are products."""
