"""Attention of cards under the emulator: its threads wait for all that others share."""

import numpy as np
import pytest

from tests.cards.single_kernels import SingleKernel
from tests.targets.test_attention import f32, graph_of, operands


@pytest.mark.parametrize("causal", [False, True])
def test_heads_of_odd_sizes_that_share_keys(causal: bool) -> None:
    types = (f32(1, 2, 2, 6), f32(1, 1, 33, 6), f32(1, 1, 33, 5))
    made = SingleKernel(graph_of("cuda", types, causal=causal, offset=1))
    assert made.algorithm == "attention by tiles"
    made.check(operands(1, 2, 1, 2, 33, 6, 5))


def test_values_behind_all_queries_count_where_they_are_endless() -> None:
    types = (f32(1, 1, 2, 4), f32(1, 1, 40, 4), f32(1, 1, 40, 4))
    made = SingleKernel(graph_of("cuda", types, causal=True))
    inputs = operands(1, 1, 1, 2, 40, 4, 4)
    finite = made.check(inputs)
    inputs[2][0, 0, 39, 2] = np.inf
    endless = made.check(inputs)
    assert np.isnan(endless[..., 2]).all()
    np.testing.assert_array_equal(endless[..., :2], finite[..., :2])
