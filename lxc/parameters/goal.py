"""What parameters are converted for: the layers of a model, by path and kind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.kaun.layer import RecordedApply
from lxc.frontend.kaun.layer import init as init_kaun
from lxc.frontend.layer import Layer
from lxc.frontend.layers.weight_norm import WeightNorm
from lxc.frontend.setup import setup
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value
from lxc.ir.ops import structure
from lxc.ir.parser import parse_graph
from lxc.parameters.reading import STATISTICS
from lxc.runtime.artifact import Artifact
from lxc.runtime.checkpoint import Array, decode, tree_from
from lxc.runtime.model import CompiledModel
from lxc.runtime.named_trees import flat_names
from lxc.runtime.signature import DTYPES, Group
from lxc.structure import join
from lxc.tracing import is_kaun

WRAPPED = "WeightNorm."
"""In front of the kind of a layer whose weight is normalised."""


@dataclass(frozen=True)
class Module:
    """One layer with parameters: its kind, and where its parameters and state stand."""

    path: str
    kind: str
    state_path: str


@dataclass(frozen=True)
class Goal:
    """The layers of a model with the trees that are to be filled.

    Without `has_state` the state is of zeros, which stand for nothing.
    """

    modules: tuple[Module, ...]
    params: Any
    state: Any
    has_state: bool = True


def goal_of(model: Any) -> Goal:
    """Return the layers and the trees of a layer of either family, or of an artifact."""
    if isinstance(model, CompiledModel):
        return goal_of(model.artifact)
    if isinstance(model, Artifact):
        return artifact_goal(model)
    if is_kaun(model):
        made = init_kaun(model)
        modules = kaun_modules(model, made.params, "")
        return Goal(tuple(modules), made.params, made.state)
    if not isinstance(model, Layer):
        raise LxcError(
            "LXC-E0001",
            "parameters are converted for a layer or a compiled model",
            actual=type(model).__name__,
        )
    ps, st = setup(0, model)
    return Goal(tuple(lux_modules(model, ps, st, "", "")), ps, st)


def lux_modules(
    layer: Layer, ps: Any, st: Any, path: str, state_path: str
) -> Iterator[Module]:
    """Yield the layers with parameters at and below a layer of the Lux family."""
    if isinstance(layer, WeightNorm):
        kind = type(layer.layer).__name__
        is_usual = layer.which_params == ("weight",)
        yield Module(path, WRAPPED + kind if is_usual else "WeightNorm", state_path)
        return
    children = list(children_of(layer))
    places = [(place_of(names, child, ps), child) for names, child in children]
    for name, child in places:
        if name is not None:
            own = ps[name] if name else ps
            state_name = name if name in st else ("cell" if "cell" in st else "")
            inner = st[state_name] if state_name else ({} if name else st)
            below = join(state_path, state_name) if state_name else state_path
            yield from lux_modules(
                child, own, inner, join(path, name) if name else path, below
            )
    if all(name is None for name, _ in places) and (ps or STATISTICS.keys() & st.keys()):
        yield Module(path, type(layer).__name__, state_path)


def children_of(layer: Layer) -> Iterator[tuple[tuple[str, ...], Layer]]:
    """Yield the layers in the fields of a layer, with the names that they may go by."""
    for field in fields(layer):  # type: ignore[arg-type]
        value = getattr(layer, field.name)
        if isinstance(value, Layer):
            yield (field.name, f"{field.name}s"), value
        elif isinstance(value, tuple):
            for entry in value:
                if isinstance(entry, tuple) and len(entry) == 2:
                    name, child = entry
                    if isinstance(child, Layer):
                        yield (name,), child


def place_of(names: tuple[str, ...], child: Layer, ps: Any) -> str | None:
    """Return under which name the parameters of a child stand; "" if they are all."""
    for name in names:
        if name in ps:
            return name
    own = child.init_params(np.random.default_rng(0))
    return "" if own and own.keys() == ps.keys() else None


def kaun_modules(layer: Any, params: Any, path: str) -> Iterator[Module]:
    """Yield the layers with parameters at and below a layer of the Kaun family."""
    configuration = getattr(layer.init, "__self__", None)
    layers = getattr(configuration, "layers", None)
    if isinstance(layers, tuple):
        for place, child in enumerate(layers):
            yield from kaun_modules(child, params[place], join(path, str(place)))
    elif hasattr(configuration, "left") and hasattr(configuration, "right"):
        for name in ("left", "right"):
            child = getattr(configuration, name)
            yield from kaun_modules(child, params[name], join(path, name))
    elif len(params):
        apply = layer.apply
        kind = apply.kind if isinstance(apply, RecordedApply) else type(layer).__name__
        yield Module(path, kind, path)


def artifact_goal(artifact: Artifact) -> Goal:
    """Return the layers that the IR in an artifact tells of; no code in it is mapped."""
    graph = parse_graph(artifact.read("ir/traced.lxir").decode())
    kinds = dict(named_layers(graph))
    signature = artifact.signature
    params = zeros(signature.params, "params")
    has_state = "state.safetensors" in artifact or not signature.state.leaves
    if has_state and signature.state.leaves:
        found = decode(artifact.view("state.safetensors")).arrays
        state = tree_from(found, signature.state, "state")
    else:
        state = zeros(signature.state, "state")
    names = [f"@{name}" for name in flat_names(params)]
    names += [f"${n}" for n in flat_names(state) if n.rpartition(".")[2] in STATISTICS]
    named = (kinds.get(name, (name[1:].rpartition(".")[0], "")) for name in names)
    modules = (Module(path, kind, path) for path, kind in dict.fromkeys(named))
    return Goal(tuple(modules), params, state, has_state)


def zeros(group: Group, what: str) -> Any:
    """Return a tree of zeros that take no memory; dimensions have their lowest values."""
    arrays: dict[str, Array] = {}
    for leaf in group.leaves:
        if leaf.symbolic:
            raise LxcError(
                "LXC-E0001",
                f"the lengths of {leaf.name} are not known from the artifact",
                hint="give the model that it was made of",
            )
        arrays[leaf.name] = np.broadcast_to(
            np.zeros((), DTYPES[leaf.dtype]), leaf.shape_at({})
        )
    return tree_from(arrays, group, what)


def named_layers(graph: Graph) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield path and kind of the innermost layer that is given a header value, by name."""
    headers = {value: value.name for value in (*graph.params, *graph.state)}
    for node in graph.nodes:
        yield from layers_at(node, headers)


def layers_at(
    node: Node, headers: Mapping[Value, str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what a node and those in it are to the header values that they are given."""
    kind = str(node.attributes.get("kind", ""))
    given = [headers[value] for value in node.operands if value in headers]
    if node.op is structure.layer and node.location.layers:
        own = f"{WRAPPED}{wrapped_kind(node)}" if kind == "WeightNorm" else kind
        yield from ((name, (node.location.layers[0], own)) for name in given)
        if kind == "WeightNorm":
            return
    for body in node.bodies:
        pairs = zip(body.parameters, node.operands, strict=True)
        inner = {own: headers[value] for own, value in pairs if value in headers}
        for child in body.nodes:
            yield from layers_at(child, inner)


def wrapped_kind(node: Node) -> str:
    """Return the kind of the layer in a `WeightNorm`."""
    kinds = [
        str(child.attributes["kind"])
        for body in node.bodies
        for child in body.nodes
        if child.op is structure.layer
    ]
    return kinds[-1] if kinds else ""
