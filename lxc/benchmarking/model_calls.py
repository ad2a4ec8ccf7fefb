"""The calls of a compiled model that can be measured.

`generic` is the call that a program writes first, `model(x, params, state)`: it looks at
every tree. `bound` has its params prepared, and takes inputs and state. `placed` reads and
writes the same arrays every time. On a card, all values lie there, and a call ends when the
card is done.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lxc.benchmarking.contestant import Contestant
from lxc.calling import Variables, call, leaves_of
from lxc.runtime import CompiledModel, load
from lxc.runtime.checkpoint import Array, tree_from
from lxc.structure import Structure
from lxc.tree_paths import trees_by_key
from lxc.verification.given import Given

Call = Callable[[], Any]


@dataclass(frozen=True)
class Manner:
    """How a model is called: the kind of call, the code or the best, and its threads."""

    kind: str
    target: str | None
    threads: int


@dataclass(frozen=True)
class Ready:
    """A model with its values as trees, where it reads them."""

    model: CompiledModel
    trees: Mapping[str, Any]
    ps: Any
    st: Any


def model_contestant(name: str, path: Path, given: Given, manner: Manner) -> Contestant:
    """Return a call of the model in a file on some values."""
    model = load(path, target=manner.target, threads=manner.threads)
    return contestant_of(name, model, given, manner)


def contestant_of(
    name: str, model: CompiledModel, given: Given, manner: Manner
) -> Contestant:
    """Return a call of a model on some values."""
    signature = model.signature
    trees = {
        key: model.to_machine(tree) for key, tree in trees_by_key(given.inputs).items()
    }
    ps = tree_from(given.params, signature.params, "params")
    st = model.to_machine(tree_from(given.state, signature.state, "state"))
    timed, results = KINDS[manner.kind](Ready(model, trees, ps, st))
    if model.target.images:
        timed = partial(waited, timed, model)
    timed()
    names = [leaf.name for leaf in signature.outputs.leaves]
    facts = {
        "artifact": model.artifact.name,
        "sha256": model.artifact.sha256,
        "target": model.target.name,
        "call": manner.kind,
        "threads": manner.threads,
        "versions": dict(model.artifact.manifest.versions),
    }
    return Contestant(name, timed, lambda: named(names, results()), facts)


def waited(timed: Call, model: CompiledModel) -> None:
    """Call a model on a card, and return when the card is done."""
    timed()
    model.engine.library.wait(model.engine.usual)


def named(names: list[str], leaves: Iterator[Any]) -> dict[str, Array]:
    """Return outputs by name, in the memory of the host."""
    return dict(zip(names, map(np.asarray, leaves), strict=True))


def generic(ready: Ready) -> tuple[Call, Callable[[], Iterator[Any]]]:
    """Return the call on all trees, and what returns its outputs."""
    timed = partial(call, ready.model, ready.trees, ready.ps, ready.st)
    return timed, lambda: leaves_of(ready.model.signature.outputs.tree, timed()[0])


def bound(ready: Ready) -> tuple[Call, Callable[[], Iterator[Any]]]:
    """Return the call on inputs and state, and what returns its outputs."""
    model = ready.model.bind(ready.ps, ready.st)
    options = {key: tree for key, tree in ready.trees.items() if key != "x"}
    lux = ready.model.signature.calling == "lux"
    state = ready.st if lux else Variables(ready.ps, ready.st)
    timed = partial(model, ready.trees["x"], state, **options)
    return timed, lambda: leaves_of(ready.model.signature.outputs.tree, timed()[0])


def placed(ready: Ready) -> tuple[Call, Callable[[], Iterator[Any]]]:
    """Return the call on fixed arrays, and what returns those of the outputs.

    The arrays are those that a call made: the new state has all that a state can lack.
    """
    signature = ready.model.signature
    y, after = call(ready.model, ready.trees, ready.ps, ready.st)
    leaves = list(leaves_of(signature.outputs.tree, y))
    lux = signature.calling == "lux"
    timed = ready.model.bind(ready.ps, ready.st).at(
        inputs=ready.trees["x"] if lux else ready.trees,
        outputs=rebuilt(signature.outputs.tree, iter(leaves)),
        state=after,
    )
    return timed, lambda: iter(leaves)


def rebuilt(structure: Structure, leaves: Iterator[Any]) -> Any:
    """Return a tree with these leaves; a list of slices is one array."""
    children = [rebuilt(child, leaves) for child in structure.children]
    match structure.kind:
        case "leaf" | "unstack":
            return next(leaves)
        case "dict":
            return dict(zip(structure.keys, children, strict=True))
        case "list" | "tuple":
            return children if structure.kind == "list" else tuple(children)
    return structure.value


KINDS: Mapping[str, Callable[[Ready], tuple[Call, Callable[[], Iterator[Any]]]]] = {
    "generic": generic,
    "bound": bound,
    "placed": placed,
}
"""The kinds of call, by the words of the command line."""
