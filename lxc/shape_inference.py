"""What a model of either family returns, without running it."""

from typing import Any

from lxc.ir.node import Value
from lxc.ir.types import TensorSpec
from lxc.structure import Structure
from lxc.tracing import is_kaun, trace
from lxc.tree import Optional, Unstacked, unflatten


def eval_shape(
    model: Any,
    x: Any,
    *trees: Any,
    mode: str | None = None,
    training: bool = False,
    rngs: Any = None,
    ctx: Any = None,
) -> tuple[Any, Any]:
    """Return what a call of `model` returns, with a `TensorSpec` in place of each array.

    The arguments are those of `lxc.trace`, the results those of the model: output and state
    of a layer of the Lux family, output and variables of one of the Kaun family. Leaves may
    be arrays or specs, whose shapes may hold `Dim`s. An entry of the state that is None
    only at first is shown as it is later. Nothing is computed.
    """
    graph = trace(model, x, *trees, mode=mode, training=training, rngs=rngs, ctx=ctx)
    y = specs(graph.output_tree, graph.outputs)
    state = specs(graph.state_tree, graph.updates)
    if is_kaun(model):
        params = specs(graph.param_tree, graph.params)
        return y, trees[0].with_params(params).with_state(state)
    return y, state


def specs(structure: Structure, values: tuple[Value, ...]) -> Any:
    """Return the tree of a section of the graph with specs as leaves."""
    return plain(unflatten(structure, [spec_of(value) for value in values]))


def plain(tree: Any) -> Any:
    """Return a tree of dicts, lists and tuples; lists of unknown length stay arrays."""
    if isinstance(tree, Optional):
        return plain(tree.value)
    if isinstance(tree, Unstacked):
        shape = list(tree.stacked.shape)
        length = shape.pop(tree.axis)
        entry = TensorSpec(tuple(shape), tree.stacked.dtype)
        return [entry] * length if isinstance(length, int) else tree
    if isinstance(tree, dict):
        return {key: plain(child) for key, child in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(plain(child) for child in tree)
    return tree


def spec_of(value: Value) -> TensorSpec:
    """Return the spec of a value."""
    return TensorSpec(value.type.shape, value.type.dtype.numpy)
