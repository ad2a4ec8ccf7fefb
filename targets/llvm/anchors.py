"""The reductions that kernels are built around, in one form.

A reduction has loop axes (which together name one result element), reduction axes, and a
term for every pair of their coordinates; the terms of one element are combined in the
order of the reduction axes. `lane` is the loop axis that vectors run along, None if they
run along the last reduction axis. `row` is the loop axis of which several entries are
computed together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lxc.errors import InternalError
from lxc.ir.node import Node
from lxc.ir.ops.contract import free_axes
from lxc.ir.ops.reduce import identity
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.llvm import integers
from lxc.targets.llvm.element import Elements
from lxc.targets.llvm.place import Place, joined
from lxc.targets.llvm.sizes import index_of, product
from lxc.targets.llvm.storage import computed
from lxc.targets.tvm_api import (
    Expr,
    Index,
    constant,
    either,
    intrinsic,
    is_less,
    select,
)

Coordinates = Sequence[Index]
Hold = Callable[[Expr, str], Expr]
FEWEST_CHANNELS = 4
"""Fewer output channels than this do not fill a vector worth having."""


@dataclass(frozen=True)
class Anchor:
    """A reduction as loops; `term` and `output` take coordinates along the loop axes."""

    node: Node
    loops: tuple[Index, ...]
    depth: tuple[Index, ...]
    lane: int | None
    row: int | None
    kind: str
    output: Callable[[Coordinates], Coordinates]
    term: Callable[[Elements, Coordinates, Coordinates], Expr]

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
        return COMBINE[self.kind](x, y, self.held, hold)

    def as_term(self, element: Expr) -> Expr:
        """Return an element in the type of partial results."""
        if self.dtype is DType.BOOL:
            return select(element, constant(1, "int32"), constant(0, "int32"))
        return element


def add(x: Expr, y: Expr, name: str, hold: Hold) -> Expr:
    """Return the sum."""
    return x + y if name.startswith("float") else integers.add(x, y, name, hold)


def multiply(x: Expr, y: Expr, name: str, hold: Hold) -> Expr:
    """Return the product."""
    return x * y if name.startswith("float") else integers.multiply(x, y, name, hold)


def largest(x: Expr, y: Expr, name: str, hold: Hold) -> Expr:
    """Return the larger; NaN if either is."""
    larger = is_less(y, x)
    if name.startswith("float"):
        larger = either(larger, intrinsic("isnan", x))
    return select(larger, x, y)


def smallest(x: Expr, y: Expr, name: str, hold: Hold) -> Expr:
    """Return the smaller; NaN if either is."""
    smaller = is_less(x, y)
    if name.startswith("float"):
        smaller = either(smaller, intrinsic("isnan", x))
    return select(smaller, x, y)


COMBINE: Mapping[str, Callable[[Expr, Expr, str, Hold], Expr]] = {
    "add": add,
    "multiply": multiply,
    "max": largest,
    "min": smallest,
    "and": lambda x, y, name, hold: intrinsic("and", x, y),
    "or": lambda x, y, name, hold: intrinsic("or", x, y),
}


def dot_general(node: Node, dims: Mapping[str, Expr]) -> Anchor:
    """Return a product of matrices: lanes along the columns, several rows at a time."""
    lhs, rhs = node.operands
    names = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    left_batch, right_batch, left_contract, right_contract = (
        attributes_of(node)[n] for n in names
    )
    rows = free_axes(lhs.type.rank, left_batch, left_contract)
    columns = free_axes(rhs.type.rank, right_batch, right_contract)
    batches = len(left_batch)
    left_order = (*left_batch, *rows, *left_contract)
    right_order = (*right_batch, *columns, *right_contract)

    def term(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        split = batches + len(rows)
        left = ordered(left_order, (*at[:split], *deep))
        right = ordered(right_order, (*at[:batches], *at[split:], *deep))
        x = elements.at(lhs, Place(elements.shape_of(lhs), left))
        y = elements.at(rhs, Place(elements.shape_of(rhs), right))
        name = computed(node.result.type.dtype)
        return multiply(x, y, name, elements.hold)

    rank = node.result.type.rank
    lane, row = dot_axes(rank, batches, rows, columns, lhs.type.rank, rhs.type.rank)
    if lane is None and not ends_in_depth(node):
        lane = rank - 1 if rank else None
    return Anchor(
        node,
        tuple(index_of(entry, dims) for entry in node.result.type.shape),
        tuple(index_of(lhs.type.shape[axis], dims) for axis in left_contract),
        lane,
        row if lane is not None and row != lane else None,
        "add",
        lambda at: at,
        term,
    )


def dot_axes(
    rank: int,
    batches: int,
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    left_rank: int,
    right_rank: int,
) -> tuple[int | None, int | None]:
    """Return the axes of a product's result along which vectors and rows run."""
    row = batches + len(rows) - 1 if rows else None
    if columns and columns[-1] == right_rank - 1:
        return rank - 1, row
    if rows and not columns and rows[-1] == left_rank - 1:
        return row, None
    return None, row


def ends_in_depth(node: Node) -> bool:
    """Return whether both operands of a product lie in the order of the contracted axes."""
    lhs, rhs = node.operands
    left, right = attributes_of(node)["lhs_contract"], attributes_of(node)["rhs_contract"]
    return bool(left) and left[-1] == lhs.type.rank - 1 and right[-1] == rhs.type.rank - 1


def ordered(axes: Sequence[int], coordinates: Sequence[Index]) -> list[Index]:
    """Return coordinates put to the axes that they belong to."""
    result: list[Index] = [0] * len(axes)
    for axis, entry in zip(axes, coordinates, strict=True):
        result[axis] = entry
    return result


def conv(node: Node, dims: Mapping[str, Expr]) -> Anchor:
    """Return a convolution: loops over sample, group, channel and cells."""
    x, weight = node.operands
    check_unpadded(node)
    inner_order = attributes_of(node)["weight_order"] == "io"
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    kernel = [index_of(entry, dims) for entry in weight.type.shape]
    taps, inputs = (kernel[:-2], kernel[-2]) if inner_order else (kernel[2:], kernel[1])
    groups = attributes_of(node)["groups"]
    outputs = shape[1] // groups
    moves = list(
        zip(
            attributes_of(node)["strides"], attributes_of(node)["rhs_dilation"], strict=True
        )
    )

    def term(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        sample, group, channel, *cells = at
        inner, *tap = deep
        where = [o * s + t * d for o, t, (s, d) in zip(cells, tap, moves, strict=True)]
        source = Place(elements.shape_of(x), (sample, group * inputs + inner, *where))
        out = group * outputs + channel
        order = (*tap, inner, out) if inner_order else (out, inner, *tap)
        left = elements.at(x, source)
        right = elements.at(weight, Place(kernel, order))
        return multiply(left, right, computed(node.result.type.dtype), elements.hold)

    wide = inner_order and outputs >= FEWEST_CHANNELS
    last = len(shape)
    return Anchor(
        node,
        (shape[0], groups, outputs, *shape[2:]),
        (inputs, *taps),
        2 if wide else last,
        last if wide else (2 if outputs > 1 or last == 3 else last - 1),
        "add",
        lambda at: (at[0], at[1] * outputs + at[2], *at[3:]),
        term,
    )


def check_unpadded(node: Node) -> None:
    """Refuse a node whose padding was not made a node of its own."""
    spread = attributes_of(node).get("lhs_dilation", ())
    if any(map(any, attributes_of(node)["padding"])) or any(by != 1 for by in spread):
        raise InternalError("code generation", f"{node.op} still has padding")


def reduce(node: Node, dims: Mapping[str, Expr]) -> Anchor:
    """Return a reduction of whole axes."""
    (x,) = node.operands
    axes = tuple(sorted(attributes_of(node)["axes"]))
    kept = free_axes(x.type.rank, axes)
    sizes = [index_of(entry, dims) for entry in x.type.shape]
    # Reduced axes at the end are walked as one.
    first = max((axis + 1 for axis in kept), default=0)
    outer = tuple(axis for axis in axes if axis < first)
    deep_last = first < x.type.rank

    def term(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        leading = ordered((*kept, *outer), (*at, *deep[: len(outer)]))
        if deep_last:
            return elements.at(x, joined(sizes, leading, deep[-1]))
        return elements.at(x, Place(sizes, leading))

    inner = (product(sizes[first:]),) if deep_last else ()
    return Anchor(
        node,
        tuple(sizes[axis] for axis in kept),
        (*(sizes[axis] for axis in outer), *inner),
        None if deep_last or not kept else len(kept) - 1,
        None,
        attributes_of(node)["kind"],
        lambda at: at,
        term,
    )


def reduce_window(node: Node, dims: Mapping[str, Expr]) -> Anchor:
    """Return a reduction of windows."""
    (x,) = node.operands
    check_unpadded(node)
    window, strides = attributes_of(node)["window"], attributes_of(node)["strides"]
    sizes = [index_of(entry, dims) for entry in x.type.shape]
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    wide = [axis for axis, entry in enumerate(window) if entry > 1]

    def term(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        coordinates = [entry * step for entry, step in zip(at, strides, strict=True)]
        for axis, entry in zip(wide, deep, strict=True):
            coordinates[axis] = coordinates[axis] + entry
        return elements.at(x, Place(sizes, coordinates))

    rank = len(shape)
    whole = bool(wide) and wide[-1] == rank - 1 and window[-1] == sizes[-1]
    return Anchor(
        node,
        tuple(shape),
        tuple(window[axis] for axis in wide),
        None if whole or not rank else rank - 1,
        None,
        attributes_of(node)["kind"],
        lambda at: at,
        term,
    )


ANCHORS: Mapping[str, Callable[[Node, Mapping[str, Expr]], Anchor]] = {
    "dot_general": dot_general,
    "conv": conv,
    "reduce": reduce,
    "reduce_window": reduce_window,
}
"""How every op of the kind `reduction` becomes loops."""
