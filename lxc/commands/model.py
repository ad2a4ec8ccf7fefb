"""The model of a command: traced on the inputs that it names, with values for leaves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from lxc.commands.leaves import (
    arrays_in,
    check_names,
    check_state,
    check_tied,
    check_types,
    is_below,
    none_paths,
    section_of,
    sections_of,
)
from lxc.commands.onnx_inputs import onnx_inputs
from lxc.commands.source import load_source, users_code
from lxc.commands.stand_ins import stand_ins
from lxc.errors import LxcError
from lxc.frontend.kaun import Context, Vars, init
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.onnx.model import OnnxModel
from lxc.frontend.setup import setup, with_mode
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.types import FLOATS, Array, dtype_of
from lxc.runtime.checkpoint import flatten_names
from lxc.runtime.signature import Group
from lxc.targets.buffer_table import signature_of
from lxc.tracing import is_kaun, trace
from lxc.tree import flatten, unflatten
from lxc.tree_paths import trees_by_key


@dataclass(frozen=True)
class ModelOptions:
    """What the command line says of a model."""

    source: str
    inputs: tuple[str, ...]
    dims: tuple[str, ...]
    mode: str
    seed: int
    params: Path | None
    state: Path | None


@dataclass(frozen=True)
class TracedModel:
    """A graph, the values of its leaves where they are known, and where those come from."""

    graph: Graph
    params: Mapping[str, Array] | None
    state: Mapping[str, Array] | None
    origins: Mapping[str, str]


def model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `ModelOptions` to a command."""
    file = click.Path(path_type=Path)
    for option in (
        click.option("--seed", default=0, show_default=True, help="Seed of set-up."),
        click.option(
            "--mode",
            type=click.Choice(["test", "train"]),
            default="test",
            show_default=True,
            help="What the state's `training` says.",
        ),
        click.option("--state", type=file, help="Safetensors file with the state."),
        click.option("--params", type=file, help="Safetensors file with the parameters."),
        click.option(
            "--dim", "dims", multiple=True, help="Bounds of a dimension: N=1..64."
        ),
        click.option(
            "--input", "inputs", multiple=True, help="Type of an input: x=f32[N,1,28,28]."
        ),
    ):
        function = option(function)
    return function


def traced_model(options: ModelOptions, name: str) -> TracedModel:
    """Return the model that SOURCE names, traced on stand-ins for its inputs."""
    model = load_source(options.source)
    if isinstance(model, Graph):
        return given_graph(model, options)
    if isinstance(model, OnnxModel):
        x = onnx_inputs(model, options.inputs, options.dims)
        return traced_lux(model, x, options, name)
    specs = stand_ins(options.inputs, options.dims)
    if not any(path.partition(".")[0] == "x" for path in specs):
        raise LxcError(
            "LXC-E0001",
            "the type of the model's input x is not given",
            hint="--input x=f32[1,784], or --input x=f32[N,784] --dim N=1..64",
        )
    trees = trees_by_key(specs)
    known = ("x", "rngs", "ctx") if is_kaun(model) else ("x",)
    for key in trees:
        if key not in known:
            raise LxcError(
                "LXC-E0001", f"the model has no input {key}", expected=", ".join(known)
            )
    if is_kaun(model):
        return traced_kaun(model, trees, options, name)
    return traced_lux(model, trees["x"], options, name)


def traced_lux(model: Any, x: Any, options: ModelOptions, name: str) -> TracedModel:
    """Return a model of the Lux family after set-up and tracing."""
    with users_code(options.source):
        ps, st = setup(options.seed, as_layer(model))
    drawn = not isinstance(model, OnnxModel)
    ps, st, origins = with_values(ps, with_mode(st, options.mode), options, drawn=drawn)
    with users_code(options.source):
        graph = trace(model, x, ps, st, name=name)
    return TracedModel(graph, *stored(graph, ps, st, options), origins)


def stored(
    graph: Graph, ps: Any, st: Any, options: ModelOptions
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the values of the graph's leaves by name; a tied one is there once.

    Only the graph knows what a state that is None at first may become, so a file with
    values for that is compared with it here.
    """
    path, state = state_file(options), named(graph.state, st)
    if path is not None:
        state = section_of(path, "state")
        check_state(path, state, state_group(graph))
    return named(graph.params, ps), state


def state_group(graph: Graph) -> Group:
    """Return names and types of the leaves of a graph's state."""
    return signature_of(graph, name="model", mode=graph.mode).state


def named(header: Sequence[Value], tree: Any) -> dict[str, Array]:
    """Return the arrays of a tree for those header values that it has."""
    arrays = flatten_names(tree)
    names = (value.name[1:] for value in header)
    return {name: arrays[name] for name in names if name in arrays}


def traced_kaun(
    model: Any, trees: Mapping[str, Any], options: ModelOptions, name: str
) -> TracedModel:
    """Return a model of the Kaun family after set-up and tracing."""
    x = trees["x"]
    leaves, _ = flatten(x)
    floats = [leaf.type.dtype for leaf in leaves if leaf.type.dtype in FLOATS]
    dtype = floats[0].numpy if floats else np.dtype(np.float32)
    with users_code(options.source):
        fresh = init(model, dtype=dtype_of(dtype).numpy, rng=options.seed)
    ps, st, origins = with_values(fresh.params, fresh.state, options)
    variables = Vars(ps, st, fresh.dtype)
    context = Context(trees["ctx"]) if "ctx" in trees else None
    with users_code(options.source):
        graph = trace(
            model,
            x,
            variables,
            training=options.mode == "train",
            rngs=trees.get("rngs"),
            ctx=context,
            name=name,
        )
    return TracedModel(graph, *stored(graph, ps, st, options), origins)


def given_graph(graph: Graph, options: ModelOptions) -> TracedModel:
    """Return a graph from text; its leaves have values only if files give them."""
    if options.inputs or options.dims:
        raise LxcError(
            "LXC-E0001", "IR text has its own inputs; --input and --dim do not fit"
        )
    origins, values = {}, {}
    for section, path in (("params", options.params), ("state", options.state)):
        origins[section] = str(path) if path else "given at each call"
        if path is not None:
            values[section] = found = section_of(path, section)
            if section == "state":
                check_state(path, found, state_group(graph))
            else:
                names = [value.name[1:] for value in graph.params]
                check_names(section, path, list(found), names)
    return TracedModel(graph, values.get("params"), values.get("state"), origins)


def with_values(
    ps: Any, st: Any, options: ModelOptions, *, drawn: bool = True
) -> tuple[Any, Any, dict[str, str]]:
    """Return the trees with the values from files in place, and where all values come from.

    One file may hold both; the state that no file gives is that of set-up. Values are those
    of the source itself where set-up has not `drawn` them.
    """
    origin = f"drawn with seed {options.seed}" if drawn else options.source
    origins = dict.fromkeys(("params", "state"), origin)
    if options.params is not None:
        ps = filled(ps, options.params, "params")
        origins["params"] = str(options.params)
    path = state_file(options)
    if path is not None:
        st = filled(st, path, "state")
        origins["state"] = str(path)
    return ps, st, origins


def state_file(options: ModelOptions) -> Path | None:
    """Return the file with the state: its own, or that of the parameters if it has one."""
    path = options.params
    if options.state is not None or path is None:
        return options.state
    return path if "state" in sections_of(arrays_in(path)) else None


def filled(tree: Any, path: Path, section: str) -> Any:
    """Return a tree with the arrays of a file as its leaves; they must fit.

    What is None in the tree may be in the file or not; it stays None. A tied leaf may be
    there once or at each of its places, with the same values.
    """
    leaves, structure = flatten(tree, tied=True)
    every, first = flatten(tree)[1].paths(), structure.paths()
    wanted = dict(zip(first, map(np.asarray, leaves), strict=True))
    found, later = section_of(path, section), none_paths(structure)
    names = [name for name in found if not is_below(name, later)]
    check_names(section, path, names, every, set(every) - set(first))
    check_types(section, path, found, wanted)
    made = unflatten(structure, [found[name] for name in first])
    check_tied(section, path, found, flatten_names(made))
    return made
