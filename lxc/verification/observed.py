"""The values between the kernels of a call, read out of its memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lxc.ir.graph import Graph, Program
from lxc.ir.node import Value
from lxc.ir.types import Array
from lxc.runtime import CompiledModel
from lxc.runtime.checkpoint import tree_from
from lxc.verification.arena import array_at, remains
from lxc.verification.given import Given
from lxc.verification.target_check import results_of


@dataclass(frozen=True)
class Observed:
    """What one call left behind.

    `prepare` and `run` have the results of nodes, as far as they can be read; `prepared`
    what the run got from `prepare`, in order; `results` those of the call by name.
    """

    prepare: Mapping[Value, Array]
    run: Mapping[Value, Array]
    prepared: Sequence[Array]
    results: Mapping[str, Array]


def observed(model: CompiledModel, program: Program, given: Given) -> Observed:
    """Return what a call of a model's code leaves; `program` is what it was made of."""
    results = results_of(model, given)
    block, arena = prepared_block(model, given), model.engine.scratch_bytes()
    known = prepare_headers(program.prepare, model, given)
    half, sizes = program.prepare, given.sizes
    prepared = [
        array_at(block, half.places[made], made, sizes)
        if made in half.places
        else known[made]
        for made in half.outputs
    ]
    return Observed(
        remains(half, block, sizes),
        {**remains(program.run, arena, sizes), **by_value(program.run, model, results)},
        prepared,
        results,
    )


def prepared_block(model: CompiledModel, given: Given) -> Array:
    """Return the memory that the params of a call were prepared in."""
    engine, signature = model.engine, model.signature
    params = tree_from(given.params, signature.params, "params")
    state = tree_from(given.state, signature.state, "state")
    leaves = engine.params.leaves(params), engine.state.leaves(state)
    return engine.prepared_bytes(engine.preparer.get(*leaves, engine.usual))


def prepare_headers(
    graph: Graph, model: CompiledModel, given: Given
) -> Mapping[Value, Array]:
    """Return the arrays of the header of `prepare`."""
    values = given.ordered(model.signature)
    pairs = (
        *zip(graph.params, values.params, strict=True),
        *zip(graph.state, values.state, strict=True),
    )
    stored = {value: graph.arrays[value.name] for value in graph.data}
    return {**dict(pairs), **stored}


def by_value(
    graph: Graph, model: CompiledModel, results: Mapping[str, Array]
) -> dict[Value, Array]:
    """Return the results of a call by what the graph returns them as."""
    signature = model.signature
    outputs = [leaf.name for leaf in signature.outputs.leaves]
    state = [f"state {leaf.name}" for leaf in signature.state.leaves]
    headers = set(graph.headers)
    return {
        value: np.asarray(results[name])
        for value, name in zip(graph.results, (*outputs, *state), strict=True)
        if name in results and value not in headers
    }
