"""Everything that can run a graph, behind one call, so that one suite covers all of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.types import Array
from lxc.passes import Choices
from lxc.runtime.load import load
from lxc.targets import TARGETS, Target
from lxc.targets.compile import build_artifact
from lxc.targets.x86_64 import EXTENDED
from tests.emulation.machines import DEFAULT, cards, chosen, is_for_cards, lacking, tested

Results = tuple[tuple[Array, ...], tuple[Array, ...]]


@dataclass(frozen=True)
class Interpreter:
    """The references, in the types of the graph or in float64."""

    name: str
    wide: bool

    def load(self, graph: Graph, folder: Path) -> "Runner":
        return Runner(graph, None, self.wide)


@dataclass(frozen=True)
class Compiled:
    """A target whose code runs on this machine; `exact` is that of a compilation."""

    name: str
    exact: bool = False

    def load(self, graph: Graph, folder: Path) -> "Runner":
        path, target = folder / f"{graph.name}-{self.name}.lxc", TARGETS[self.name]
        choices = Choices(exact=self.exact)
        packed = build_artifact(graph, [target], name=graph.name, choices=choices)
        path.write_bytes(packed)
        return Runner(graph, load(path), False)


@dataclass(frozen=True)
class Card:
    """A target whose kernels run on a card, or on what stands in for one."""

    name: str

    def load(self, graph: Graph, folder: Path) -> "Runner":
        with cards():
            packed = build_artifact(graph, [TARGETS[self.name]], name=graph.name)
            return Runner(graph, load(packed), False)


@dataclass
class Runner:
    """A graph that is ready to run."""

    graph: Graph
    model: Any
    wide: bool
    outputs: list[Array] = field(default_factory=list)

    def run(
        self,
        inputs: Sequence[Array],
        params: Sequence[Array] = (),
        state: Sequence[Array] = (),
        threads: int = 1,
    ) -> Results:
        """Return outputs and new state as flat tuples."""
        if self.model is None:
            return evaluate(self.graph, inputs, params, state, wide=self.wide)
        y, after = self.model(list(inputs), list(params), list(state), threads=threads)
        return tuple(np.asarray(one) for one in y), tuple(np.asarray(one) for one in after)


Library = Compiled | Card
Backend = Interpreter | Library
CARD = pytest.param(Card("cuda"), id="cuda")


def compiled() -> list[Any]:
    """Return the back ends that make machine code for processors."""
    return [one for one in backends() if isinstance(one.values[0], Compiled)]


def libraries() -> list[Any]:
    """Return the back ends that make libraries: those for processors, and one for cards."""
    return [*compiled(), CARD] if chosen == list(DEFAULT) else targets()


def few() -> list[Any]:
    """Return the back ends for the lowest and the highest processor, and for cards."""
    found = [one for one in libraries() if isinstance(one.values[0], Compiled)]
    ends = [found[0], *found[1:][-1:]] if found else []
    return [*ends, *(one for one in libraries() if isinstance(one.values[0], Card))]


def everything() -> list[Any]:
    """Return the interpreters, and the back ends that make libraries."""
    found = [one for one in backends() if isinstance(one.values[0], Interpreter)]
    return [*found, *libraries()]


def backends() -> list[Any]:
    """Return every back end but that for cards, unless it is the one that is tested.

    One that cannot run here is a strict failure.
    """
    found: list[Any] = [
        pytest.param(Interpreter("interpreter-f32", False), id="interpreter-f32"),
        pytest.param(Interpreter("interpreter-f64", True), id="interpreter-f64"),
    ]
    return found + targets()


def targets() -> list[Any]:
    """Return the back ends of the targets that tests compile for."""
    return [back_end(target) for target in tested()]


def extended() -> list[Any]:
    """Return the back ends of levels with more features, which few models make use of."""
    return [back_end(target) for target in EXTENDED]


def back_end(target: Target) -> Any:
    """Return a back end as a parameter of tests."""
    if is_for_cards(target):
        return pytest.param(Card(target.name), id=target.name)
    lacks = lacking(target)
    reason = f"this machine lacks {', '.join(lacks)}"
    marks = [pytest.mark.xfail(reason=reason, strict=True)] if lacks else []
    return pytest.param(Compiled(target.name), id=target.name, marks=marks)
