"""Random models: eager, any subset of the passes, and machine code agree, call after call.

The ordinary run draws the same models each time; `-m slow` draws many new ones.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lxc
from lxc.frontend.optional import has_missing
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.graph import Graph
from lxc.passes import (
    LAYER_PIPELINE,
    TARGET_PIPELINE,
    TENSOR_PIPELINE,
    passes_named,
    run_passes,
)
from lxc.tree import flatten, map_leaves
from tests.conformance.columns import Call, Interpreted, ends
from tests.conformance.random_leaves import Draw
from tests.conformance.random_models import RandomModel, models

LEVELS = ends()
USUAL = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(USUAL, derandomize=False, print_blob=True)
ULP = 2.0**-24
HARD = 1e-5
"""A model that a rounding of its input moves further than this says nothing about bugs."""


@st.composite
def subsets(draw: Draw) -> list[str]:
    """Draw the pipeline for a target without some of its optional passes."""
    optional = [*LAYER_PIPELINE[:-1], *TENSOR_PIPELINE, *TARGET_PIPELINE]
    kept = draw(st.lists(st.booleans(), min_size=len(optional), max_size=len(optional)))
    chosen = [name for name, keep in zip(optional, kept, strict=True) if keep]
    after = [name for name in chosen if name not in LAYER_PIPELINE]
    if {"fuse", "plan-memory"} & {*chosen} and "explicit-padding" not in chosen:
        after.insert(0, "explicit-padding")
    if "plan-memory" in chosen and "fuse" not in chosen:
        after.remove("plan-memory")
    return [name for name in chosen if name in LAYER_PIPELINE] + ["inline-layers", *after]


@contextmanager
def quiet() -> Iterator[None]:
    """Let models divide by zero, and normalise one value."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def rounded(tree: Any, rng: np.random.Generator) -> Any:
    """Return a tree with every float moved by at most one rounding."""

    def moved(leaf: Any) -> Any:
        if not np.issubdtype(np.asarray(leaf).dtype, np.floating):
            return leaf
        steps = rng.uniform(-ULP, ULP, np.shape(leaf))
        return (np.asarray(leaf, np.float64) * (1 + steps)).astype(np.float32)

    return map_leaves(moved, tree)


def leaves_by_path(tree: Any) -> dict[str, Any]:
    """Return the leaves of a tree under their paths; a None has none."""
    leaves, structure = flatten(tree)
    return dict(zip(structure.paths(), leaves, strict=True))


def check_call(model: RandomModel, graph: Graph, call: Call, x: Any, trees: Any) -> Any:
    """Compare one call with the layers in float64, and return the new state in float32."""
    eager = model.layer(x, *trees)
    exact = leaves_by_path(
        model.layer(*(lxc.cast(tree, "float64") for tree in (x, *trees)))
    )
    rng = np.random.default_rng(0)
    narrow = [leaves_by_path(eager)]
    for _ in range(2):
        moved = (rounded(tree, rng) for tree in (x, *trees))
        narrow.append(leaves_by_path(model.layer(*moved)))
    found = leaves_by_path(call(x, *trees))
    assert has_missing(eager[1]) or list(found) == list(exact)
    terms = longest_sum(graph)
    for path, wide in exact.items():
        own = np.asarray(found[path])
        assert own.dtype == np.asarray(narrow[0][path]).dtype, path
        if not np.issubdtype(wide.dtype, np.floating):
            np.testing.assert_array_equal(own, narrow[0][path], err_msg=path)
            continue
        results = [agreement(own, one[path], wide, terms) for one in narrow]
        hardest = max(results, key=lambda result: result.reference_error)
        if hardest.reference_error <= HARD:
            assert hardest.holds, f"{path}: {hardest}"
    return eager[1]


def check_calls(model: RandomModel, build: Callable[[Graph], Call]) -> None:
    """Compare calls in a row, each from the state that eager layers left."""
    ps, state = model.trees()
    with quiet():
        graph = lxc.trace(model.layer, model.spec(), ps, state)
        call = build(graph)
        for number, count in enumerate(model.batches()):
            x = model.inputs(count, number)
            state = check_call(model, graph, call, x, (ps, state))


def interpreted_after(names: list[str]) -> Callable[[Graph], Call]:
    """Return what interprets a graph as some of the passes leave it."""

    def build(graph: Graph) -> Call:
        form = run_passes(graph, passes_named(names)).program
        return Interpreted(graph, form).call

    return build


@settings(USUAL, max_examples=60)
@given(models(), subsets())
def test_any_subset_of_the_passes_keeps_a_model(
    model: RandomModel, names: list[str]
) -> None:
    check_calls(model, interpreted_after(names))


@pytest.mark.parametrize("level", LEVELS, ids=lambda column: column.name)
@settings(USUAL, max_examples=8)
@given(model=models())
def test_a_compiled_model_is_its_eager_self(level: Any, model: RandomModel) -> None:
    check_calls(model, lambda graph: level.build(graph))


@pytest.mark.slow
@settings(LONG, max_examples=2000)
@given(models(), subsets())
def test_any_subset_of_the_passes_keeps_many_models(
    model: RandomModel, names: list[str]
) -> None:
    check_calls(model, interpreted_after(names))


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS, ids=lambda column: column.name)
@settings(LONG, max_examples=200)
@given(model=models())
def test_many_compiled_models_are_their_eager_selves(
    level: Any, model: RandomModel
) -> None:
    check_calls(model, lambda graph: level.build(graph))
