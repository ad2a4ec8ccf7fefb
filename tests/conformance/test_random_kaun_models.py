"""Random compositions of Kaun's layers: eager, passes and machine code agree.

The ordinary run draws the same models each time; `-m slow` draws many new ones.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import lxc
from lxc import kaun
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.graph import Graph
from tests.conformance.columns import Call
from tests.conformance.random_kaun_models import RandomModel, models
from tests.conformance.test_random_models import (
    HARD,
    LEVELS,
    LONG,
    USUAL,
    interpreted_after,
    leaves_by_path,
    quiet,
    rounded,
    subsets,
)


def results(model: RandomModel, vars: kaun.Vars, given: Any) -> dict[str, Any]:
    """Return output and state of an eager call under their paths."""
    x, rngs, ctx = given
    y, after = kaun.apply(model.layer, vars, x, model.training, rngs, ctx)
    return leaves_by_path({"y": y, "state": after.state})


def moved(vars: kaun.Vars, x: Any, rng: np.random.Generator) -> tuple[kaun.Vars, Any]:
    """Return variables and input with every float moved by at most one rounding."""
    params, state = rounded(vars.params, rng), rounded(vars.state, rng)
    return kaun.make_vars(params, state, vars.dtype), rounded(x, rng)


def check_call(
    model: RandomModel, graph: Graph, call: Call, vars: kaun.Vars, given: Any
) -> None:
    """Compare one call with the layers in float64."""
    x, rngs, ctx = given
    y, after = call(x, vars, rngs, ctx)
    found = leaves_by_path({"y": y, "state": after.state})
    wide = (lxc.cast(x, "float64"), rngs, ctx)
    exact = results(model, lxc.cast(vars, "float64"), wide)
    narrow, rng = [results(model, vars, given)], np.random.default_rng(0)
    for _ in range(2):
        near, near_x = moved(vars, x, rng)
        narrow.append(results(model, near, (near_x, rngs, ctx)))
    assert list(found) == list(exact)
    terms = longest_sum(graph)
    for path, reference in exact.items():
        assert found[path].dtype == narrow[0][path].dtype, path
        checks = [agreement(found[path], one[path], reference, terms) for one in narrow]
        hardest = max(checks, key=lambda check: check.reference_error)
        if hardest.reference_error <= HARD:
            assert hardest.holds, f"{path}: {hardest}"


def check_calls(model: RandomModel, build: Callable[[Graph], Call]) -> None:
    """Compare calls in a row, each from the state that the one before left."""
    vars = kaun.init(model.layer, rng=model.seed)
    x, rngs, ctx = model.specs()
    with quiet():
        graph = lxc.trace(model.layer, x, vars, training=model.training, rngs=rngs, ctx=ctx)
        call = build(graph)
        for number, count in enumerate((3, 6, 1)):
            given = model.arguments(count, number)
            check_call(model, graph, call, vars, given)
            _, vars = kaun.apply(model.layer, vars, given[0], model.training, *given[1:])


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
