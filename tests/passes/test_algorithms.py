"""Which convolutions are computed by tiles follows from their sizes and the machine."""

import pytest

from lxc.ir.builder import make_node
from lxc.ir.dim import Dim, Size
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops.packed import blocked_conv
from lxc.ir.parser import parse_graph
from lxc.ir.types import DType, TensorType
from lxc.passes import Choices, passes_named, run_passes
from lxc.passes.algorithm_costs import DIRECT, Convolution, costs
from lxc.passes.select_algorithms import select_algorithms
from lxc.passes.tile_blocks import block_of
from lxc.structure import LEAF, Structure
from lxc.targets import TARGETS

WIDE = TARGETS["x86-64-v4"].machine
MOVES = {"strides": (1, 1), "rhs_dilation": (1, 1), "groups": 1, "plain": False}

PLAIN = """
graph @m lux {
  input %x: f32[1, 12, 42, 42]
  param @0: f32[48, 12, 3, 3]
  tree params = [*]
  %0: f32[1, 48, 40, 40] = conv(%x, @0) {strides = [1, 1], padding = [[0, 0], [0, 0]], \
lhs_dilation = [1, 1], rhs_dilation = [1, 1], groups = 1}
  return %0
}"""


def convolution(channels: int, size: int, samples: Size | Dim = 1) -> Graph:
    """Return a graph with one convolution of as many channels out as in."""
    lanes = WIDE.lanes
    blocks, cells = channels // lanes, (size + 2, size + 2)
    x = Value(TensorType(DType.F32, (samples + 0, blocks, *cells, lanes)), "%x")
    weight = Value(TensorType(DType.F32, (blocks, blocks, 3, 3, lanes, lanes)), "@0")
    node = make_node(blocked_conv, (x, weight), MOVES, ())
    return Graph(
        "convolution",
        dims=(samples,) if isinstance(samples, Dim) else (),
        inputs=(x,),
        params=(weight,),
        nodes=(node,),
        outputs=node.results,
        input_tree=LEAF,
        param_tree=Structure("list", (), (LEAF,)),
        state_tree=Structure("list"),
        output_tree=LEAF,
    )


def tile_of(graph: Graph) -> int:
    """Return the tile of the only convolution, 0 if it is direct."""
    (last,) = [node for node in graph.nodes if node.op.name.endswith("conv")]
    return int(str(last.attributes.get("tile", DIRECT)))


@pytest.mark.parametrize(
    ("channels", "size", "tile"),
    [(64, 56, 4), (128, 28, 4), (256, 14, 2), (512, 7, 2), (16, 56, 4), (64, 2, 0)],
)
def test_tiles_are_small_where_weights_are_many_and_cells_are_few(
    channels: int, size: int, tile: int
) -> None:
    assert tile_of(select_algorithms(convolution(channels, size), WIDE)) == tile


@pytest.mark.parametrize(
    ("channels", "size", "block"),
    [(64, 56, 28), (128, 28, 49), (256, 14, 49), (512, 7, 16)],
)
def test_weights_that_do_not_stay_in_the_cache_are_read_for_few_blocks(
    channels: int, size: int, block: int
) -> None:
    *_, last = select_algorithms(convolution(channels, size), WIDE).nodes
    assert last.attributes["block"] == block


def test_the_algorithm_does_not_depend_on_the_batch() -> None:
    batch = Dim("N", 1, 500)
    for channels, size in ((64, 56), (512, 7), (256, 14)):
        found = {
            tile_of(select_algorithms(convolution(channels, size, samples), WIDE))
            for samples in (1, 64, batch)
        }
        assert len(found) == 1


def test_exact_compilation_leaves_every_convolution_as_it_is() -> None:
    graph = convolution(64, 56)
    assert select_algorithms(graph, WIDE, exact=True) is graph
    outcome = run_passes(
        graph,
        passes_named(["select-algorithms"]),
        machine=WIDE,
        choices=Choices(exact=True),
    )
    assert outcome.program is graph
    (decision,) = outcome.decisions
    assert "only exact algorithms are asked for" in str(decision)
    assert str(decision).startswith("direct")


@pytest.mark.parametrize("exact", [False, True])
def test_channels_are_brought_into_blocks_for_the_sake_of_tiles(exact: bool) -> None:
    outcome = run_passes(
        parse_graph(PLAIN),
        passes_named(["assign-layouts", "select-algorithms"]),
        machine=WIDE,
        choices=Choices(exact=exact),
    )
    assert isinstance(outcome.program, Graph)
    (found,) = [n for n in outcome.program.nodes if n.op.name.endswith("conv")]
    assert found.op.name == ("blocked_conv" if exact else "winograd_conv")
    assert found.attributes.get("plain", False) is exact


def test_a_decision_tells_the_costs() -> None:
    graph = convolution(64, 56)
    outcome = run_passes(graph, passes_named(["select-algorithms"]), machine=WIDE)
    (decision,) = outcome.decisions
    found = costs(Convolution((56, 56), 64, 64), WIDE)
    assert str(decision).startswith("winograd")
    assert decision.rule == "winograd 4x4"
    assert all(str(cycles) in decision.reason for cycles in found.values())


ROWS = """
graph @m lux {
  input %x: f32[1, CHANNELS, 224, WIDTH]
  param @0: f32[64, CHANNELS, TAPS, TAPS]
  tree params = [*]
  %0: f32[] = constant() {dtype = f32, shape = [], value = [0x0p+0]}
  %1: f32[1, CHANNELS, 230, PADDED] = pad(%x, %0) {low = [0, 0, 3, 3], \
high = [0, 0, 3, 3], interior = [0, 0, 0, 0]}
  %2: f32[1, 64, DOWN, ACROSS] = conv(%1, @0) {strides = [2, 2], \
padding = [[0, 0], [0, 0]], lhs_dilation = [1, 1], rhs_dilation = [1, 1], groups = 1}
  return %2
}"""


def first_of(channels: int, taps: int, width: int = 224, *, exact: bool = False) -> Node:
    """Return the only convolution of a graph like the beginning of a network for images."""
    text = ROWS
    for word, number in {
        "CHANNELS": channels,
        "TAPS": taps,
        "PADDED": width + 6,
        "WIDTH": width,
        "DOWN": (230 - taps) // 2 + 1,
        "ACROSS": (width + 6 - taps) // 2 + 1,
    }.items():
        text = text.replace(word, str(number))
    outcome = run_passes(
        parse_graph(text),
        passes_named(["assign-layouts", "select-algorithms", "eliminate-dead"]),
        machine=WIDE,
        choices=Choices(exact=exact),
    )
    assert isinstance(outcome.program, Graph)
    (found,) = [n for n in outcome.program.nodes if n.op.name.endswith("conv")]
    return found


@pytest.mark.parametrize(
    ("channels", "taps", "op"),
    [
        (3, 7, "winograd_row_conv"),
        (1, 7, "winograd_row_conv"),
        (3, 5, "winograd_row_conv"),
        (3, 3, "blocked_conv"),
        (3, 9, "blocked_conv"),
    ],
)
def test_rows_of_few_channels_go_by_tiles_if_taps_are_many(
    channels: int, taps: int, op: str
) -> None:
    assert first_of(channels, taps).op.name == op
    assert first_of(channels, taps, exact=True).op.name == "blocked_conv"


@pytest.mark.parametrize(("width", "band"), [(224, 8), (1280, 4), (2048, 2), (20000, None)])
def test_the_rows_of_a_band_stay_in_the_cache(width: int, band: int | None) -> None:
    found = first_of(3, 7, width)
    assert found.attributes.get("band") == band
    if band:
        assert found.attributes["padding"] == ((3, 3), (3, 3))
        assert found.operands[0].name == "%x"
        assert int(found.operands[2].type.shape[1]) * 4 <= WIDE.second_cache // 2


@pytest.mark.parametrize(
    ("most", "block"),
    [
        (1, (1, 1, 1)),
        (3, (1, 1, 2)),
        (5, (1, 1, 5)),
        (6, (1, 1, 5)),
        (20, (1, 2, 10)),
        (39, (1, 2, 10)),
        (40, (1, 4, 10)),
        (119, (2, 4, 10)),
        (999, (6, 4, 10)),
    ],
)
def test_blocks_of_tiles_are_whole_samples_rows_or_parts_of_rows(
    most: int, block: tuple[int, int, int]
) -> None:
    found = block_of(Dim("N", 1, 6) + 0, 4, 10, most)
    assert (found.samples, found.rows, found.columns) == block
    assert found.tiles <= most
