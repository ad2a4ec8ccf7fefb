"""Passes change how a model is computed, never what."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph, Program
from lxc.ir.types import Array
from lxc.passes import (
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


@st.composite
def pass_lists(draw: Draw) -> list[str]:
    """Draw passes in pipeline order; those that later ones need are kept."""
    layers = [name for name in LAYER_PIPELINE[:-1] if draw(st.booleans())]
    tensors = [name for name in TENSOR_PIPELINE if draw(st.booleans())]
    names = [*layers, "inline-layers", *tensors]
    if not draw(st.booleans()):
        return names
    names.append("explicit-padding")
    names += ["pack-weights"] * draw(st.booleans()) + ["fuse"]
    return [*names, *["hoist-prepare"] * draw(st.booleans()), "plan-memory"]


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
def test_any_passes_in_order_keep_the_meaning(graph: Graph, names: list[str]) -> None:
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


def test_every_pass_is_in_a_pipeline() -> None:
    assert set(PASSES) == {*LAYER_PIPELINE, *TENSOR_PIPELINE, *TARGET_PIPELINE}
