"""Passes change how a model is computed, never what."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lxc.errors import LxcError
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph, Program
from lxc.ir.node import walk
from lxc.ir.types import Array
from lxc.passes import (
    CARD_PIPELINE,
    LAYER_PIPELINE,
    PASSES,
    TARGET_PIPELINE,
    TENSOR_PIPELINE,
    passes_named,
    run_passes,
)
from lxc.passes.properties import Form
from tests.ir.random_nodes import Draw
from tests.passes.random_models import arrays_for, models

SLOW = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


FINAL = ("fuse", "hoist-prepare", "plan-memory")
BEFORE_FUSION = (
    "split-phases",
    "explicit-padding",
    "assign-layouts",
    "hoist-products",
    "pack-weights",
    "share-halo",
)


@st.composite
def pass_lists(draw: Draw) -> list[str]:
    """Draw passes of each level in any order; those that later ones need are kept."""
    layers = draw(orders(LAYER_PIPELINE[:-1]))
    tensors = draw(orders((*TENSOR_PIPELINE, *BEFORE_FUSION)))
    names = [*layers, "inline-layers", *tensors]
    if not draw(st.booleans()):
        return names
    if "explicit-padding" not in tensors:
        names.append("explicit-padding")
    return [*names, "fuse", *["hoist-prepare"] * draw(st.booleans()), "plan-memory"]


def orders(names: Sequence[str]) -> st.SearchStrategy[list[str]]:
    """Return the strategy for some of `names` in any order."""
    drawn = st.tuples(st.permutations(names), st.integers(0, len(names)))
    return drawn.map(lambda pair: list(pair[0])[: pair[1]])


def results(form: Form, graph: Graph) -> Sequence[Array]:
    """Return outputs and new state on arrays that depend on names only."""
    arrays = [arrays_for(values) for values in (graph.inputs, graph.params, graph.state)]
    outputs, updates = evaluate(form, *arrays)
    return (*outputs, *updates)


def assert_same(graph: Graph, names: Sequence[str]) -> None:
    """Fail unless the passes keep the meaning of `graph`, up to the order of sums."""
    after = run_passes(graph, passes_named(names)).program
    last = after.run if isinstance(after, Program) else after
    assert (last.inputs, last.params, last.state) == (
        graph.inputs,
        graph.params,
        graph.state,
    )
    assert last.trees == graph.trees
    for old, new in zip(results(graph, graph), results(after, graph), strict=True):
        assert old.dtype == new.dtype
        wide, found = (array.astype(np.float64) for array in (old, new))
        finite = wide[np.isfinite(wide)]
        scale = float(np.abs(finite).max()) if finite.size else 1.0
        step = {"bfloat16": 2e-2, "float16": 2e-3}.get(old.dtype.name, 1e-5)
        np.testing.assert_allclose(found, wide, rtol=step, atol=step * scale)


@SLOW
@given(models(layers=True), pass_lists())
def test_any_passes_in_any_order_keep_the_meaning(graph: Graph, names: list[str]) -> None:
    assert_same(graph, names)


@SLOW
@given(models())
def test_the_whole_pipeline_keeps_the_meaning(graph: Graph) -> None:
    assert_same(graph, [*LAYER_PIPELINE, *TENSOR_PIPELINE, *TARGET_PIPELINE])


@pytest.mark.parametrize("name", [name for name in PASSES if name not in FINAL])
@settings(SLOW, max_examples=25)
@given(graph=models(layers=True))
def test_a_pass_finds_nothing_to_do_after_itself(name: str, graph: Graph) -> None:
    before = [] if name in LAYER_PIPELINE else ["inline-layers"]
    once = run_passes(graph, passes_named([*before, name])).program
    twice = run_passes(once, passes_named([name])).program
    assert str(twice) == str(once)


@settings(SLOW, max_examples=25)
@given(models())
def test_kernels_are_formed_once(graph: Graph) -> None:
    fused = run_passes(graph, passes_named(["explicit-padding", "fuse"])).program
    assert isinstance(fused, Graph)
    assume(any(node.op.name == "fused" for node in walk(fused.nodes)))
    assert_refused(fused, "fuse", "unfused")


@settings(SLOW, max_examples=25)
@given(models())
def test_a_program_is_split_once(graph: Graph) -> None:
    split = run_passes(graph, passes_named(["hoist-prepare"])).program
    assert_refused(split, "hoist-prepare", "one-graph")
    assert_refused(split, "fuse", "one-graph")


def assert_refused(form: Form, name: str, lacking: str) -> None:
    """Fail unless a pass says what the graph lacks."""
    with pytest.raises(LxcError) as caught:
        run_passes(form, passes_named([name]))
    assert caught.value.code == "LXC-E0204"
    assert str(caught.value.expected).startswith(f"{lacking}: ")


def test_every_pass_is_in_a_pipeline() -> None:
    pipelines = (LAYER_PIPELINE, TENSOR_PIPELINE, TARGET_PIPELINE, CARD_PIPELINE)
    assert set(PASSES) == {name for pipeline in pipelines for name in pipeline}
