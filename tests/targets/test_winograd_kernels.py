"""Kernels of Winograd convolutions: sizes of tiles and blocks, and what follows."""

from pathlib import Path

import numpy as np
import pytest

from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.targets import TARGETS
from lxc.targets.kernels.winograd.kernel import in_strips
from lxc.targets.kernels.winograd.products import depth_of
from tests.targets.backends import Compiled, compiled
from tests.targets.test_packed_kernels import check

HEAD = """
graph @winograd lux {
  dim N: 1..5
  input %x.0: f32[N, INPUTS, HEIGHT, WIDTH, L]
  input %x.1: f32[N, 3, DOWN, ACROSS, L]
  param @0: f32[POINTS, 3, DEPTH, L]
  param @1: f32[3, L]
  tree inputs = [*, *]
  tree params = [*, *]
  tree state = []
"""
BODY = """
  tree outputs = [*, *]

  %0: f32[POINTS, CELLS] = scratch() {shape = [POINTS, CELLS], dtype = f32}
  %1: f32[POINTS, SUMS] = scratch() {shape = [POINTS, SUMS], dtype = f32}
  %2: f32[N, 3, DOWN, ACROSS, L] = winograd_conv(%x.0, @0, %0, %1) {tile = TILE, \
block = BLOCK}
  %3: f32[N, 3, DOWN, ACROSS, L] = broadcast(@1) {shape = [N, 3, DOWN, ACROSS, L], \
axes = [1, 4]}
  %4: f32[N, 3, DOWN, ACROSS, L] = add(%2, %3)
  %5: f32[N, 3, DOWN, ACROSS, L] = ACTIVATION
  %6: f32[N, 3, DOWN, ACROSS, L] = add(%5, %x.1)
  %7: f32[] = constant() {dtype = f32, shape = [], value = [0x1p-1]}
  %8: f32[N, 3, PADDED, WIDER, L] = pad(%6, %7) {low = [0, 0, 1, 0, 0], \
high = [0, 0, 2, 1, 0], interior = [0, 0, 0, 0, 0]}
  %9: f32[N, 3, L] = reduce(%8) {kind = "max", axes = [2, 3]}
  return %8, %9
}
"""
TWICE = """
  tree outputs = [*, *]

  %0: f32[POINTS, CELLS] = scratch() {shape = [POINTS, CELLS], dtype = f32}
  %1: f32[POINTS, SUMS] = scratch() {shape = [POINTS, SUMS], dtype = f32}
  %2: f32[N, 3, DOWN, ACROSS, L] = winograd_conv(%x.0, @0, %0, %1) {tile = TILE, \
block = BLOCK}
  %3: f32[POINTS, 16384] = scratch() {shape = [POINTS, 16384], dtype = f32}
  %4: f32[POINTS, 4096] = scratch() {shape = [POINTS, 4096], dtype = f32}
  %5: f32[N, 3, DOWN, ACROSS, L] = winograd_conv(%x.0, @0, %3, %4) {tile = TILE, block = 40}
  %6: f32[N, 3, DOWN, ACROSS, L] = add(%5, %x.1)
  return %2, %6
}
"""


def text_of(
    body: str,
    level: Compiled,
    size: tuple[int, int],
    tile: int,
    block: int,
    last: str,
    *,
    inputs: int = 2,
) -> str:
    """Return a graph with blocks of the level's lanes, written for some sizes."""
    lanes, points = TARGETS[level.name].machine.lanes, (tile + 2) ** 2
    numbers = {
        "HEIGHT": size[0] + 2,
        "WIDTH": size[1] + 2,
        "DOWN": size[0],
        "ACROSS": size[1],
        "PADDED": size[0] + 3,
        "WIDER": size[1] + 1,
        "POINTS": points,
        "INPUTS": inputs,
        "DEPTH": inputs * lanes,
        "CELLS": inputs * (block + block % 2) * lanes + lanes,
        "SUMS": 3 * (block + block % 2) * lanes,
        "TILE": tile,
        "BLOCK": block,
    }
    text = (HEAD + body).replace("ACTIVATION", last)
    for word, number in numbers.items():
        text = text.replace(word, str(number))
    return text.replace(" L]", f" {lanes}]").replace(" L,", f" {lanes},")


@pytest.mark.parametrize("level", compiled())
@pytest.mark.parametrize(
    ("tile", "size", "block"),
    [(4, (8, 12), 1), (4, (9, 7), 4), (4, (1, 3), 2), (2, (5, 6), 4), (2, (7, 3), 30)],
    ids=str,
)
def test_convolutions_by_tiles_are_right(
    tile: int, size: tuple[int, int], block: int, level: Compiled, tmp_path: Path
) -> None:
    text = text_of(BODY, level, size, tile, block, "maximum(%4, %3)")
    check(text, level, tmp_path, [1, 2, 5])


@pytest.mark.parametrize("level", compiled())
@pytest.mark.parametrize(
    ("tile", "size", "block"),
    [(4, (12, 20), 15), (4, (21, 34), 27), (2, (9, 60), 30), (4, (8, 70), 13)],
    ids=str,
)
def test_tiles_that_threads_share_in_strips_are_right(
    tile: int, size: tuple[int, int], block: int, level: Compiled, tmp_path: Path
) -> None:
    text = text_of(BODY, level, size, tile, block, "maximum(%4, %3)", inputs=4)
    check(text, level, tmp_path, [1, 2])


@pytest.mark.parametrize("tall", [1, 3, 4, 7, 14])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 25, 27, 49, 60])
def test_every_register_tile_lies_in_one_strip(count: int, tall: int) -> None:
    strip = -(-count // 2)
    kinds = in_strips(count, strip, tall)
    cells: list[int] = []
    edge = 0
    for kind in kinds:
        assert kind.start == edge
        for number in range(kind.count):
            first = kind.start + number * kind.size
            cells += range(first, first + kind.size)
            assert kind.size <= tall
            assert (first < strip) == (first + kind.size <= strip)
        edge = len(cells)
    assert cells == list(range(count))


@pytest.mark.parametrize("level", compiled())
def test_a_long_end_of_a_kernel_is_right(level: Compiled, tmp_path: Path) -> None:
    text = text_of(BODY, level, (10, 8), 4, 6, "logistic(%4) {fast = false}")
    check(text, level, tmp_path, [1, 4])


@pytest.mark.parametrize("level", compiled())
def test_sums_over_many_channels_are_right(level: Compiled, tmp_path: Path) -> None:
    inputs = in_two_parts(level)
    text = text_of(BODY, level, (5, 6), 2, 4, "maximum(%4, %3)", inputs=inputs)
    check(text, level, tmp_path, [1, 2, 5])


def in_two_parts(level: Compiled) -> int:
    """Return a number of blocks of channels whose sums are read again half way."""
    machine = TARGETS[level.name].machine
    inputs = {4: 86, 8: 22, 16: 8}[machine.lanes]
    assert depth_of(inputs, 3, machine.lanes, machine) == inputs // 2
    return inputs


@pytest.mark.parametrize("level", compiled())
def test_the_block_of_a_tile_changes_no_bit(level: Compiled, tmp_path: Path) -> None:
    graph = parse_graph(text_of(TWICE, level, (7, 9), 4, 2, ""))
    rng = np.random.default_rng(4)
    inputs = [rng.standard_normal(sizes(graph, n)).astype("f4") for n in range(2)]
    inputs[1] = np.zeros_like(inputs[1])
    params = [rng.standard_normal(value.type.shape).astype("f4") for value in graph.params]
    (few, many), _ = level.load(graph, tmp_path).run(inputs, params)
    np.testing.assert_array_equal(few, many)


def sizes(graph: Graph, number: int) -> tuple[int, ...]:
    """Return the shape of an input for five samples."""
    shape = graph.inputs[number].type.shape
    return tuple(entry if isinstance(entry, int) else 5 for entry in shape)


@pytest.mark.parametrize("level", compiled()[-1:])
def test_what_is_in_scratch_memory_does_not_matter(level: Compiled, tmp_path: Path) -> None:
    inputs = in_two_parts(level)
    graph = parse_graph(text_of(TWICE, level, (6, 4), 2, 3, "", inputs=inputs))
    runner = level.load(graph, tmp_path)
    ones = [np.ones(sizes(graph, n), np.float32) for n in range(2)]
    params = [np.ones(value.type.shape, np.float32) for value in graph.params]
    first, _ = runner.run(ones, params)
    with np.errstate(invalid="ignore"):
        runner.run([x * np.float32("nan") for x in ones], params)
    again, _ = runner.run(ones, params)
    for found, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize("level", compiled()[-1:])
def test_a_cell_that_is_not_finite_stays_in_its_sample_and_its_tiles(
    level: Compiled, tmp_path: Path
) -> None:
    graph = parse_graph(text_of(TWICE, level, (12, 12), 4, 9, ""))
    rng = np.random.default_rng(5)
    inputs = [rng.standard_normal(sizes(graph, n)).astype("f4") for n in range(2)]
    params = [rng.standard_normal(value.type.shape).astype("f4") for value in graph.params]
    runner = level.load(graph, tmp_path)
    (clean, _), _ = runner.run(inputs, params)
    inputs[0][1, 0, 7, 2, 1] = np.inf
    (found, _), _ = runner.run(inputs, params)
    touched = np.zeros(found.shape, np.bool_)
    touched[1, :, 4:8, 0:4] = True
    np.testing.assert_array_equal(found[~touched], clean[~touched])
    assert not np.isfinite(found[1, :, 5:8, 0:3]).any()


def test_the_report_names_the_size_of_a_tile(tmp_path: Path) -> None:
    level = Compiled("x86-64-v2")
    for tile in (2, 4):
        graph = parse_graph(text_of(BODY, level, (8, 8), tile, 2, "negate(%4)"))
        record, _ = level.load(graph, tmp_path).model.target.kernels
        assert record["algorithm"] == f"winograd {tile}x{tile}"
        assert record["ops"] == "winograd_conv+add+negate+add+pad"
