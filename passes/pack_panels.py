"""Bring the columns of weights into panels as wide as a vector register."""

from collections.abc import Mapping
from math import prod

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.machine import LARGEST_SECOND_CACHE, Machine
from lxc.ir.node import Location, Node, Value
from lxc.ir.ops.contract import dot_general
from lxc.ir.ops.packed import packed_dot
from lxc.ir.ops.paired import paired_dot
from lxc.ir.ops.shape import pad, reshape, transpose
from lxc.ir.types import DType
from lxc.passes.fuse import PORTABLE
from lxc.passes.nodes import attributes_of, scalar
from lxc.passes.pair_layout import PairLayout
from lxc.passes.single_pass import Setting
from lxc.passes.weight_packer import Packing, pack

FEWEST_COLUMNS = 4
"""Fewer columns than this are summed up along the contracted axes instead."""
PACKED = (DType.F32, DType.F16, DType.BF16)
WIDE = 4
"""So many vectors wide are panels of which a single row is read, ...

if they come from the second-level cache: there one long run is read faster than several
short ones. Nearer and farther away it is the other way round.
"""


def pack_panels(graph: Graph, machine: Machine = PORTABLE) -> Graph:
    """Pack each parameter-only weight of a product into panels of one vector of columns.

    Some weights that only one row is multiplied with have wider ones. A panel lies in
    memory as it is read: for every step along the contracted axes one vector, or for every
    two steps if the factors are bfloat16 and the sums are not. Columns that do not fill the
    last panel are followed by zeros.
    """

    def panels_of(node: Node, made: Mapping[Value, Node]) -> Packing | None:
        return panels(node, machine)

    return pack(graph, panels_of)


def pack_panels_for(graph: Graph, setting: Setting) -> Graph:
    """Pack for the machine of the setting."""
    return pack_panels(graph, setting.machine)


def panels(node: Node, machine: Machine) -> Packing | None:
    """Return how the weight of a product becomes panels, if its axes are in order."""
    if node.op is not dot_general or node.operands[0].type.dtype not in PACKED:
        return None
    facts = attributes_of(node)
    weight = node.operands[1]
    depth = len(facts["rhs_contract"])
    batch = weight.type.shape[: len(facts["rhs_batch"])]
    contract = weight.type.shape[len(batch) : len(batch) + depth]
    free = weight.type.shape[len(batch) + depth :]
    in_order = (*facts["rhs_batch"], *facts["rhs_contract"])
    sizes = [entry for entry in weight.type.shape if isinstance(entry, int)]
    columns = prod(sizes[len(batch) + depth :])
    if (
        len(sizes) < weight.type.rank
        or in_order != tuple(range(len(batch) + depth))
        or columns < FEWEST_COLUMNS
        or 0 in sizes
    ):
        return None

    lanes = machine.lanes
    if is_read_in_runs(node, columns, machine):
        lanes *= WIDE
    in_pairs = weight.type.dtype is DType.BF16 and node.result.type.dtype is DType.F32

    def build(source: Value, location: Location) -> list[Node]:
        if in_pairs:
            pairs = PairLayout(location)
            pairs.panels(source, batch, prod(sizes[len(batch) :][:depth]), lanes)
            return pairs.nodes
        leading = (*batch, *contract)
        return panel_nodes(source, leading, len(batch), columns, lanes, location)

    def read(reader: Node, packed: Value) -> list[Node]:
        attributes = {name: facts[name] for name in ("lhs_batch", "lhs_contract")}
        attributes["columns"] = columns
        operands = (reader.operands[0], packed)
        op = paired_dot if in_pairs else packed_dot
        product = make_node(op, operands, attributes, (), reader.location)
        if len(free) == 1:
            return [product]
        shape = {"shape": reader.result.type.shape}
        return [product, make_node(reshape, (product.result,), shape, (), reader.location)]

    return Packing(weight, (len(batch), depth, in_pairs, lanes), build, read)


def is_read_in_runs(node: Node, columns: int, machine: Machine) -> bool:
    """Return whether one row is multiplied with a weight in the second-level cache."""
    weight = node.operands[1].type
    near, far = machine.first_cache, LARGEST_SECOND_CACHE
    return (
        weight.dtype is DType.F32
        and columns % (WIDE * machine.lanes) == 0
        and node.result.type.element_count == columns
        and near < weight.max_bytes <= far
    )


def panel_nodes(
    weight: Value,
    leading: tuple[object, ...],
    batches: int,
    columns: int,
    lanes: int,
    location: Location,
) -> list[Node]:
    """Return the nodes that bring columns behind other axes into panels."""
    nodes: list[Node] = []
    panel_count = -(-columns // lanes)

    def shaped(source: Value, shape: tuple[object, ...]) -> Value:
        if source.type.shape == shape:
            return source
        nodes.append(make_node(reshape, (source,), {"shape": shape}, (), location))
        return nodes[-1].result

    flat = weight
    missing = panel_count * lanes - columns
    if missing:
        flat = shaped(weight, (*leading, columns))
        nought = 0.0 if weight.type.dtype.is_float else 0
        zero = scalar(nought, weight.type, location)
        nothing = (0,) * len(leading)
        edges = {
            "low": (*nothing, 0),
            "high": (*nothing, missing),
            "interior": (*nothing, 0),
        }
        nodes += [zero, make_node(pad, (flat, zero.result), edges, (), location)]
        flat = nodes[-1].result
    split = shaped(flat, (*leading, panel_count, lanes))
    rank, last = len(leading), len(leading)
    order = (*range(batches), last, *range(batches, rank), last + 1)
    turned = {"permutation": order}
    nodes.append(make_node(transpose, (split,), turned, (), location))
    return nodes
