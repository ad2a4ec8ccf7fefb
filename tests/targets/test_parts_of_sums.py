"""Long sums are computed part by part, while the weights of the next part come near."""

from math import prod
from pathlib import Path
from re import sub
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lxc.ir.parser import parse_graph
from lxc.targets import TARGETS
from lxc.targets.kernels import parts_of_sums
from lxc.targets.kernels.parts_of_sums import LINE, write_fetches
from tests.targets.backends import Compiled, compiled

STRIDED = """
graph @strided lux {
  dim N: 1..2
  input %x.0: f32[N, I, W, W, L]
  param @0: f32[O, I, 3, 3, L, L]
  tree inputs = [*]
  tree params = [*]
  tree state = []
  tree outputs = [*]

  %0: f32[N, O, S, S, L] = blocked_conv(%x.0, @0) {strides = [2, 2], \
rhs_dilation = [1, 1], groups = 1, plain = false}
  %1: f32[] = constant() {dtype = f32, shape = [], value = [0x0p+0]}
  %2: f32[N, O, P, P, L] = pad(%0, %1) {low = [0, 0, 1, 1, 0], high = [0, 0, 1, 1, 0], \
interior = [0, 0, 0, 0, 0]}
  return %2
}
"""


@pytest.mark.parametrize("level", compiled()[-1:])
@pytest.mark.parametrize(("outputs", "whole", "groups"), [(25, 15, 1), (9, 13, 2)])
def test_parts_of_sums_change_no_bit(
    level: Compiled,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    outputs: int,
    whole: int,
    groups: int,
) -> None:
    """Kernels for any number of samples compute every sum in one go, and narrow ones do."""
    written = []
    write = parts_of_sums.Parts.write

    def noted(parts: parts_of_sums.Parts, *, parallel: bool) -> None:
        written.append((parts.count > 1, parts.groups))
        write(parts, parallel=parallel)

    monkeypatch.setattr(parts_of_sums.Parts, "write", noted)
    lanes = TARGETS[level.name].machine.lanes
    inputs = 1024 // lanes**2
    size = (whole - 1) // 2
    sizes = {"O": outputs, "I": inputs, "W": whole, "S": size, "P": size + 2, "L": lanes}
    text = STRIDED
    for name, number in sizes.items():
        text = sub(rf"\b{name}\b(?=[,\]])", str(number), text)
    rng = np.random.default_rng(6)
    x = rng.standard_normal((1, inputs, whole, whole, lanes)).astype(np.float32)
    weight = rng.standard_normal((outputs, inputs, 3, 3, lanes, lanes)).astype(np.float32)
    found = []
    for number, samples in enumerate(("N", "1")):
        graph = parse_graph(text.replace("[N,", f"[{samples},").replace(*DIMS[number]))
        (tmp_path / samples).mkdir()
        (y,), _ = level.load(graph, tmp_path / samples).run([x], [weight])
        found.append(y)
    assert written == [(True, groups)] * (lanes >= LINE)
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0][:, :, 1:-1, 1:-1]).min() > 0


DIMS = (("", ""), ("  dim N: 1..2\n", ""))


@pytest.mark.parametrize(("turns", "blocks"), [(7, 3), (6, 2), (2, 3)])
def test_no_line_of_the_next_part_is_left_out(turns: int, blocks: int) -> None:
    depth, lanes, terms = (2, 3, 16), 16, 4 * 3 * 16
    lines = set()

    def fetch(buffer: Any, position: int, *, nearest: bool) -> None:
        lines.add(position // LINE)

    anchor = SimpleNamespace(panel_weight="w", depth=(4, 3, 16), lane=0, loops=(lanes,))
    source = SimpleNamespace(buffers={"w": None})
    work = SimpleNamespace(
        anchor=anchor, source=source, writer=SimpleNamespace(fetch=fetch)
    )
    parts: Any = SimpleNamespace(work=work, depth=depth)
    for turn in range(turns):
        tile: Any = SimpleNamespace(turn=turn, turns=turns, vectors=(None,) * blocks)
        for step in np.ndindex(depth):
            write_fetches(parts, tile, 0, step)
    steps = prod(depth) * lanes // LINE
    block = terms * lanes // LINE
    assert lines == {j * block + line for j in range(blocks) for line in range(steps)}
