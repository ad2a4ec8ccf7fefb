"""Run a Kaun model on typed stand-ins and keep what it did as a graph."""

from typing import Any

from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.layer import LayerLike, call_inputs, recorded
from lxc.frontend.kaun.vars import Vars
from lxc.frontend.trace import trace_call
from lxc.ir.graph import Graph


def trace_kaun(
    layer: LayerLike,
    x: Any,
    vars: Vars,
    *,
    training: bool = False,
    rngs: Any = None,
    ctx: Context | None = None,
    name: str = "model",
) -> Graph:
    """Return the graph of `kaun.apply`; leaves may be arrays or `TensorSpec`s.

    Inputs are `%x` and, if given, `%rngs` and `%ctx.<name>`; whether they are is fixed.
    """
    apply = recorded(layer)

    def call(inputs: Any, params: Any, state: Any) -> tuple[Any, Any]:
        bindings = Context(inputs["ctx"]) if "ctx" in inputs else None
        rest = (vars.dtype, training, inputs.get("rngs"), bindings, inputs["x"])
        return apply(params, state, *rest)

    inputs = ("", call_inputs(x, rngs, ctx))
    mode = "train" if training else "test"
    return trace_call(
        call, inputs, vars.params, vars.state, name=name, calling="kaun", mode=mode
    )
