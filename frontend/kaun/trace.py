"""Run a Kaun model on typed stand-ins and keep what it did as a graph."""

from typing import Any

from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.layer import (
    LayerLike,
    bindings_of,
    call_inputs,
    mode_given,
    recorded,
)
from lxc.frontend.kaun.vars import Vars
from lxc.frontend.trace import Call, trace_call, with_optional
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

    def call_in(mode: bool) -> Call:
        def call(inputs: Any, params: Any, state: Any) -> tuple[Any, Any]:
            bindings = Context(inputs["ctx"]) if "ctx" in inputs else ctx
            rest = (vars.dtype, mode, inputs.get("rngs"), bindings, inputs["x"])
            return apply(params, state, *rest)

        return call

    given = ctx if ctx is not None and bindings_of(ctx) else None
    inputs = ("", call_inputs(x, rngs, given))
    mode = "train" if mode_given(training) else "test"
    call, other = call_in(bool(training)), call_in(not training)
    state = with_optional(call, inputs, vars.params, vars.state, (other,))
    return trace_call(
        call, inputs, vars.params, state, name=name, calling="kaun", mode=mode
    )
