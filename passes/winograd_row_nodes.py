"""The nodes that stand for a convolution of few channels when rows go by tiles."""

from collections.abc import Mapping

from lxc.ir.dim import bounds
from lxc.ir.machine import Machine
from lxc.ir.minimal_filtering import ZERO, Rows, weight_rows
from lxc.ir.node import Node, Value
from lxc.ir.ops.contract import dot_general
from lxc.ir.ops.logic import cast
from lxc.ir.ops.scratch import scratch
from lxc.ir.ops.shape import reshape, transpose
from lxc.ir.ops.winograd_rows import (
    POINTS,
    TILE,
    Edges,
    filters,
    room_size,
    winograd_row_conv,
)
from lxc.ir.rewrite import Replacement
from lxc.ir.types import DType, TensorType
from lxc.passes.node_writer import NodeWriter
from lxc.passes.nodes import attributes_of
from lxc.passes.stage_groups import ROWS, edges
from lxc.passes.tile_blocks import part_of
from lxc.passes.winograd_nodes import matrix_value

BAND = 8
"""So many rows of the result at most are computed from the same transformed cells."""


def by_row_tiles(
    node: Node, made: Mapping[Value, Node], machine: Machine
) -> Replacement | None:
    """Return what stands for a plain `blocked_conv`, whose operand may be a pad.

    It is None where not even the cells of one row fit into the second-level cache.
    """
    x, weight = node.operands
    padding: Edges = ((0, 0), (0, 0))
    around = edges(x, made)
    if around is not None:
        x, ((top, bottom), (left, right)) = around
        padding = ((top, bottom), (left, right))
    strides = attributes_of(node)["strides"]
    samples, height, width = (node.result.type.shape[axis] for axis in (0, 2, 3))
    tapped = turned_type(weight.type, strides)
    most = machine.second_cache // 2 // DType.F32.bytes
    fitting = [
        band
        for band in range(1, BAND + 1)
        if room_size(x.type, tapped, strides, int(width), band) <= most
    ]
    if not fitting:
        return None
    band = part_of(int(height), min(fitting[-1], int(height)))
    size = room_size(x.type, tapped, strides, int(width), band)
    pieces = -(-int(height) // band)
    tasks = pieces * samples if isinstance(samples, int) else ROWS
    nodes = NodeWriter(node.location)
    points = turned(nodes, weight, strides)
    shape = (max(1, min(ROWS, int(tasks))), size)
    memory = nodes.made(scratch, shape=shape, dtype=x.type.dtype)
    moves = {"strides": strides, "padding": padding, "band": band}
    y = nodes.made(winograd_row_conv, x, points, memory, **moves)
    return Replacement((y,), nodes.nodes)


def turned_type(weight: TensorType, strides: tuple[int, int]) -> TensorType:
    """Return the type of a weight [O blocks, C, *taps, lanes] after its transform."""
    outputs, inputs, down, across, lanes = (bounds(entry)[1] for entry in weight.shape)
    points = sum(one.points for one in filters(across, strides[1]))
    return weight.with_shape((points, outputs, down * inputs, lanes))


def turned(nodes: NodeWriter, weight: Value, strides: tuple[int, int]) -> Value:
    """Return the transform of a weight, computed in float64."""
    wide = nodes.made(cast, weight, dtype=DType.F64)
    matrix = matrix_value(nodes, tap_rows(int(weight.type.shape[3]), strides[1]))
    found = nodes.made(
        dot_general,
        matrix,
        wide,
        lhs_batch=(),
        rhs_batch=(),
        lhs_contract=(1,),
        rhs_contract=(3,),
    )
    found = nodes.made(transpose, found, permutation=(0, 1, 3, 2, 4))
    found = nodes.made(cast, found, dtype=weight.type.dtype)
    return nodes.made(reshape, found, shape=turned_type(weight.type, strides).shape)


def tap_rows(taps: int, step: int) -> Rows:
    """Return the transform of a row of taps, [points, taps]: zero where it reads none."""
    rows: Rows = []
    for one in filters(taps, step):
        for entries in weight_rows(one.finite, one.taps):
            row = [ZERO] * taps
            row[one.first :: step] = entries
            rows.append(row)
    return rows


def hindrance(node: Node) -> str | None:
    """Return why the rows of a plain `blocked_conv` cannot go by tiles, or None."""
    facts, weight = attributes_of(node), node.operands[1].type
    if len(facts["strides"]) != 2 or {*facts["rhs_dilation"]} != {1}:
        return "it has no two axes of cells, or taps that lie apart"
    taps, step = int(weight.shape[3]), int(facts["strides"][1])
    if taps < step or max(one.points for one in filters(taps, step)) > len(POINTS) + 1:
        return f"there are no filters for tiles of {TILE} cells with so many taps"
    lanes = int(weight.shape[-1])
    return "vectors have few lanes" if lanes < TILE or lanes & (lanes - 1) else None
