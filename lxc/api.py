"""The two verbs of the Python interface: trace a model, compile a model."""

from collections.abc import Sequence
from typing import Any

from lxc import __version__
from lxc.errors import LxcError
from lxc.frontend.kaun.trace import trace_kaun
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.setup import with_mode
from lxc.frontend.trace import trace_layer
from lxc.ir.graph import Graph
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.runtime import CompiledModel, load
from lxc.targets import targets_named
from lxc.targets.compile import build_artifact


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
    `train`; None takes the state as it is.
    """
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
    return callable(getattr(model, "init", None)) and callable(getattr(model, "apply", None))


def exactly(trees: tuple[Any, ...], names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the trees behind x if their number is right, or raise."""
    if len(trees) != len(names):
        raise LxcError(
            "LXC-E0001",
            f"the model takes x, {', '.join(names)}",
            expected=f"{len(names)} trees after x",
            actual=f"{len(trees)} trees after x",
        )
    return trees


def compile(
    model: Any,
    *arguments: Any,
    target: str | Sequence[str] = "llvm",
    mode: str | None = None,
    training: bool = False,
    rngs: Any = None,
    ctx: Any = None,
    name: str = "model",
) -> CompiledModel:
    """Return a compiled model that is called as the model itself.

    `model` is a `Graph` without further arguments, or a layer with the arguments of
    `trace`. `target` names one target or several; the loader picks the best that fits the
    machine. The model holds no parameters: they are arguments of every call.
    """
    if isinstance(model, Graph):
        exactly(arguments, ())
        graph = model
    else:
        graph = trace(
            model,
            *arguments,
            mode=mode,
            training=training,
            rngs=rngs,
            ctx=ctx,
            name=name,
        )
    return load(artifact_of(graph, target, name=name))


def artifact_of(graph: Graph, target: str | Sequence[str], **options: Any) -> bytes:
    """Return the bytes of an artifact for a traced graph; `options` are `build_artifact`'s."""
    outcome = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE)))
    chosen = targets_named(target if isinstance(target, str) else list(target))
    return build_artifact(
        outcome.program, chosen, mode=graph.mode, traced=graph, versions={"lxc": __version__}, **options
    )
