"""Let convolutions with one tap copy a stretch of cells of all channels at a time."""

from math import prod

from lxc.ir.builder import make_node
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.ops.contract import conv
from lxc.ir.ops.scratch import scratch
from lxc.ir.ops.staged import one_tap, stretched_conv
from lxc.ir.rewrite import Replacement
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of, is_symbolic
from lxc.passes.plain_convolutions import bytes_read, runs_along_cells

STRETCH = 8
"""So many vectors of cells are copied at a time: several lines of memory in a row, ..."""
SHORTEST = 4
"""... and where fewer of all channels fit into the cache, nothing is copied."""
FEWEST_OUTPUTS = 48
"""For fewer output channels, a copy takes longer than what it saves."""
FEWEST_INPUTS = 96
"""The pages of fewer channels are found without delay, one after the other."""
FEWEST_ALIGNED = 512
"""The same where every vector that is read can lie in one line."""
TASKS = 8
"""So many stretches at most are worked at by as many threads at a time."""


def stretched(node: Node, machine: Machine) -> Replacement | None:
    """Return what stands for a convolution with one tap, or None where it stays."""
    if not reads_far(node, machine):
        return None
    x, weight = node.operands
    groups = attributes_of(node)["groups"]
    samples, _, *space = x.type.shape
    inputs, lanes = int(weight.type.shape[1]), machine.lanes
    row = inputs * lanes * x.type.dtype.bytes
    vectors = min(STRETCH, machine.second_cache // 2 // row)
    cells = prod(int(entry) for entry in space)
    whole = -(-cells // lanes)
    if vectors < min(SHORTEST, whole):
        return None
    vectors = min(vectors, whole)
    tasks = TASKS
    if isinstance(samples, int):
        tasks = min(TASKS, samples * groups * -(-whole // vectors))
    shape = (max(1, tasks), inputs * vectors * lanes)
    memory = make_node(
        scratch, (), {"shape": shape, "dtype": x.type.dtype}, (), node.location
    )
    operands = (x, weight, memory.result)
    found = make_node(stretched_conv, operands, {"groups": groups}, (), node.location)
    return Replacement(found.results, (memory, found))


def reads_far(node: Node, machine: Machine) -> bool:
    """Return whether a convolution has one tap, and channels that lie far apart."""
    facts = attributes_of(node)
    x, weight = (operand.type for operand in node.operands)
    sizes = (*x.shape[1:], *weight.shape)
    if (
        node.op is not conv
        or facts["weight_order"] != "oi"
        or (x.dtype, weight.dtype, node.result.type.dtype) != (DType.F32,) * 3
        or is_symbolic(sizes)
        or any(entry != 1 for entry in weight.shape[2:])
        or any(
            facts[name] != fact
            for name, fact in one_tap(facts["groups"], x.rank - 2).items()
        )
    ):
        return False
    cells = prod(int(entry) for entry in x.shape[2:])
    fewest = FEWEST_INPUTS if cells % machine.lanes else FEWEST_ALIGNED
    return (
        int(weight.shape[0]) // facts["groups"] >= FEWEST_OUTPUTS
        and int(weight.shape[1]) >= fewest
        and bytes_read(node) > machine.second_cache
        and runs_along_cells(node, machine.lanes)
    )
