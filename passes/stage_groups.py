"""Let convolutions of plain channels copy what they read, part by part."""

from collections.abc import Mapping
from math import prod

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value
from lxc.ir.ops.contract import conv
from lxc.ir.ops.scratch import scratch
from lxc.ir.ops.shape import constant, pad
from lxc.ir.ops.staged import staged_conv, staged_size
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import DType
from lxc.passes.fuse import PORTABLE
from lxc.passes.nodes import attributes_of, is_symbolic
from lxc.passes.plain_convolutions import runs_along_cells
from lxc.passes.single_pass import Setting
from lxc.passes.stage_cells import stretched

ROWS = 16
"""So many groups at most are worked at by as many threads at a time."""

Padding = tuple[tuple[int, int], ...]


def stage_groups(graph: Graph, machine: Machine = PORTABLE) -> Graph:
    """Let grouped convolutions of plain channels copy a group at a time with its edges.

    The copy stays in the caches, where a padded tensor would have to go to memory. Steps
    along the last axis are taken by copies too, which bring together what a vector reads.
    Convolutions with one tap copy some cells of all channels at a time.
    """
    made: dict[Value, Node] = {}

    def rule(node: Node) -> Replacement | None:
        # Noted as they are read now: what they read may have been replaced before.
        made.update(dict.fromkeys(node.results, node))
        return staged(node, made, machine)

    return rewrite(graph, rule)


def stage_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph for the machine of the setting."""
    return stage_groups(graph, setting.machine)


def staged(node: Node, made: Mapping[Value, Node], machine: Machine) -> Replacement | None:
    """Return what stands for a convolution, or None where it stays."""
    if node.op is not conv:
        return None
    if not is_grouped(node, machine):
        return stretched(node, machine)
    x, weight = node.operands
    facts = attributes_of(node)
    padding = ((0, 0),) * len(facts["strides"])
    around = edges(x, made)
    if around is not None:
        x, padding = around
    elif facts["strides"][-1] == 1:
        return None
    size = staged_size(x.type, weight.type, facts["strides"], padding)
    fitting = machine.second_cache // 2 // max(1, int(size) * x.type.dtype.bytes)
    if fitting < 1:
        return None
    samples = x.type.shape[0]
    groups = facts["groups"] * samples if isinstance(samples, int) else ROWS
    shape = (max(1, min(ROWS, fitting, groups)), size)
    memory = make_node(
        scratch, (), {"shape": shape, "dtype": x.type.dtype}, (), node.location
    )
    changed = {
        "strides": facts["strides"],
        "padding": padding,
        "rhs_dilation": facts["rhs_dilation"],
        "groups": facts["groups"],
    }
    operands = (x, weight, memory.result)
    found = make_node(staged_conv, operands, changed, (), node.location)
    return Replacement(found.results, (memory, found))


def is_grouped(node: Node, machine: Machine) -> bool:
    """Return whether a convolution has groups of known sizes and vectors along cells."""
    facts = attributes_of(node)
    x, weight = (operand.type for operand in node.operands)
    sizes = (*x.shape[1:], *weight.shape)
    bare = not any(map(any, facts["padding"])) and set(facts["lhs_dilation"]) == {1}
    return (
        facts["groups"] > 1
        and facts["weight_order"] == "oi"
        and (x.dtype, node.result.type.dtype) == (DType.F32, DType.F32)
        and not is_symbolic(sizes)
        and prod(int(size) for size in sizes) > 0
        and bare
        and along_cells(node, machine.lanes)
    )


def along_cells(node: Node, lanes: int) -> bool:
    """Return whether vectors run along the cells, be they read step by step or not."""
    side_by_side = make_node(
        conv,
        node.operands,
        {**node.attributes, "strides": (1,) * len(attributes_of(node)["strides"])},
        (),
        node.location,
    )
    return runs_along_cells(side_by_side, lanes)


def edges(x: Value, made: Mapping[Value, Node]) -> tuple[Value, Padding] | None:
    """Return what is padded with zeros around its cells, and how much, if `x` is that."""
    maker = made.get(x)
    if maker is None or maker.op is not pad:
        return None
    facts = attributes_of(maker)
    filling = made.get(maker.operands[1])
    if filling is None or filling.op is not constant:
        return None
    ends = tuple(zip(facts["low"], facts["high"], strict=True))
    numbers = all(isinstance(entry, int) and entry >= 0 for pair in ends for entry in pair)
    is_zero = attributes_of(filling)["value"] == (0.0,)
    if not is_zero or not numbers or any(facts["interior"]) or any(map(any, ends[:2])):
        return None
    return maker.operands[0], ends[2:]
