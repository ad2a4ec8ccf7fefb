"""The layer protocol of Kaun: two callables, and variables that come from outside.

A layer is any object with `init(dtype, rng) -> Vars` and `apply(params, state, dtype,
training, rngs, ctx, x) -> (y, state)`. On arrays `apply` runs at once; on traced tensors it
becomes a node.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from reprlib import repr as shortened
from typing import Any, Protocol

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.kaun.calling import Calling, calling_of
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.vars import Vars, make_vars, witness
from lxc.frontend.printing import record_text
from lxc.frontend.record import LayerCall, call_layer, path_of, with_paths
from lxc.frontend.setup import frozen, generator_of
from lxc.html import text
from lxc.ir.ops import structure
from lxc.ir.tensor import source_line

Apply = Callable[..., tuple[Any, Any]]
Init = Callable[[np.dtype[Any], np.random.Generator], Vars]


class LayerLike(Protocol):
    """What counts as a layer."""

    @property
    def init(self) -> Init:
        """Return fresh variables in a float type."""

    @property
    def apply(self) -> Apply:
        """Return the output and the new state, in the structure of the old one."""


@dataclass(frozen=True)
class RecordedApply:
    """An `apply` whose calls on traced tensors become nodes called `kind`.

    A container's node is a chain, which passes may take apart.
    """

    function: Apply
    kind: str
    source: str = ""
    is_container: bool = False
    calling: Calling = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Look once at what the function takes."""
        calling = calling_of(self.function, self.kind, self.source)
        object.__setattr__(self, "calling", calling)

    def __call__(
        self,
        params: Any,
        state: Any,
        dtype: np.dtype[Any],
        training: bool,
        rngs: Any,
        ctx: Context | None,
        x: Any,
    ) -> tuple[Any, Any]:
        """Return the output and the new state."""
        op = structure.chain if self.is_container else structure.layer
        run = partial(self.run, dtype, training)
        call = LayerCall(self.kind, self.source, op, run)
        return call_layer(call, call_inputs(x, rngs, ctx), params, state)

    def run(
        self, dtype: np.dtype[Any], training: bool, inputs: Any, params: Any, state: Any
    ) -> tuple[Any, Any]:
        """Return what the function makes of the inputs of one call."""
        ctx = Context(inputs["ctx"]) if "ctx" in inputs else None
        given = {"rngs": inputs.get("rngs"), "ctx": ctx, "x": inputs["x"]}
        leading = (params, state, dtype, training)
        result: tuple[Any, Any] = self.calling.call(self.function, leading, given)
        return result


def call_inputs(x: Any, rngs: Any, ctx: Context | None) -> dict[str, Any]:
    """Return the inputs of one call as a tree; what is not given has no entry."""
    inputs = {"x": x}
    if rngs is not None:
        inputs["rngs"] = rngs
    if ctx is not None:
        inputs["ctx"] = dict(bindings_of(ctx))
    return inputs


def mode_given(training: object) -> bool:
    """Return the flag `training` of a call, or raise if it is no bool."""
    if isinstance(training, bool | np.bool_):
        return bool(training)
    raise LxcError(
        "LXC-E0103",
        "training selects what layers do, so it is known before they run",
        expected="training: True or False",
        actual=f"training: {shortened(training)}",
    )


def bindings_of(ctx: object) -> Mapping[str, Any]:
    """Return what a context binds, or raise if it is none (a dict, say)."""
    if isinstance(ctx, Context):
        return ctx.bindings
    raise LxcError(
        "LXC-E0103",
        f"this ctx is of type {type(ctx).__name__} and not a context",
        expected="ctx: a lxc.kaun.Context, or None",
        hint="lxc.kaun.Context({name: tensor}) is a context of these tensors",
    )


@dataclass(frozen=True)
class Layer:
    """One step of a network, as a record of two callables.

    `init(dtype, rng)` returns fresh variables, all float ones of element type `dtype`.
    `apply(params, state, dtype, training, rngs, ctx, x)` returns `(y, state)` with the
    state in the structure it came in; `rngs` is a key u32[2] or None, `ctx` a `Context` or
    None. A function that has no use for `rngs` or `ctx` may leave them out.
    """

    init: Init
    apply: Apply

    def __post_init__(self) -> None:
        """Make `apply` record itself, under the line that makes the layer."""
        if not isinstance(self.apply, RecordedApply):
            own = RecordedApply(self.apply, "Layer", source_line(""))
            object.__setattr__(self, "apply", own)

    def __repr__(self) -> str:
        """Return the call that makes a layer of lxc's own, a name for any other."""
        recorded = self.apply
        kind = recorded.kind if isinstance(recorded, RecordedApply) else "Layer"
        return record_text(kind, getattr(self.init, "__self__", None))

    def _repr_html_(self) -> str:
        """Return the layer for a notebook."""
        return text(repr(self))


class Configuration(Protocol):
    """Sizes and options of a layer that lxc brings, with its two callables as methods."""

    def init(self, dtype: np.dtype[Any], rng: np.random.Generator) -> Vars:
        """Return fresh variables."""

    def apply(
        self,
        params: Any,
        state: Any,
        dtype: np.dtype[Any],
        training: bool,
        rngs: Any,
        ctx: Context | None,
        x: Any,
    ) -> tuple[Any, Any]:
        """Return output and state."""


def layer_of(made: Configuration, kind: str, *, is_container: bool = False) -> Layer:
    """Return the record of a configured layer; `kind` is the function that users called."""
    return Layer(made.init, RecordedApply(made.apply, kind, source_line(""), is_container))


def recorded(layer: LayerLike) -> Apply:
    """Return a layer's `apply` so that its calls become nodes, whoever wrote the layer."""
    if not callable(getattr(layer, "init", None)) or not callable(
        getattr(layer, "apply", None)
    ):
        raise LxcError(
            "LXC-E0101",
            f"{layer!r} is not a layer",
            expected="an object with the callables init and apply",
            actual=type(layer).__name__,
        )
    if isinstance(layer.apply, RecordedApply):
        return layer.apply
    return RecordedApply(layer.apply, type(layer).__name__)


def init(
    layer: LayerLike, dtype: Any = "float32", rng: int | np.random.Generator = 0
) -> Vars:
    """Return fresh variables of `layer` in the float type `dtype`, as read-only arrays.

    `rng` is a seed or a NumPy generator, which advances: the same seed gives the same
    variables.
    """
    recorded(layer)
    made = layer.init(witness(dtype), generator_of(rng))
    return make_vars(frozen(made.params), frozen(made.state), made.dtype)


def apply(
    layer: LayerLike,
    vars: Vars,
    x: Any,
    training: bool = False,
    rngs: Any = None,
    ctx: Context | None = None,
) -> tuple[Any, Vars]:
    """Return the output for `x`, and the variables with the new state.

    `training` selects what dropout and batch_norm do; `rngs`, a key u32[2], is needed where
    something is drawn. Parameters are handed on as they are.
    """
    params, state = (with_paths(tree, path_of(tree)) for tree in (vars.params, vars.state))
    mode = mode_given(training)
    y, state = recorded(layer)(params, state, vars.dtype, mode, rngs, ctx, x)
    return y, vars.with_state(state)


def predict(layer: LayerLike, vars: Vars, x: Any, ctx: Context | None = None) -> Any:
    """Return the output of `apply` outside of training; the new state is dropped."""
    y, _ = apply(layer, vars, x, training=False, ctx=ctx)
    return y
