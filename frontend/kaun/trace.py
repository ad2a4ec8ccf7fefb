"""Run a Kaun model on typed stand-ins and keep what it did as a graph."""

from typing import Any

from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.layer import LayerLike, call_inputs, recorded
from lxc.frontend.kaun.vars import Vars
from lxc.frontend.trace import trace_call, with_optional
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

    Inputs are `%x` and, if given, `%rngs` and `%ctx.<name>`; whether they are is fixed. An
    empty context is no input.
    """
    apply = recorded(layer)

    def call(inputs: Any, params: Any, state: Any) -> tuple[Any, Any]:
        bindings = Context(inputs["ctx"]) if "ctx" in inputs else ctx
        rest = (vars.dtype, training, inputs.get("rngs"), bindings, inputs["x"])
        return apply(params, state, *rest)

    inputs = ("", call_inputs(x, rngs, ctx if ctx and ctx.bindings else None))
    mode = "train" if training else "test"
    state = with_optional(call, inputs, vars.params, vars.state)
    return trace_call(
        call, inputs, vars.params, state, name=name, calling="kaun", mode=mode
    )
