"""Compile a model of either family, or a graph."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lxc import __version__
from lxc.caching.code_cache import CodeCache
from lxc.errors import InternalError, LxcError
from lxc.ir.graph import Graph
from lxc.memory.limit import check_memory, needs_in
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, Choices, passes_named, run_passes
from lxc.passes.choices import DEFAULT
from lxc.passes.precision import check_paths, plan_of
from lxc.passes.records import Records
from lxc.record_file import given_records
from lxc.runtime import CompiledModel
from lxc.runtime.artifact import read
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
    precision: str | Mapping[str, str] = "float32",
    records: Records | Path | str | None = None,
    cache: Path | str | None = None,
    max_memory: int | None = None,
) -> CompiledModel:
    """Return a compiled model that is called as the model itself.

    `model` is a `Graph` without further arguments, or a layer with the arguments of
    `trace`. `target` names one target or several; the loader picks the best that fits the
    machine. `exact` leaves out algorithms that are faster and less exact: every product and
    convolution is one sum per result. `precision` is that of products with weights,
    "float32", "tf32", "bf16" or "int8", for all layers or for each path of a mapping; the
    path "" stands for all layers that no other one covers. `records` are those of `tune`,
    or the file that they are in. Code is kept in the folder `cache`, if one is given, and
    taken from it where the same was compiled before. A model whose parameters, prepared
    values and arena take more than `max_memory` bytes, with dimensions at their upper
    bounds, is refused. The model holds no parameters: they are arguments of every call. One
    for other machines can be saved; its first call says what this one lacks.
    """
    graph = traced(
        model,
        arguments,
        mode=mode,
        training=training,
        rngs=rngs,
        ctx=ctx,
        name=name,
    )
    known = given_records(records)
    choices = Choices(exact=exact, precision=plan_of(precision), records=known)
    encoded = artifact_of(
        graph,
        target,
        name=name,
        choices=choices,
        options=choices.to_json(),
        kept=None if cache is None else CodeCache(Path(cache)),
    )
    artifact = read(encoded)
    check_memory(needs_in(artifact.manifest.memory), max_memory)
    return CompiledModel(artifact, at_once=False)


def traced(model: Any, arguments: Sequence[Any], **options: Any) -> Graph:
    """Return the graph of a layer with the arguments of `trace`, or a graph as it is."""
    check_arguments(model, arguments)
    return model if isinstance(model, Graph) else trace(model, *arguments, **options)


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


def artifact_of(
    graph: Graph,
    target: str | Sequence[str],
    *,
    choices: Choices = DEFAULT,
    **options: Any,
) -> bytes:
    """Return an artifact for a traced graph; `options` are those of `build_artifact`."""
    chosen = targets_named(target)
    check_paths(choices.precision, graph)
    return build_artifact(
        tensor_level(graph),
        chosen,
        mode=graph.mode,
        traced=graph,
        choices=choices,
        versions={"lxc": __version__},
        **options,
    )


def tensor_level(graph: Graph) -> Graph:
    """Return a traced graph as every target starts from it."""
    outcome = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE)))
    if not isinstance(outcome.program, Graph):
        raise InternalError("compilation", "the passes for all targets split the graph")
    return outcome.program
