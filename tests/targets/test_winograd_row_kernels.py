"""Kernels of convolutions by tiles of rows: sizes, edges, steps, and what follows."""

from pathlib import Path

import numpy as np
import pytest

from lxc.ir.graph import Graph
from lxc.ir.ops.winograd_rows import filters, room_size
from lxc.ir.parser import parse_graph
from lxc.ir.types import DType, TensorType
from lxc.targets import TARGETS
from tests.targets.backends import Compiled, compiled
from tests.targets.test_packed_kernels import check

TEXT = """
graph @rows lux {
  dim N: 1..5
  input %x.0: f32[N, CHANNELS, HEIGHT, WIDTH]
  param @0: f32[POINTS, BLOCKS, DEPTH, LANES]
  param @1: f32[BLOCKS, LANES]
  tree inputs = [*]
  tree params = [*, *]
  tree state = []
  tree outputs = [*, *]

  %0: f32[ROOMS, SIZE] = scratch() {shape = [ROOMS, SIZE], dtype = f32}
  %1: f32[N, BLOCKS, DOWN, ACROSS, LANES] = winograd_row_conv(%x.0, @0, %0) \
{strides = STRIDES, padding = PADDING, band = BAND}
  %2: f32[N, BLOCKS, DOWN, ACROSS, LANES] = broadcast(@1) \
{shape = [N, BLOCKS, DOWN, ACROSS, LANES], axes = [1, 4]}
  %3: f32[N, BLOCKS, DOWN, ACROSS, LANES] = add(%1, %2)
  %4: f32[N, BLOCKS, DOWN, ACROSS, LANES] = LAST
  %5: f32[] = constant() {dtype = f32, shape = [], value = [0x1p-1]}
  %6: f32[N, BLOCKS, PADDED, WIDER, LANES] = pad(%4, %5) {low = [0, 0, 1, 0, 0], \
high = [0, 0, 2, 1, 0], interior = [0, 0, 0, 0, 0]}
  %7: f32[N, BLOCKS, LANES] = reduce(%6) {kind = "max", axes = [2, 3]}
  return %6, %7
}
"""
Pair = tuple[int, int]
Sizes = tuple[int, Pair, Pair, Pair, tuple[Pair, Pair]]
"""Channels, cells, taps, strides and padding."""
STEM: Sizes = (3, (17, 40), (7, 7), (2, 2), ((3, 3), (3, 2)))
WIDE: Sizes = (2, (9, 300), (5, 5), (2, 2), ((2, 0), (0, 3)))
LONG: Sizes = (1, (12, 70), (3, 11), (3, 4), ((0, 0), (4, 4)))
DENSE: Sizes = (4, (6, 9), (3, 3), (1, 1), ((1, 1), (1, 1)))
SHORT: Sizes = (2, (3, 2), (2, 2), (1, 1), ((0, 0), (0, 0)))


def text_of(
    level: Compiled, sizes: Sizes, band: int, rooms: int, last: str, blocks: int = 3
) -> str:
    """Return a graph with blocks of the level's lanes, written for some sizes."""
    lanes = TARGETS[level.name].machine.lanes
    channels, cells, taps, strides, padding = sizes
    points = sum(one.points for one in filters(taps[1], strides[1]))
    moves = zip(cells, taps, strides, padding, strict=True)
    down, across = ((n + low + high - t) // s + 1 for n, t, s, (low, high) in moves)
    x = TensorType(DType.F32, (1, channels, *cells))
    weight = TensorType(DType.F32, (points, blocks, taps[0] * channels, lanes))
    numbers = {
        "CHANNELS": channels,
        "HEIGHT": cells[0],
        "WIDTH": cells[1],
        "POINTS": points,
        "BLOCKS": blocks,
        "DEPTH": taps[0] * channels,
        "LANES": lanes,
        "ROOMS": rooms,
        "SIZE": room_size(x, weight, strides, across, band),
        "DOWN": down,
        "ACROSS": across,
        "PADDED": down + 3,
        "WIDER": across + 1,
        "STRIDES": list(strides),
        "PADDING": [list(pair) for pair in padding],
        "BAND": band,
        "LAST": last,
    }
    text = TEXT
    for word, number in numbers.items():
        text = text.replace(word, str(number))
    return text


@pytest.mark.parametrize("level", compiled())
@pytest.mark.parametrize(
    ("sizes", "band", "rooms"),
    [(STEM, 8, 3), (STEM, 3, 16), (WIDE, 2, 2), (LONG, 1, 1), (DENSE, 4, 2), (SHORT, 9, 1)],
    ids=str,
)
def test_convolutions_by_tiles_of_rows_are_right(
    sizes: Sizes, band: int, rooms: int, level: Compiled, tmp_path: Path
) -> None:
    text = text_of(level, sizes, band, rooms, "maximum(%3, %2)")
    check(text, level, tmp_path, [1, 2, 5])


@pytest.mark.parametrize("level", compiled())
def test_a_long_end_of_a_kernel_is_right(level: Compiled, tmp_path: Path) -> None:
    text = text_of(level, STEM, 4, 2, "logistic(%3) {fast = false}")
    check(text, level, tmp_path, [1, 2])


@pytest.mark.parametrize("level", compiled())
def test_many_output_channels_are_right(level: Compiled, tmp_path: Path) -> None:
    check(text_of(level, STEM, 4, 2, "maximum(%3, %2)", 11), level, tmp_path, [2])


@pytest.mark.parametrize("level", compiled()[-1:])
def test_the_band_of_a_row_changes_no_bit(level: Compiled, tmp_path: Path) -> None:
    results = []
    for band in (1, 3, 9):
        graph = parse_graph(text_of(level, STEM, band, 2, "negate(%3)"))
        rng = np.random.default_rng(4)
        found, _ = level.load(graph, tmp_path).run(*drawn(rng, graph))
        results.append(found)
    for others in results[1:]:
        for one, same in zip(results[0], others, strict=True):
            np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("level", compiled()[-1:])
def test_a_cell_that_is_not_finite_stays_in_its_tiles(
    level: Compiled, tmp_path: Path
) -> None:
    graph = parse_graph(text_of(level, STEM, 4, 2, "negate(%3)"))
    inputs, params = drawn(np.random.default_rng(5), graph)
    runner = level.load(graph, tmp_path)
    (clean, _), _ = runner.run(inputs, params)
    inputs[0][1, 1, 8, 20] = np.inf
    (found, _), _ = runner.run(inputs, params)
    touched = np.zeros(found.shape, np.bool_)
    # Rows 3 to 5 read row 8, and stand one further down in what is padded. Of all tiles
    # only that of columns 8 to 11 reads column 20: it reads columns 13 to 25.
    touched[1, :, 4:7, 8:12] = True
    np.testing.assert_array_equal(found[~touched], clean[~touched])
    assert not np.isfinite(found[1, :, 4:7, 9:12]).any()


def drawn(
    rng: np.random.Generator, graph: Graph
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return inputs for three samples, and parameters."""
    shape = (3, *map(int, graph.inputs[0].type.shape[1:]))
    inputs = [rng.standard_normal(shape).astype("f4")]
    return inputs, [
        rng.standard_normal(value.type.shape).astype("f4") for value in graph.params
    ]


def test_the_report_names_the_size_of_a_tile(tmp_path: Path) -> None:
    level = Compiled("x86-64-v2")
    graph = parse_graph(text_of(level, STEM, 2, 2, "negate(%3)"))
    record, _ = level.load(graph, tmp_path).model.target.kernels
    assert record["algorithm"] == "winograd 1x4"
    assert record["ops"] == "winograd_row_conv+add+negate+pad"
