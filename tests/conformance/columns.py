"""The ways to run a model that have to agree with the same oracle.

`column(model, x, ps, st)` and `column.kaun(layer, x, vars)` run one call. `column.built`
and `column.built_kaun` return a function that can be called again, so that state can be
threaded through one artifact.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.setup import with_mode
from lxc.ir.builder import Builder
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph, Program
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.runtime.buffers import INPUTS, OUTPUTS, PARAMS, STATE, DimSolver, Gatherer
from lxc.runtime.trees import builder
from lxc.targets import TARGETS
from lxc.targets.buffer_table import signature_of
from lxc.tree import flatten
from tests.emulation.machines import cards, is_for_cards, lacking, tested

Call = Callable[..., tuple[Any, Any]]
ROLES = (INPUTS, PARAMS, STATE, OUTPUTS)


@dataclass(frozen=True)
class Column:
    """One way to run models."""

    name: str
    build: Callable[..., Call]

    def __call__(
        self, model: Any, x: Any, ps: Any, st: Any, mode: str | None = None
    ) -> tuple[Any, Any]:
        """Return output and new state of one call; `mode` sets the state's."""
        st = with_mode(st, mode)
        return self.built(model, x, ps, st)(x, ps, st)

    def fresh(self, model: Any, x: Any, seed: int = 0, mode: str | None = None) -> Any:
        """Return the output of a model with the variables of a seed."""
        return self(model, x, *lxc.setup(seed, model), mode)[0]

    def built(self, model: Any, x: Any, ps: Any, st: Any) -> Call:
        """Return the function (x, ps, st) -> (y, st) for inputs like these."""
        return self.build(as_layer(model), x, ps, st)

    def kaun(
        self,
        layer: Any,
        x: Any,
        vars: Any,
        training: bool = False,
        rngs: Any = None,
        ctx: Any = None,
    ) -> tuple[Any, Any]:
        """Return output and new variables of one call."""
        call = self.built_kaun(layer, x, vars, training, rngs, ctx)
        return call(x, vars, rngs, ctx)

    def built_kaun(
        self,
        layer: Any,
        x: Any,
        vars: Any,
        training: bool = False,
        rngs: Any = None,
        ctx: Any = None,
    ) -> Call:
        """Return the function (x, vars, rngs, ctx) -> (y, vars) for inputs like these."""
        return self.build(layer, x, vars, training=training, rngs=rngs, ctx=ctx)


def eager(model: Any, *_: Any, training: bool | None = None, **__: Any) -> Call:
    """Return the model itself, which must not build a graph."""

    def call(x: Any, *trees: Any) -> tuple[Any, Any]:
        with no_graphs():
            if training is None:
                result: tuple[Any, Any] = model(x, *trees)
                return result
            vars, rngs, ctx = trees
            return kaun.apply(model, vars, x, training, rngs, ctx)

    return call


@contextmanager
def no_graphs() -> Iterator[None]:
    """Fail if a graph is begun."""

    def begun(self: Builder, *_: Any, **__: Any) -> None:
        raise AssertionError("an eager call began a graph")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Builder, "__init__", begun)
        yield


def interpreted(model: Any, *arguments: Any, **options: Any) -> Call:
    """Return the references run on the graph that all passes for all targets made."""
    graph = lxc.trace(model, *arguments, **options)
    done = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE)))
    return Interpreted(graph, done.program).call


@dataclass(frozen=True)
class Interpreted:
    """A traced graph that takes and returns trees, and what passes made of it."""

    graph: Graph
    form: Graph | Program

    def call(self, x: Any, *trees: Any) -> tuple[Any, Any]:
        """Return what the model returns."""
        if self.graph.calling == "lux":
            return self.run(x, *trees)
        vars, rngs, ctx = trees
        given = {"x": x, "rngs": rngs, "ctx": dict(ctx.bindings) if ctx else None}
        inputs = {name: tree for name, tree in given.items() if tree is not None}
        y, state = self.run(inputs, vars.params, vars.state)
        return y, vars.with_state(state)

    def run(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return output and new state."""
        signature = signature_of(self.graph, name="model", mode=self.graph.mode)
        solver = DimSolver(signature)
        readers = [
            Gatherer(group, role)
            for group, role in zip(signature.groups.values(), ROLES, strict=False)
        ]
        inputs, params, state = (
            reader.leaves(tree) for reader, tree in zip(readers, (x, ps, st), strict=False)
        )
        slots = readers[0].slots
        dims = solver.lowest | solver.solve(zip(slots, inputs, strict=True))
        state = readers[2].with_zeros(state, dims)
        outputs, updates = evaluate(self.form, inputs, params, state)
        y = builder(self.graph.output_tree)(list(outputs))
        return y, builder(self.graph.state_tree)(list(updates))


def compiled_for(target: str) -> Callable[..., Call]:
    """Return the compiler for one target."""

    def build(model: Any, *arguments: Any, **options: Any) -> Call:
        with cards() if is_for_cards(TARGETS[target]) else nullcontext():
            return lxc.compile(model, *arguments, target=target, **options)

    return build


def ends() -> tuple[Column, Column]:
    """Return the lowest and the highest of the tested targets that run here."""
    fitting = [target.name for target in tested() if not lacking(target)]
    return (
        Column("lowest level", compiled_for(fitting[0])),
        Column("highest level", compiled_for(fitting[-1])),
    )


CARD = Column("card", compiled_for("cuda"))
"""Code for cards, which most machines have to emulate: a sample of tests runs it."""


def columns() -> list[Column]:
    """Return the columns in the order of the table, and `CARD`; one target has one."""
    if len(tested()) == 1:
        return [ends()[1]]
    return [Column("eager", eager), Column("interpreter", interpreted), *ends(), CARD]


def f32(values: Any) -> np.ndarray[Any, Any]:
    """Return a float32 array."""
    return np.asarray(values, np.float32)


def i32(values: Any) -> np.ndarray[Any, Any]:
    """Return an int32 array."""
    return np.asarray(values, np.int32)


def draw(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return float32 numbers from N(0, 1)."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def close(actual: Any, expected: Any, *, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Assert that two arrays have one shape and agree; defaults are for elementwise ops."""
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(
        np.asarray(actual), np.asarray(expected), rtol=rtol, atol=atol
    )


def close_sums(actual: Any, expected: Any) -> None:
    """Assert that two arrays agree as sums of products do."""
    close(actual, expected, rtol=1e-4, atol=1e-5)


def same(actual: Any, expected: Any) -> None:
    """Assert that two trees have one structure and equal leaves, bit by bit."""
    leaves, structure = flatten(actual)
    others, other = flatten(expected)
    assert structure == other
    for one, two in zip(leaves, others, strict=True):
        np.testing.assert_array_equal(one, two, strict=True)
