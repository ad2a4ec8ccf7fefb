"""What an artifact says that its model computes: its stored IR, run by NumPy."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from lxc.errors import InternalError
from lxc.ir.agreement import LARGEST, agreement, longest_sum, relative_error
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import walk
from lxc.ir.types import Array, DType
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.passes.lower_precision import lower_precision
from lxc.passes.precision import Precision, PrecisionPlan
from lxc.runtime.signature import Signature
from lxc.verification.given import Values
from lxc.verification.layer_errors import LayerError, layer_errors

TILES = 2e-5
"""How far convolutions by tiles may be off, relative to the largest result."""
INTEGERS = 1.25
"""How much more than NumPy's code may lose by weights of integers.

A quotient half way between two integers may be rounded to the other one.
"""
HALF_TYPES = {DType.BF16: 1.6e-2, DType.F16: 1e-3}
"""How far a model with such numbers may be off."""
BY_TF32 = 4e-3
"""How far a model may be off whose products read factors as TF32."""


class Meaning:
    """The results of a graph for some values: exact, by NumPy, and in lower precision.

    Each is a mapping from the name of an output or a leaf of the state to its array.
    """

    def __init__(
        self, graph: Graph, signature: Signature, plan: PrecisionPlan, values: Values
    ) -> None:
        """Run nothing yet."""
        self.graph, self.signature, self.plan, self.values = graph, signature, plan, values

    def results(self, graph: Graph, *, wide: bool = False) -> dict[str, Array]:
        """Return the results of a graph with the same header."""
        own = self.values
        ys, after = evaluate(graph, own.inputs, own.params, own.state, wide=wide)
        outputs = [leaf.name for leaf in self.signature.outputs.leaves]
        state = self.signature.state.leaves
        kept = {
            f"state {leaf.name}": array
            for leaf, array in zip(state, after, strict=True)
            if not leaf.frozen
        }
        return dict(zip(outputs, ys, strict=True)) | kept

    @cached_property
    def exact(self) -> Mapping[str, Array]:
        """The results in float64."""
        return self.results(self.graph, wide=True)

    @cached_property
    def narrow(self) -> Mapping[str, Array]:
        """The results in the types of the graph."""
        return self.results(self.graph)

    @cached_property
    def lower(self) -> Mapping[str, Array]:
        """The results in the precision of the plan."""
        if not self.plan.is_reduced:
            return self.narrow
        return self.results(lower_precision(self.tensor_level, self.plan))

    @cached_property
    def tensor_level(self) -> Graph:
        """The graph without layers, as the passes for precision see it."""
        outcome = run_passes(self.graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE)))
        if not isinstance(outcome.program, Graph):
            raise InternalError("verification", "the passes split the graph")
        return outcome.program

    def losses(self) -> list[LayerError]:
        """Return what each product of lower precision loses."""
        if not self.plan.is_reduced:
            return []
        own = self.values
        graph = self.tensor_level
        return layer_errors(graph, self.plan, own.inputs, own.params, own.state)

    def allowed(self, name: str, *, by_tiles: bool) -> float:
        """Return the largest relative error that a result may have.

        `by_tiles` says whether convolutions are computed by tiles.
        """
        narrow, exact, lower = self.narrow[name], self.exact[name], self.lower[name]
        if not np.issubdtype(exact.dtype, np.floating):
            return 0.0
        most = self.limit
        if most == LARGEST:
            most = min(agreement(exact, narrow, exact, longest_sum(self.graph)).bound, most)
        if by_tiles:
            most = max(most, TILES)
        lost = relative_error(lower, exact)
        if lost <= most:
            return most
        if Precision.TF32 in self.plan.precisions:
            most = max(most, BY_TF32)
        if Precision.BF16 in self.plan.precisions:
            most = max(most, HALF_TYPES[DType.BF16])
        if Precision.INT8 in self.plan.precisions:
            most += INTEGERS * lost
        return most

    @cached_property
    def limit(self) -> float:
        """What no result may be off by, whatever NumPy's error is."""
        types = {value.type.dtype for value in self.graph.headers}
        types |= {v.type.dtype for node in walk(self.graph.nodes) for v in node.results}
        return max(HALF_TYPES.get(dtype, LARGEST) for dtype in types or {DType.F32})
