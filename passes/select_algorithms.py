"""Choose how convolutions are computed: directly, or by Winograd's tiles.

Tiles are squares of cells of convolutions on blocks with 3 by 3 taps. Where channels are so
few that they are read in plain order, they are parts of rows.
"""

from collections.abc import Mapping

from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.ops.packed import blocked_conv
from lxc.ir.ops.winograd import POINTS, TAPS
from lxc.ir.ops.winograd_rows import TILE
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import DType
from lxc.passes.algorithm_costs import Convolution, RowConvolution, costs, row_costs
from lxc.passes.blocked_values import number_of
from lxc.passes.decision import Decision
from lxc.passes.fuse import PORTABLE
from lxc.passes.nodes import attributes_of, is_symbolic, producers
from lxc.passes.parameter_values import parameter_leaves
from lxc.passes.records import NO_RECORDS, Answer, Records, subject_of
from lxc.passes.single_pass import Setting
from lxc.passes.value_decisions import layers_of
from lxc.passes.winograd_nodes import by_tiles
from lxc.passes.winograd_row_nodes import by_row_tiles
from lxc.passes.winograd_row_nodes import hindrance as row_hindrance

DIRECT = "direct"
PREFIX = "winograd "
TILE_SIZES = {f"{PREFIX}{tile}x{tile}": tile for tile in POINTS}
ROW_TILES = f"{PREFIX}1x{TILE}"


def select_algorithms(
    graph: Graph, machine: Machine = PORTABLE, *, exact: bool = False
) -> Graph:
    """Compute convolutions by Winograd's tiles where that is faster.

    It is less exact than one sum per result, so `exact` leaves everything as it is.
    """
    return Selection(graph, machine, exact).graph


def select_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph for the machine of the setting, which hears of decisions."""
    choices = setting.choices
    selection = Selection(graph, setting.machine, choices.exact, choices.records)
    for decision in selection.decisions:
        setting.decide(decision)
    return selection.graph


class Selection:
    """One way through a graph; `graph` is what came out, `decisions` say why.

    `answers` are there for the convolutions that can be computed in several ways.
    """

    def __init__(
        self, graph: Graph, machine: Machine, exact: bool, records: Records = NO_RECORDS
    ) -> None:
        """Look at every node."""
        self.machine, self.exact, self.records = machine, exact, records
        self.dims = graph.dims
        self.known = parameter_leaves(graph)
        self.makers = producers(graph.nodes)
        self.decisions: list[Decision] = []
        self.answers: list[tuple[Node, Answer]] = []
        self.graph = rewrite(graph, self.rule)

    def rule(self, node: Node) -> Replacement | None:
        """Return what stands for a node, or None."""
        # Noted as they are read now: what they read may have been replaced before.
        self.makers.update(dict.fromkeys(node.results, node))
        if node.op is not blocked_conv:
            return None
        is_plain = attributes_of(node)["plain"]
        reason = self.hindrance(node) or (row_hindrance(node) if is_plain else None)
        if reason is not None:
            self.decide(node, DIRECT, reason)
            return None
        found = row_ways(node, self.machine) if is_plain else ways(node, self.machine)
        names = sorted(found, key=lambda one: found[one])
        subject = subject_of("algorithm", node, self.dims, self.machine)
        answer = self.records.answer(subject, names)
        self.answers.append((node, answer))
        name = names[answer.place]
        replacement = None
        if name == ROW_TILES:
            replacement = by_row_tiles(node, self.makers, self.machine)
            name = name if replacement else DIRECT
        elif name != DIRECT:
            replacement = by_tiles(node, TILE_SIZES[name], self.machine)
        self.decide(node, name, "; ".join(filter(None, (answer.reason, told(found)))))
        return replacement

    def hindrance(self, node: Node) -> str | None:
        """Return why a convolution cannot be done by tiles, or None."""
        x, weight = node.operands
        facts = attributes_of(node)
        if not facts["plain"]:
            if facts["groups"] != 1 or weight.type.shape[2:-2] != (TAPS, TAPS):
                return "it is no convolution of blocks with 3 by 3 taps in one group"
            if {*facts["strides"], *facts["rhs_dilation"]} != {1}:
                return "its taps or its cells lie apart"
        if x.type.dtype is not DType.F32 or is_symbolic(x.type.shape[1:]):
            return "its cells are not known, or no f32"
        if weight not in self.known:
            return "its weight does not follow from parameters alone"
        return "only exact algorithms are asked for" if self.exact else None

    def decide(self, node: Node, name: str, reason: str) -> None:
        """Note how a convolution is computed, and why."""
        x = node.operands[0]
        maker = self.makers.get(x)
        self.decisions.append(
            Decision(
                producer=str(maker.op) if maker else x.name,
                consumer=str(node.op),
                fused=name != DIRECT,
                rule=name,
                reason=reason,
                would_allow="",
                layers=(layers_of(maker), layers_of(node)),
                shapes=(str(x.type), str(node.result.type)),
                about="algorithm",
            )
        )


def sizes_of(node: Node) -> Convolution:
    """Return the sizes of a convolution on blocks for one sample."""
    x, y = node.operands[0].type, node.result.type
    outputs, *cells, lanes = map(number_of, y.shape[1:])
    inputs = number_of(x.shape[1]) * lanes
    return Convolution((cells[0], cells[1]), inputs, outputs * lanes)


def ways(node: Node, machine: Machine) -> dict[str, int]:
    """Return what a convolution on blocks costs in every way, by name."""
    found = costs(sizes_of(node), machine)
    names = {tile: name for name, tile in TILE_SIZES.items()}
    return {names.get(tile, DIRECT): cycles for tile, cycles in found.items()}


def row_ways(node: Node, machine: Machine) -> dict[str, int]:
    """Return the same for a convolution that reads plain channels."""
    _, inputs, down, across, lanes = map(number_of, node.operands[1].type.shape)
    rows, columns = map(number_of, node.result.type.shape[2:4])
    outputs = number_of(node.result.type.shape[1]) * lanes
    steps = attributes_of(node)["strides"]
    sizes = RowConvolution((rows, columns), inputs, outputs, (down, across), steps)
    direct, tiled = row_costs(sizes, machine)
    return {DIRECT: direct, ROW_TILES: tiled}


def told(found: Mapping[str, int]) -> str:
    """Return the costs in words."""
    tiles = [
        f"{cycles} for tiles of {name.removeprefix(PREFIX)}"
        for name, cycles in found.items()
        if name != DIRECT
    ]
    return f"{found[DIRECT]} cycles a sample directly, {', '.join(tiles)}"
