"""Products of pairs of bfloat16 as loops."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from lxc.errors import InternalError
from lxc.ir.node import Node
from lxc.ir.ops.contract import free_axes
from lxc.ir.ops.paired import PAIR
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.anchors import Anchor, Coordinates, Factor
from lxc.targets.kernels.convolutions.blocked import cells_read, reads_in_order
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.pairs.factors import Pairs
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.strided import strided
from lxc.targets.tvm_api import Expr, Index


def paired_dot(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a product of pairs: loops over batch, rows, panel and lane.

    Rows of several axes are walked as one where they lie in memory one after the other.
    """
    lhs, rhs = node.operands
    batch, contract = attributes_of(node)["lhs_batch"], attributes_of(node)["lhs_contract"]
    free = free_axes(lhs.type.rank, batch, contract)
    sizes = [index_of(entry, dims) for entry in lhs.type.shape]
    packed = [index_of(entry, dims) for entry in rhs.type.shape]
    view, batches = strided(source, lhs, dims), len(batch)
    in_order = (*batch, *free, *contract) == tuple(range(lhs.type.rank))
    joins = lhs in source.buffers and in_order and len(free) > 0
    free_sizes = [sizes[axis] for axis in free]
    rows = [product(free_sizes)] if joins else free_sizes
    end = batches + len(rows)
    deep_sizes = [sizes[axis] for axis in contract]
    terms = numbers(deep_sizes)

    def cells(at: Coordinates) -> Sequence[Index]:
        inner = at[batches:end]
        return unravel(inner[0], free_sizes) if joins else inner

    def position(at: Coordinates, term: Index) -> Index:
        if joins:
            shape = [*(sizes[axis] for axis in batch), rows[0], product(deep_sizes)]
            return Place(shape, (*at[:end], term)).position
        along = (*at[:batches], *at[batches:end], *unravel(term, deep_sizes))
        steps = (view.steps[axis] for axis in (*batch, *free, *contract))
        total = view.start
        for entry, step in zip(along, steps, strict=True):
            total = total + entry * step
        return total

    def weight_at(at: Coordinates, deep: Coordinates) -> Index:
        place = (*at[:batches], at[end], deep[-1], at[end + 1], 0)
        return Place(packed, place).position

    pairs = Pairs(
        view.buffer,
        lambda at, deep: position(at, deep[-1] * PAIR),
        lambda at, deep: position(at, deep[-1] * PAIR + 1),
        (product(deep_sizes) if joins else view.steps[free[-1]]) if free else 0,
        is_dense([view.steps[axis] for axis in contract], deep_sizes),
        source.buffers[rhs],
        weight_at,
        terms,
    )
    return Anchor(
        node,
        (*(sizes[axis] for axis in batch), *rows, packed[batches], packed[-2]),
        (terms // PAIR,),
        end + 1,
        end - 1 if rows else None,
        "add",
        lambda at: (*at[:batches], *cells(at), at[end] * packed[-2] + at[end + 1]),
        (
            Factor(unpulled, frozenset(range(end))),
            Factor(unpulled, frozenset({*range(batches), end, end + 1})),
        ),
        block=end,
        valid=attributes_of(node)["columns"],
        row_bytes=terms * lhs.type.dtype.bytes,
        panel_weight=rhs,
        panel_place=lambda at: weight_at(at, (0,)),
        pairs=pairs,
    )


def paired_conv(node: Node, dims: Mapping[str, Expr], source: Source) -> Anchor:
    """Return a convolution of blocks of pairs: sample, group, block, cells and lane.

    Cells of a convolution that reads each of them once, one after the other, are one axis.
    Where the taps along the last axis read cells that lie side by side, the channels of all
    of them are one run of pairs.
    """
    x, weight = node.operands
    groups = attributes_of(node)["groups"]
    kernel = [index_of(entry, dims) for entry in weight.type.shape]
    shape = [index_of(entry, dims) for entry in node.result.type.shape]
    blocks, lanes, space = shape[1] // groups, shape[-1], shape[2:-1]
    taps, strides, rank = kernel[2:-3], attributes_of(node)["strides"], len(space)
    joins = reads_in_order(node, taps, source)
    cells = [product(space)] if joins else space
    view, last = strided(source, x, dims), 3 + len(cells)
    beside, inner_lanes = attributes_of(node)["rhs_dilation"][-1] == 1, PAIR * kernel[-3]
    runs = beside and is_dense(view.steps[-2:], [taps[-1], inner_lanes])
    depth = [*kernel[1:-4], taps[-1] * kernel[-3]] if runs else kernel[1:-2]

    def spread(at: Coordinates) -> Sequence[Index]:
        return unravel(at[3], space) if joins else at[3:-1]

    def tap_of(deep: Coordinates) -> Coordinates:
        return (*deep[:-1], 0, deep[-1]) if runs else deep

    def row_at(at: Coordinates, deep: Coordinates) -> Index:
        inner, *tap, pair = tap_of(deep)
        block = at[1] * kernel[1] + inner
        if joins:
            outer = Place((shape[0], kernel[1] * groups, cells[0], inner_lanes))
            return Place(outer.shape, (at[0], block, at[3], pair * PAIR)).position
        where = cells_read(node, spread(at), tap)
        return view.position(at[0], block, *where, pair * PAIR)

    def weight_at(at: Coordinates, deep: Coordinates) -> Index:
        place = (at[1] * blocks + at[2], *tap_of(deep), at[-1], 0)
        return Place(kernel, place).position

    pairs = Pairs(
        view.buffer,
        row_at,
        lambda at, deep: row_at(at, deep) + view.steps[-1],
        inner_lanes if joins else view.steps[-2] * strides[-1],
        is_dense(view.steps[-1:], [inner_lanes]),
        source.buffers[weight],
        weight_at,
        PAIR * numbers(depth[-1:]),
        0 if joins or rank < 2 else view.steps[-3] * strides[-2],
    )
    return Anchor(
        node,
        (shape[0], groups, blocks, *cells, lanes),
        tuple(depth),
        last,
        last - 1,
        "add",
        lambda at: (at[0], at[1] * blocks + at[2], *spread(at), at[-1]),
        (
            Factor(unpulled, frozenset({0, 1, *range(3, last)})),
            Factor(unpulled, frozenset({1, 2, last})),
        ),
        block=2,
        inner=tuple(range(3, last - 1)),
        panel_weight=weight,
        panel_place=lambda at: weight_at(at, [0] * len(depth)),
        pairs=pairs,
    )


def unpulled(elements: Elements, at: Coordinates, deep: Coordinates) -> Expr:
    """Refuse to give single factors: they are read two and two."""
    raise InternalError("code generation", "a product of pairs has no single factors")


def numbers(sizes: Sequence[Index]) -> int:
    """Return the product of sizes that are plain numbers, as those of weights are."""
    total = product(sizes)
    if isinstance(total, int):
        return total
    raise InternalError("code generation", "a product of pairs has unknown terms")


def is_dense(steps: Sequence[Index], sizes: Sequence[int]) -> bool:
    """Return whether the elements along some axes lie one after the other."""
    known = [step if isinstance(step, int) else 0 for step in steps]
    inner = zip(pairwise(known), sizes[1:], strict=True)
    return known[-1:] == [1] and all(one == two * n for (one, two), n in inner)
