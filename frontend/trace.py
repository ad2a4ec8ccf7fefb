"""Run a model on typed stand-ins and keep what it did as a graph."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.optional import completed
from lxc.frontend.record import (
    arrays_of,
    changed_structure,
    new_states,
    value_of,
    with_paths,
)
from lxc.frontend.setup import testmode, trainmode
from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, dims_of
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.tensor import Tensor
from lxc.ir.types import TensorSpec, TensorType, type_of_array
from lxc.ir.verify import verify
from lxc.structure import Structure
from lxc.tree import flatten, map_leaves, unflatten

Call = Callable[[Any, Any, Any], tuple[Any, Any]]


def trace_layer(model: Layer, x: Any, ps: Any, st: Any, *, name: str = "model") -> Graph:
    """Return the graph of `model(x, ps, st)`; leaves may be arrays or `TensorSpec`s."""
    mode = mode_of(flatten(st)[1])
    st = with_optional(model, ("x", x), ps, st, in_both_modes(model))
    return trace_call(model, ("x", x), ps, st, name=name, calling="lux", mode=mode)


def in_both_modes(model: Layer) -> tuple[Call, ...]:
    """Return the calls of a model with its state in training and in test mode."""

    def in_mode(set_mode: Callable[[Any], Any]) -> Call:
        return lambda x, ps, st: model(x, ps, set_mode(st))

    return in_mode(trainmode), in_mode(testmode)


def with_optional(
    function: Call, inputs: tuple[str, Any], ps: Any, st: Any, others: Sequence[Call]
) -> Any:
    """Return the state with an `Optional` for each entry that is None only at first.

    The model is run on stand-ins as it is and then, for what only other modes make, as
    each of `others`.
    """

    def run_of(call: Call) -> Callable[[Any], Any]:
        return lambda state: Recording(inputs, ps, state).run(call)[1]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        st = completed(st, run_of(function))
        for other in others:
            # A model that cannot run in a mode, for any reason, makes nothing there.
            with suppress(Exception):
                st = completed(completed(st, run_of(other)), run_of(function))
    return st


def mode_of(state: Structure) -> str:
    """Return `train` or `test` if every layer's `training` says so, else `mixed`."""
    found = {value for path, value in state.statics() if path.split(".")[-1] == "training"}
    if len(found) > 1:
        return "mixed"
    return "train" if True in found else "test"


def trace_call(
    function: Call,
    inputs: tuple[str, Any],
    ps: Any,
    st: Any,
    *,
    name: str,
    calling: str,
    mode: str,
) -> Graph:
    """Return the graph of `function(inputs, ps, st) -> (y, st)`.

    `inputs` come with the name that their paths start with, which may be empty. The leaves
    of every tree become header values named by their paths.
    """
    recording = Recording(inputs, ps, st)
    builder, headers = recording.builder, recording.headers
    dims = named_dims([value.type for values in headers for value in values])
    y, new_state = recording.run(function)
    outputs, output_tree = arrays_of(y, "model")
    states, state_tree = new_states(recording.trees[2], new_state)
    if state_tree != recording.structures[2]:
        raise changed_structure(recording.structures[2], state_tree)
    leaves = (outputs, states)
    results = [tuple(value_of(leaf, builder) for leaf in part) for part in leaves]
    builder.closed = True
    graph = Graph(name, dims, output_tree=output_tree, calling=calling, mode=mode)
    graph = graph.replaced(
        nodes=tuple(builder.nodes),
        outputs=results[0],
        updates=results[1],
        data=tuple(value for value, _ in builder.data.values()),
        arrays={key: array for key, (_, array) in builder.data.items()},
        **dict(zip(("inputs", "params", "state"), headers, strict=True)),
        **dict(
            zip(
                ("input_tree", "param_tree", "state_tree"),
                recording.structures,
                strict=True,
            )
        ),
    )
    verify(graph)
    return graph


class Recording:
    """One call of a model on tensors that stand for the leaves of its trees."""

    def __init__(self, inputs: tuple[str, Any], ps: Any, st: Any) -> None:
        """Make the tensors and their header values."""
        self.builder = Builder()
        tied = flatten(map_leaves(own_object, ps), tied=True)
        parts = (
            (flatten(inputs[1]), "%", inputs[0]),
            (tied, "@", ""),
            (flatten(st), "$", ""),
        )
        made = [stand_ins(*part, self.builder) for part in parts]
        self.trees, self.headers = zip(*made, strict=True)
        self.structures = [part[0][1] for part in parts]

    def run(self, function: Call) -> tuple[Any, Any]:
        """Return output and new state as trees of tensors."""
        x, params, state = self.trees
        return function(x, with_paths(params), with_paths(state))


def own_object(leaf: Any) -> Any:
    """Return an array as it is, and a copy of a type: only arrays can be tied."""
    return TensorSpec(leaf.shape, leaf.dtype) if isinstance(leaf, TensorSpec) else leaf


def stand_ins(
    flat: tuple[list[Any], Structure], sigil: str, prefix: str, builder: Builder
) -> tuple[Any, tuple[Value, ...]]:
    """Return the tree with tensors for leaves, and their header values."""
    leaves, structure = flat
    values = tuple(
        Value(leaf_type(leaf), sigil + path)
        for leaf, path in zip(leaves, structure.paths(prefix), strict=True)
    )
    return unflatten(structure, [Tensor(v, builder) for v in values]), values


def leaf_type(leaf: Any) -> TensorType:
    """Return the type of an array or spec."""
    return leaf.type if isinstance(leaf, TensorSpec) else type_of_array(np.asarray(leaf))


def named_dims(types: list[TensorType]) -> tuple[Dim, ...]:
    """Return every dimension in `types` once, or raise if two with one name differ."""
    found: dict[str, Dim] = {}
    for dim in (dim for t in types for entry in t.shape for dim in dims_of(entry)):
        if found.setdefault(dim.name, dim) != dim:
            raise LxcError(
                "LXC-E0111",
                f"dimension {dim.name} has two ranges",
                expected=f"{found[dim.name].low}..{found[dim.name].high}",
                actual=f"{dim.low}..{dim.high}",
            )
    return tuple(found.values())
