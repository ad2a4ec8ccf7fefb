"""Products of matrices as loops."""

from collections.abc import Mapping
from math import prod

from lxc.ir.node import Node, Value
from lxc.ir.ops.contract import free_axes
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.anchors import Anchor, Coordinates, Factor, ordered
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.storage import computed
from lxc.targets.tvm_api import Expr, Index, cast


def dot_general(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
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
    split = batches + len(rows)

    def left(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        place = ordered(left_order, (*at[:split], *deep))
        return elements.at(lhs, Place(elements.shape_of(lhs), place))

    def right(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        place = ordered(right_order, (*at[:batches], *at[split:], *deep))
        return as_factor(node, elements.at(rhs, Place(elements.shape_of(rhs), place)))

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
        (
            Factor(left, frozenset(range(split))),
            Factor(right, frozenset({*range(batches), *range(split, rank)})),
        ),
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


def packed_dot(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a product with a packed right side: loops over batch, rows, panel and lane.

    Rows of several axes are walked as one where they lie in memory one after the other.
    """
    lhs, rhs = node.operands
    batch, contract = attributes_of(node)["lhs_batch"], attributes_of(node)["lhs_contract"]
    free = free_axes(lhs.type.rank, batch, contract)
    order = (*batch, *free, *contract)
    sizes = [index_of(entry, dims) for entry in lhs.type.shape]
    packed = [index_of(entry, dims) for entry in rhs.type.shape]
    lanes, batches = packed[-1], len(batch)
    free_sizes = [sizes[axis] for axis in free]
    joins = lhs in source.buffers and order == tuple(range(lhs.type.rank))
    rows = [product(free_sizes)] if joins else free_sizes
    end = batches + len(rows)
    depth = [0 for _ in contract]

    def row_axes(at: Coordinates) -> Coordinates:
        inner = at[batches:end]
        return unravel(inner[0], free_sizes) if joins else tuple(inner)

    def left(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        if joins:
            place = Place(sizes, position=joined_position(at, deep))
        else:
            place = Place(sizes, ordered(order, (*at[:end], *deep)))
        return elements.at(lhs, place)

    def joined_position(at: Coordinates, deep: Coordinates) -> Index:
        depth = [sizes[axis] for axis in contract]
        shape = [*(sizes[axis] for axis in batch), rows[0], *depth]
        return Place(shape, (*at[:end], *deep)).position

    def right(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
        place = Place(packed, (*at[:batches], at[end], *deep, at[end + 1]))
        return as_factor(node, elements.at(rhs, place))

    return Anchor(
        node,
        (*(sizes[axis] for axis in batch), *rows, packed[batches], lanes),
        tuple(sizes[axis] for axis in contract),
        end + 1,
        end - 1 if rows else None,
        "add",
        lambda at: (*at[:batches], *row_axes(at), at[end] * lanes + at[end + 1]),
        (
            Factor(left, frozenset(range(end))),
            Factor(right, frozenset({*range(batches), end, end + 1})),
        ),
        block=end,
        valid=attributes_of(node)["columns"],
        row_bytes=row_bytes(lhs, len(contract)),
        panel_weight=rhs,
        panel_place=lambda at: Place(packed, (*at[:batches], at[end], *depth, 0)).position,
    )


def as_factor(node: Node, element: Expr) -> Expr:
    """Return an element of the second operand in the type that sums are kept in."""
    held = computed(node.result.type.dtype)
    return element if computed(node.operands[1].type.dtype) == held else cast(held, element)


def row_bytes(lhs: Value, contracted: int) -> int:
    """Return how far apart rows lie if the last axes are contracted; 0 if not known."""
    sizes = [entry for entry in lhs.type.shape[-contracted:] if isinstance(entry, int)]
    known = contracted and len(sizes) == contracted
    return prod(sizes) * lhs.type.dtype.bytes if known else 0
