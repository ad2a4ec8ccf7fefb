"""Compile a model of either family, or a graph."""

from collections.abc import Sequence
from typing import Any

from lxc import __version__
from lxc.errors import InternalError, LxcError
from lxc.ir.graph import Graph
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, Choices, passes_named, run_passes
from lxc.runtime import CompiledModel, load
from lxc.targets import targets_named
from lxc.targets.compile import build_artifact
from lxc.tracing import is_kaun, trace


def compile(
    model: Any,
    *arguments: Any,
    target: str | Sequence[str] = "llvm",
    mode: str | None = None,
    training: bool = False,
    rngs: Any = None,
    ctx: Any = None,
    name: str = "model",
    exact: bool = False,
) -> CompiledModel:
    """Return a compiled model that is called as the model itself.

    `model` is a `Graph` without further arguments, or a layer with the arguments of
    `trace`. `target` names one target or several; the loader picks the best that fits the
    machine. `exact` leaves out algorithms that are faster and less exact: every product and
    convolution is one sum per result. The model holds no parameters: they are arguments of
    every call.
    """
    check_arguments(model, arguments)
    if isinstance(model, Graph):
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
    choices = Choices(exact=exact)
    return load(
        artifact_of(graph, target, name=name, choices=choices, options=choices.to_json())
    )


def check_arguments(model: Any, arguments: Sequence[Any]) -> None:
    """Refuse a model without an input, and a graph with one."""
    if isinstance(model, Graph):
        if arguments:
            raise LxcError(
                "LXC-E0001", "a graph is compiled as it is: it takes no further arguments"
            )
    elif not arguments:
        form = "compile(layer, x, vars)" if is_kaun(model) else "compile(model, x, ps, st)"
        raise LxcError(
            "LXC-E0001",
            "a model is compiled for an input, and none is given",
            expected=form,
            hint="x is an array or a TensorSpec",
        )


def artifact_of(graph: Graph, target: str | Sequence[str], **options: Any) -> bytes:
    """Return an artifact for a traced graph; `options` are those of `build_artifact`."""
    chosen = targets_named(target)
    outcome = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE)))
    if not isinstance(outcome.program, Graph):
        raise InternalError("compilation", "the passes for all targets split the graph")
    return build_artifact(
        outcome.program,
        chosen,
        mode=graph.mode,
        traced=graph,
        versions={"lxc": __version__},
        **options,
    )
