"""Graphs: a whole model, and the two halves that it is split into for a target."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lxc.html import folded, text
from lxc.ir.dim import Dim
from lxc.ir.node import Node, Value
from lxc.ir.printer import print_graph
from lxc.ir.types import Array
from lxc.structure import EMPTY, LEAF, Structure


@dataclass(frozen=True, eq=False)
class Graph:
    """A model as nodes between header values and outputs.

    `updates[i]` is the new value of `state[i]`: the state value itself where nothing
    changes. `arrays` holds the contents of `data` by name. The trees hold the nesting that
    callers see. `calling` says how the compiled model is called: `lux` (x, ps, st) or
    `kaun` (x, vars); `mode` what it was traced for: `test`, `train`, or `mixed` where
    layers differ. `places` are byte offsets into an arena of `arena_bytes`, once
    `plan-memory` has run.
    """

    name: str
    dims: tuple[Dim, ...] = ()
    inputs: tuple[Value, ...] = ()
    params: tuple[Value, ...] = ()
    state: tuple[Value, ...] = ()
    data: tuple[Value, ...] = ()
    prepared: tuple[Value, ...] = ()
    nodes: tuple[Node, ...] = ()
    outputs: tuple[Value, ...] = ()
    updates: tuple[Value, ...] = ()
    input_tree: Structure = LEAF
    param_tree: Structure = EMPTY
    state_tree: Structure = EMPTY
    output_tree: Structure = LEAF
    calling: str = "lux"
    mode: str = "test"
    arrays: Mapping[str, Array] = field(default_factory=dict)
    places: Mapping[Value, int] = field(default_factory=dict)
    arena_bytes: int | None = None

    def _repr_html_(self) -> str:
        """Return the text of the graph for a notebook, below a line about it."""
        title = f"graph @{self.name}: {len(self.nodes)} nodes, mode {self.mode}"
        return folded(title, text(str(self)))

    @property
    def headers(self) -> tuple[Value, ...]:
        """Every value that exists before the first node, in the order of the text form."""
        return (*self.inputs, *self.params, *self.state, *self.data, *self.prepared)

    @property
    def trees(self) -> Mapping[str, Structure]:
        """The nesting of each section, by the section's name."""
        return {
            "inputs": self.input_tree,
            "params": self.param_tree,
            "state": self.state_tree,
            "outputs": self.output_tree,
        }

    @property
    def frozen(self) -> frozenset[Value]:
        """The state values that no call changes; what is optional may come and go."""
        optional = self.state_tree.optional_leaves()
        free = {self.state[place] for places in optional for place in places}
        pairs = zip(self.state, self.updates, strict=True)
        return frozenset(s for s, new in pairs if s is new and s not in free)

    @property
    def results(self) -> tuple[Value, ...]:
        """Every value that must outlive the last node: outputs, then updates."""
        return (*self.outputs, *self.updates)

    def replaced(self, **changes: Any) -> "Graph":
        """Return a copy with some fields replaced."""
        return replace(self, **changes)

    def __str__(self) -> str:
        """Print the text form; `lxc.ir.parse` reads it back."""
        return print_graph(self)


@dataclass(frozen=True, eq=False)
class Program:
    """A graph split by how often its parts run.

    `prepare` computes `run.prepared`, in order, from params, frozen state and data: once
    for a set of parameters. `run` is the hot path.
    """

    prepare: Graph
    run: Graph

    def replaced(self, **changes: Any) -> "Program":
        """Return a copy with some fields replaced."""
        return replace(self, **changes)

    def __str__(self) -> str:
        """Print both graphs, `prepare` first."""
        return f"{self.prepare}\n{self.run}"
