"""Random models: the traced graph computes what the layers compute, call after call."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lxc import kaun, nn
from lxc.frontend import setup, trace_layer
from lxc.frontend.kaun import trace_kaun
from lxc.ir import Dim, TensorSpec
from lxc.ir import functions as ops
from lxc.tree import flatten
from tests.frontend.modes import close, run_graph, through_text

SIZE = 4
"""Every drawn layer maps [N, SIZE] to [N, SIZE], so that any two fit together."""

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
NAMES = st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True)
TRACEABLE = st.sampled_from([nn.relu, np.tanh, np.negative, lambda x: x + 1, np.abs])


def simple() -> st.SearchStrategy[Any]:
    """Return layers without children."""
    return st.one_of(
        st.builds(
            nn.Dense, st.just(SIZE), st.just(SIZE), TRACEABLE, use_bias=st.booleans()
        ),
        st.builds(
            nn.BatchNorm, st.just(SIZE), affine=st.booleans(), track_stats=st.booleans()
        ),
        st.builds(
            nn.Dropout, st.sampled_from([0.0, 0.25, 1.0]), dims=st.sampled_from([None, 1])
        ),
        st.builds(nn.WrappedFunction, TRACEABLE),
        st.just(nn.NoOpLayer()),
    )


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return layers around others."""
    several = st.lists(inner, min_size=1, max_size=3)
    named = NAMES.flatmap(lambda names: st.fixed_dictionaries(dict.fromkeys(names, inner)))
    return st.one_of(
        st.builds(
            lambda layers, keep: nn.Chain(*layers, disable_optimizations=keep),
            several,
            st.booleans(),
        ),
        st.builds(nn.Chain, named),
        st.builds(nn.SkipConnection, inner, st.sampled_from([ops.add, np.subtract])),
        st.builds(lambda a, b: nn.Parallel(ops.multiply, a, b), inner, inner),
        st.builds(
            lambda a, b: nn.Chain(nn.BranchLayer(a, b), lambda pair: pair[0] - pair[1]),
            inner,
            inner,
        ),
    )


@settings(max_examples=40, deadline=None)
@given(st.recursive(simple(), grown, max_leaves=6), st.integers(0, 3))
def test_a_traced_model_follows_the_layers_through_three_calls(
    model: Any, seed: int
) -> None:
    ps, state = setup(seed, model)
    spec = TensorSpec((Dim("N", 2, 9), SIZE))
    graph = through_text(trace_layer(model, spec, ps, state))
    rng = np.random.default_rng(seed)
    traced = state
    for count in (2, 5, 9):
        x = rng.standard_normal((count, SIZE), np.float32)
        expected, state = model(x, ps, state)
        y, traced = run_graph(graph, x, ps, traced)
        compare((y, traced), (expected, state))


def kaun_layers() -> st.SearchStrategy[Any]:
    """Return layers of the Kaun family."""
    simple_ones = st.one_of(
        st.builds(kaun.linear, st.just(SIZE), st.just(SIZE)),
        st.builds(kaun.batch_norm, st.just(SIZE)),
        st.builds(kaun.dropout, st.sampled_from([0.0, 0.5])),
        st.sampled_from([kaun.relu(), kaun.gelu(), kaun.flatten()]),
    )
    return st.recursive(
        simple_ones,
        lambda inner: st.one_of(
            st.builds(kaun.sequential, st.lists(inner, max_size=3)),
            st.builds(kaun.compose, inner, inner),
        ),
        max_leaves=6,
    )


@settings(max_examples=40, deadline=None)
@given(kaun_layers(), st.booleans(), st.integers(0, 3))
def test_a_traced_kaun_model_follows_the_layers(
    layer: Any, training: bool, seed: int
) -> None:
    vars = kaun.init(layer, rng=seed)
    spec = TensorSpec((Dim("N", 2, 9), SIZE))
    key = TensorSpec((2,), np.uint32)
    graph = through_text(trace_kaun(layer, spec, vars, training=training, rngs=key))
    rng = np.random.default_rng(seed)
    state = vars.state
    for count in (2, 5, 9):
        x = rng.standard_normal((count, SIZE), np.float32)
        rngs = rng.integers(0, 2**32, 2, dtype=np.uint32)
        expected, vars = kaun.apply(layer, vars, x, training, rngs)
        y, state = run_graph(graph, {"x": x, "rngs": rngs}, vars.params, state)
        compare((y, state), (expected, vars.state))


def compare(actual: Any, expected: Any) -> None:
    """Assert that two trees agree up to rounding."""
    leaves, structure = flatten(actual)
    others, other = flatten(expected)
    assert structure == other
    for one, two in zip(leaves, others, strict=True):
        assert one.dtype == two.dtype
        close(one, two, **TOLERANCE)
