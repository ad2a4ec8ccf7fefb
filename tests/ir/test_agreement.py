"""The rule for results: as close as NumPy's within three times, and never far off."""

import numpy as np
import pytest

from lxc.ir.agreement import agreement, longest_sum, relative_error
from lxc.ir.parser import parse_graph

EXACT = np.array([1.0, -2.0, 4.0])


def off(by: float) -> np.ndarray:
    return np.array([1.0, -2.0, 4.0 + by])


def test_the_error_is_relative_to_the_largest_reference() -> None:
    assert relative_error(off(0.4), EXACT) == pytest.approx(0.1)
    assert relative_error(EXACT, EXACT) == 0
    assert relative_error(np.zeros(2), np.zeros(2)) == 0


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_special_values_have_to_stand_in_the_same_places(wrong: float) -> None:
    special = np.array([1.0, wrong])
    assert relative_error(special, special) == 0
    assert relative_error(special, np.array([1.0, 2.0])) == np.inf
    assert relative_error(np.array([1.0, 2.0]), special) == np.inf
    assert relative_error(-special, special) == (2 if np.isnan(wrong) else np.inf)


def test_another_shape_never_agrees() -> None:
    assert relative_error(np.zeros(2), np.zeros((2, 1))) == np.inf


def test_three_times_numpys_error_is_allowed() -> None:
    assert agreement(off(11e-6), off(4e-6), EXACT, 0).holds
    assert not agreement(off(13e-6), off(4e-6), EXACT, 0).holds


def test_one_rounding_per_term_is_allowed() -> None:
    rounding = 4 * 2.0**-24
    assert agreement(off(9.9 * rounding), EXACT, EXACT, 10).holds
    assert not agreement(off(10.1 * rounding), EXACT, EXACT, 10).holds


def test_nothing_excuses_a_large_error() -> None:
    assert not agreement(off(4.1e-4), off(1e-2), EXACT, 10**9).holds
    assert "allowed 1.00e-04" in str(agreement(off(0), off(1e-2), EXACT, 0))


def test_the_longest_sum_of_a_graph_is_found_in_bodies() -> None:
    graph = parse_graph(
        """graph @m lux {
  dim N: 1..50
  input %x: f32[N, 4, 8]
  param @w: f32[5, 2, 3]
  tree params = *
  %0: f32[4, 8] = reduce(%x) {kind = "add", axes = [0]}
  %1: f32[N, 5, 6] = fused(%x, @w) (%2: f32[N, 4, 8], %3: f32[5, 2, 3]) {
    %4: f32[N, 2, 8] = slice(%2) {start = [0, 0, 0], stop = [N, 2, 8], \
step = [1, 1, 1]}
    %5: f32[N, 5, 6] = conv(%4, %3) {strides = [1], padding = [[0, 0]], \
lhs_dilation = [1], \
rhs_dilation = [1], groups = 1}
    yield %5
  }
  return %0, %1
}"""
    )
    assert longest_sum(graph) == 50
    assert longest_sum(graph.replaced(nodes=graph.nodes[1:])) == 6


def test_sums_over_blocks_are_as_long_as_their_lanes_and_taps() -> None:
    graph = parse_graph(
        """graph @m lux {
  input %x: f32[2, 3, 8, 4]
  param @w: f32[5, 3, 2, 4, 4]
  param @taps: f32[5, 3, 4]
  tree params = *
  %0: f32[2, 5, 7, 4] = blocked_conv(%x, @w) {strides = [1], rhs_dilation = [1], \
groups = 1, plain = false}
  %1: f32[2, 5, 5, 4] = depthwise_conv(%0, @taps) {strides = [1], rhs_dilation = [1]}
  return %1
}"""
    )
    assert longest_sum(graph) == 3 * 2 * 4
    assert longest_sum(graph.replaced(nodes=graph.nodes[1:])) == 3
