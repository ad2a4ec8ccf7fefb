"""Blocks hold as many channels as let tiles of bfloat16 sum up the most at once."""

import pytest

from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.passes.block_lanes import lanes_of_blocks, terms_together
from lxc.passes.convolution_costs import refusal
from lxc.targets import TARGETS


def convolution(dtype: str, inputs: int, outputs: int, taps: int) -> Graph:
    cells = 20 - taps + 1
    shape = f"1, {outputs}, {cells}, {cells}"
    return parse_graph(
        f"graph @m lux {{ input %x: {dtype}[1, {inputs}, 20, 20]\n"
        f"param @w: {dtype}[{outputs}, {inputs}, {taps}, {taps}] tree params = [*]\n"
        f"%0: f32[{shape}] = conv(%x, @w) {{strides = [1, 1], "
        "padding = [[0, 0], [0, 0]], lhs_dilation = [1, 1], rhs_dilation = [1, 1], "
        'groups = 1, weight_order = "oi", result = f32}\nreturn %0 }'
    )


@pytest.mark.parametrize(
    ("target", "dtype", "channels", "taps", "lanes"),
    [
        ("x86-64-v4-amx", "bf16", (64, 64), 3, 32),
        ("x86-64-v4-amx", "bf16", (64, 64), 1, 32),
        ("x86-64-v4-amx", "bf16", (3, 64), 7, 16),
        ("x86-64-v4-amx", "bf16", (48, 16), 3, 16),
        ("x86-64-v4-amx", "f32", (64, 64), 3, 16),
        ("x86-64-v4-bf16", "bf16", (64, 64), 3, 16),
        ("x86-64-v3", "bf16", (64, 64), 3, 8),
    ],
)
def test_blocks_are_two_vectors_where_that_takes_fewer_instructions(
    target: str, dtype: str, channels: tuple[int, int], taps: int, lanes: int
) -> None:
    graph = convolution(dtype, *channels, taps)
    assert lanes_of_blocks(graph, TARGETS[target].machine) == lanes


@pytest.mark.parametrize(("dtype", "refused"), [("bf16", True), ("f32", False)])
def test_a_block_of_one_lane_holds_no_pairs(dtype: str, refused: bool) -> None:
    (node,) = convolution(dtype, 8, 8, 3).nodes
    assert (refusal(node, 1) is not None) is refused
    assert refusal(node, 2) is None


@pytest.mark.parametrize(("run", "terms"), [(0, 0), (3, 0), (28, 28), (48, 24), (96, 32)])
def test_no_terms_of_a_run_are_left_over(run: int, terms: int) -> None:
    assert terms_together(run) == terms
