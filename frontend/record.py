"""Run a layer on arrays, or turn its call on traced tensors into a node of the graph.

Both families of layers come through here. This is the one module that calls a layer, so a
line of source that is found above it belongs to another layer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.optional import continues, settled
from lxc.ir.builder import Builder
from lxc.ir.node import Body, Location, Value
from lxc.ir.op import Op
from lxc.ir.ops import structure
from lxc.ir.tensor import Tensor, innermost, type_of
from lxc.structure import Structure, join
from lxc.tree import flatten, unflatten

Run = Callable[[Any, Any, Any], tuple[Any, Any]]


class Tree(dict[str, Any]):
    """A dict of parameters or state that knows its path, for names and messages."""

    path: str = ""

    def __missing__(self, key: str) -> Any:
        """Refuse to hand out an entry that there is not."""
        raise LxcError(
            "LXC-E0105",
            f"there is no entry {key}",
            expected=f"an entry {join(self.path, key)}",
            actual=", ".join(self) or "no entries",
            hint="lxc.setup makes trees that fit",
        )


class TreeList(list[Any]):
    """A list of parameters or state that knows its path."""

    path: str = ""


def path_of(*trees: Any) -> str:
    """Return the path of the first tree that knows one, or nothing."""
    known = (tree.path for tree in trees if isinstance(tree, Tree | TreeList))
    return next((path for path in known if path), "")


def with_paths(tree: Any, path: str = "") -> Any:
    """Return `tree` with every dict and list replaced by one that knows its path."""
    result: Tree | TreeList
    if isinstance(tree, dict):
        result = Tree((key, with_paths(tree[key], join(path, key))) for key in tree)
        result.path = path
        return result
    if isinstance(tree, list | tuple):
        children = [with_paths(child, join(path, str(i))) for i, child in enumerate(tree)]
        if isinstance(tree, tuple):
            return tuple(children)
        result = TreeList(children)
        result.path = path
        return result
    return tree


@dataclass(frozen=True)
class LayerCall:
    """A layer that is about to run: what `run(x, ps, st)` does, and what messages call it.

    `source` is the line that made the layer. `op` is the node that the call becomes.
    """

    kind: str
    source: str
    op: Op
    run: Run

    def named(self, path: str) -> str:
        """Return the layer as messages name it: `layer_1.head (Dense)  (model.py:14)`."""
        words = f"{path} ({self.kind})" if path else self.kind
        return f"{words}  ({self.source})" if self.source else words


def call_layer(call: LayerCall, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
    """Return what the layer makes of its trees; a failure learns which layer it was in."""
    builder = innermost([*flatten(x)[0], *flatten(ps)[0], *flatten(st)[0]])
    path = path_of(ps, st)
    try:
        if builder is None:
            return returned(call, call.run(x, ps, st))
        if call.op is structure.noop:
            return record_noop(call, x, builder, path), st
        return record(call, (x, ps, st), builder, path)
    except LxcError as error:
        if error.layer is None:
            error.layer = call.named(path)
        raise
    except Exception as error:
        if asks_for_an_array(error, x):
            raise LxcError(
                "LXC-E0103",
                f"the input is no array but of type {type(x).__name__}",
                layer=call.named(path),
                expected="an array",
                hint="numpy.asarray(x), or numpy.stack(x) for a list of arrays",
            ) from error
        error.add_note(f"in layer {call.named(path)}")
        raise


def asks_for_an_array(error: Exception, x: Any) -> bool:
    """Return whether a layer failed because its input lacks what every array has."""
    return (
        isinstance(error, AttributeError)
        and error.name in ("shape", "dtype", "ndim")
        and type(error.obj) is type(x)
    )


def place_of(call: LayerCall, outer: Builder, path: str) -> Location:
    """Return the location of the call's node: its own path and line, as far as known."""
    layers = (path,) if path else outer.location.layers
    return Location(layers, call.source or outer.location.source)


def record(
    call: LayerCall, trees: tuple[Any, Any, Any], outer: Builder, path: str
) -> tuple[Any, Any]:
    """Run a layer on fresh tensors in a body of its own and append the node outside."""
    inner = Builder(outer, place_of(call, outer, path))
    flat = [flatten(tree) for tree in trees]
    operands = [value_of(leaf, outer) for leaves, _ in flat for leaf in leaves]
    parameters = [Value(operand.type) for operand in operands]
    fresh = iter([Tensor(parameter, inner) for parameter in parameters])
    x, ps, st = (unflatten(shape, [next(fresh) for _ in leaves]) for leaves, shape in flat)
    ps, st = (
        with_paths(ps, path_of(trees[1]) or path),
        with_paths(st, path_of(trees[2]) or path),
    )
    y, after = returned(call, call.run(x, ps, st))
    outputs, tree_out = arrays_of(y, "layer")
    states, structure_after = new_states(st, after)
    yielded = tuple(value_of(leaf, inner) for leaf in (*outputs, *states))
    inner.closed = True
    body = Body((*parameters, *inner.captures.values()), tuple(inner.nodes), yielded)
    results = outer.add(
        call.op,
        *operands,
        *inner.captures,
        bodies=(body,),
        location=inner.location,
        kind=call.kind,
        tree_in=flat[0][1],
        tree_out=tree_out,
    )
    tensors = [Tensor(value, outer) for value in results]
    return (
        unflatten(tree_out, tensors[: len(outputs)]),
        unflatten(structure_after, tensors[len(outputs) :]),
    )


def record_noop(call: LayerCall, x: Any, outer: Builder, path: str) -> Any:
    """Append a node that hands every leaf of `x` on, so that the graph shows the layer."""
    leaves, shape = flatten(x)
    operands = [value_of(leaf, outer) for leaf in leaves]
    results = outer.add(structure.noop, *operands, location=place_of(call, outer, path))
    return unflatten(shape, [Tensor(value, outer) for value in results])


def value_of(leaf: Any, builder: Builder) -> Value:
    """Return the value that stands for an array or tensor inside `builder`."""
    if isinstance(leaf, Tensor):
        return builder.capture(leaf.value, leaf.builder)
    return builder.array(np.asarray(leaf))


def returned(call: LayerCall, result: object) -> tuple[Any, Any]:
    """Return output and state, or raise if the layer returned anything else."""
    if isinstance(result, tuple) and len(result) == 2:
        return result
    raise LxcError(
        "LXC-E0106",
        "the layer did not return an output and a state",
        expected="(y, st)",
        actual=type(result).__name__,
    )


def arrays_of(y: object, maker: str) -> tuple[list[Any], Structure]:
    """Return the leaves of an output and its structure, or raise if there are no leaves."""
    leaves, structure = flatten(y)
    if leaves:
        return leaves, structure
    raise LxcError(
        "LXC-E0106",
        f"the {maker} returned no array",
        expected="an array, or a tuple, list or dict of arrays",
        actual=shortened(y),
    )


def new_states(before: Any, after: Any) -> tuple[Sequence[Any], Structure]:
    """Return the leaves and the structure of the new state.

    Raise if a type changed, or the structure other than by what was None before.
    """
    after = settled(before, after)
    new, structure_after = flatten(after)
    old, structure_before = flatten(before)
    if structure_after != structure_before:
        if not continues(structure_before, structure_after):
            raise changed_structure(structure_before, structure_after)
        return new, structure_after
    for path, was, now in zip(
        structure_before.paths(path_of(before)), old, new, strict=True
    ):
        if type_of(was) != type_of(now):
            raise LxcError(
                "LXC-E0109",
                "the new state has another type than the old one",
                expected=f"{path}: {type_of(was)}",
                actual=f"{path}: {type_of(now)}",
            )
    return new, structure_after


def changed_structure(before: Structure, after: Structure) -> LxcError:
    """Return the error for a state that was given back in another structure."""
    return LxcError(
        "LXC-E0109",
        "the new state has another structure than the old one",
        expected=str(before),
        actual=str(after),
    )
