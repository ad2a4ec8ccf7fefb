"""Trace a model of either family."""

from typing import Any

from lxc.errors import LxcError
from lxc.frontend.kaun.trace import trace_kaun
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.setup import with_mode
from lxc.frontend.trace import trace_layer
from lxc.ir.graph import Graph
from lxc.runtime.signature import identifier


def trace(
    model: Any,
    x: Any,
    *trees: Any,
    mode: str | None = None,
    training: bool = False,
    rngs: Any = None,
    ctx: Any = None,
    name: str = "model",
) -> Graph:
    """Return the typed graph of one call of `model`.

    A layer of the Lux family is traced as `trace(model, x, ps, st)`, one of the Kaun family
    as `trace(layer, x, vars, training=, rngs=, ctx=)`. Leaves are arrays or `TensorSpec`s,
    whose shapes may hold `Dim`s. `mode` sets every `training` of a Lux state to `test` or
    `train`; None takes the state as it is. In `name` underscores stand for what IR text and
    C names cannot have.
    """
    name = identifier(name)
    if is_kaun(model):
        (variables,) = exactly(trees, ("vars",))
        return trace_kaun(
            model, x, variables, training=training, rngs=rngs, ctx=ctx, name=name
        )
    ps, st = exactly(trees, ("ps", "st"))
    return trace_layer(as_layer(model), x, ps, with_mode(st, mode), name=name)


def is_kaun(model: Any) -> bool:
    """Return whether a model is a record with the callables `init` and `apply`."""
    if isinstance(model, Layer):
        return False
    return callable(getattr(model, "init", None)) and callable(
        getattr(model, "apply", None)
    )


def exactly(trees: tuple[Any, ...], names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the trees behind x if their number is right, or raise."""
    if len(trees) != len(names):
        raise LxcError(
            "LXC-E0001",
            f"the model takes {', '.join(('x', *names))}",
            expected=f"{len(names)} trees after x",
            actual=f"{len(trees)} trees after x",
        )
    return trees
