"""Run a model on typed stand-ins and keep what it did as a graph."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.record import arrays_of, new_states, value_of, with_paths
from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, dims_of
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.tensor import Tensor
from lxc.ir.types import TensorSpec, TensorType, type_of_array
from lxc.ir.verify import verify
from lxc.tree import Structure, flatten, unflatten

Call = Callable[[Any, Any, Any], tuple[Any, Any]]


def trace_layer(model: Layer, x: Any, ps: Any, st: Any, *, name: str = "model") -> Graph:
    """Return the graph of `model(x, ps, st)`; leaves may be arrays or `TensorSpec`s."""
    mode = mode_of(flatten(st)[1])
    return trace_call(model, ("x", x), ps, st, name=name, calling="lux", mode=mode)


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
    builder = Builder()
    parts = ((inputs[1], "%", inputs[0]), (ps, "@", ""), (st, "$", ""))
    trees, headers, structures = zip(
        *(stand_ins(*part, builder) for part in parts), strict=True
    )
    dims = named_dims([value.type for values in headers for value in values])
    x, params, state = trees
    y, new_state = function(x, with_paths(params), with_paths(state))
    outputs, output_tree = arrays_of(y, "model")
    leaves = (outputs, new_states(state, new_state))
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
        **dict(zip(("input_tree", "param_tree", "state_tree"), structures, strict=True)),
    )
    verify(graph)
    return graph


def stand_ins(
    tree: Any, sigil: str, prefix: str, builder: Builder
) -> tuple[Any, tuple[Value, ...], Structure]:
    """Return `tree` with tensors for leaves, their header values, and the structure."""
    leaves, structure = flatten(tree)
    values = tuple(
        Value(leaf_type(leaf), sigil + path)
        for leaf, path in zip(leaves, structure.paths(prefix), strict=True)
    )
    return unflatten(structure, [Tensor(v, builder) for v in values]), values, structure


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
