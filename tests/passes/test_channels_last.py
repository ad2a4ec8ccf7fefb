"""Chains of convolutions with channels last mean what they meant."""

from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.passes import passes_named, run_passes
from tests.passes.random_convolutions import chains
from tests.passes.test_layouts import assert_equal, drawn, result
from tests.passes.test_meaning import SLOW


@settings(SLOW, max_examples=60)
@given(graph=chains(), special=st.sampled_from([None, np.inf, np.nan]))
def test_random_chains_keep_their_meaning(graph: Graph, special: float | None) -> None:
    after = result(run_passes(graph, passes_named(["explicit-padding", "channels-last"])))
    inputs, params = drawn(graph.inputs, 1), drawn(graph.params, 2)
    if special is not None:
        inputs[0].flat[inputs[0].size // 2] = special
    run = partial(evaluate, inputs=inputs, params=params, wide=True)
    assert_equal(run(graph)[0], run(after)[0])
