"""Nodes as contractions: products of matrices, and convolutions in either layout."""

from collections.abc import Callable, Mapping, Sequence

from lxc.ir.node import Node
from lxc.ir.ops.contract import free_axes
from lxc.passes.nodes import attributes_of
from lxc.targets.cuda.templates.products.contraction import (
    Axis,
    Contraction,
    Dims,
    Edge,
    Operand,
    Window,
)
from lxc.targets.cuda.templates.products.counts import fewest_of, most_of
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.strided import Strided, strided


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
