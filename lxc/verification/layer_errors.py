"""What each product loses by lower precision, given exact factors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.ir.agreement import ROUNDING, summed_terms
from lxc.ir.evaluate import Bindings, Evaluation
from lxc.ir.graph import Graph
from lxc.ir.node import Node
from lxc.ir.types import Array
from lxc.passes.lower_precision import lowered_products
from lxc.passes.nodes import attributes_of
from lxc.passes.precision import Precision, PrecisionPlan
from lxc.passes.weight_only import LARGEST_INTEGER, SMALLEST_SCALE
from lxc.verification.judgement import number

HALF_STEP, TF32_HALF_STEP = 2.0**-9, 2.0**-11
"""By so much of itself a number is off at most when it is rounded to bfloat16, or TF32."""


@dataclass(frozen=True)
class LayerError:
    """The error of a product whose factors are rounded, and the most that it can be.

    Both are relative to the largest exact element.
    """

    layer: str
    product: str
    precision: str
    error: float
    allowed: float
    agrees: bool

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`."""
        return {
            "layer": self.layer,
            "product": self.product,
            "precision": self.precision,
            "error": number(self.error),
            "allowed": number(self.allowed),
            "agrees": self.agrees,
        }


def layer_errors(
    graph: Graph,
    plan: PrecisionPlan,
    inputs: Sequence[Array],
    params: Sequence[Array],
    state: Sequence[Array],
) -> list[LayerError]:
    """Return what every product that a plan lowers loses, in order.

    Factors are those of the exact run, so that no layer answers for one in front of it.
    """
    watched = WatchedEvaluation(graph, plan)
    sections = ((graph.inputs, inputs), (graph.params, params), (graph.state, state))
    watched.run(sections)
    return [losses.layer_error() for losses in watched.losses.values()]


class Losses:
    """The largest errors of one product so far; a loop runs it several times."""

    def __init__(self, node: Node, precision: Precision) -> None:
        """Start without any."""
        self.node, self.precision = node, precision
        self.error = self.allowed = self.scale = 0.0
        self.agrees = True

    def note(self, errors: Array, allowed: Array, exact: Array) -> None:
        """Take one run of the product."""
        finite = np.isfinite(exact) & np.isfinite(allowed)
        errors, allowed, exact = errors[finite], allowed[finite], exact[finite]
        self.error = max(self.error, float(errors.max(initial=0.0)))
        self.allowed = max(self.allowed, float(allowed.max(initial=0.0)))
        self.scale = max(self.scale, float(np.abs(exact).max(initial=0.0)))
        self.agrees = self.agrees and bool((errors <= allowed).all())

    def layer_error(self) -> LayerError:
        """Return what is told of the product."""
        layers = ", ".join(self.node.location.layers) or "the model"
        words = (str(self.node.op), self.node.operands[1].name, str(self.node.result.type))
        scale = self.scale or 1.0
        return LayerError(
            layer=layers,
            product=" ".join(filter(None, words)),
            precision=str(self.precision),
            error=self.error / scale,
            allowed=self.allowed / scale,
            agrees=self.agrees,
        )


class WatchedEvaluation(Evaluation):
    """An exact run that also computes each lowered product in its precision."""

    def __init__(self, graph: Graph, plan: PrecisionPlan) -> None:
        """Find the lowered products."""
        super().__init__(graph, wide=True)
        self.lowered = lowered_products(graph, plan)
        self.losses = {
            node: Losses(node, precision) for node, (precision, _) in self.lowered.items()
        }

    def run_nodes(self, nodes: Sequence[Node], bound: Bindings) -> None:
        """Run nodes in order, and compare those that are lowered."""
        super().run_nodes(nodes, bound)
        for node in nodes:
            if node in self.lowered:
                self.compare(node, bound)

    def compare(self, node: Node, bound: Bindings) -> None:
        """Note what one product loses."""
        precision, replacement = self.lowered[node]
        narrow = Evaluation(self.graph, wide=False)
        narrow.sizes = self.sizes
        values = {
            value: narrow.widened(bound[value], value.type.dtype) for value in node.operands
        }
        narrow.run_nodes(replacement.nodes, values)
        lower = values[replacement.results[0]].astype(np.float64)
        sizes = [np.abs(bound[value]) for value in node.operands]
        attributes = self.attributes(node)

        def product(x: Array, weight: Array) -> Array:
            return node.op.run((x, weight), attributes)[0]

        exact = bound[node.result]
        rounded = summed_terms(node) * ROUNDING * product(sizes[0], sizes[1])
        allowed = DISTANCES[precision](node, product, sizes[0], sizes[1]) + rounded
        self.losses[node].note(np.abs(lower - exact), allowed, exact)


Product = Callable[[Array, Array], Array]


def half_distance(node: Node, product: Product, x: Array, weight: Array) -> Array:
    """Return how far rounding both factors to bfloat16 can move each result."""
    return np.asarray((2 * HALF_STEP + HALF_STEP**2) * product(x, weight))


def tf32_distance(node: Node, product: Product, x: Array, weight: Array) -> Array:
    """Return how far rounding both factors to TF32 can move each result."""
    step = TF32_HALF_STEP
    return np.asarray((2 * step + step**2) * product(x, weight))


def integer_distance(node: Node, product: Product, x: Array, weight: Array) -> Array:
    """Return how far half a step of every weight can move each result.

    The scale is rounded once itself, and the quotients by it.
    """
    axes = attributes_of(node)["rhs_contract"]
    most = weight.max(axis=axes, keepdims=True, initial=0.0)
    scale = np.maximum(most / LARGEST_INTEGER, SMALLEST_SCALE)
    half = np.broadcast_to(scale * (0.5 + LARGEST_INTEGER * 4 * ROUNDING), weight.shape)
    return product(x, half)


DISTANCES: Mapping[Precision, Callable[[Node, Product, Array, Array], Array]] = {
    Precision.TF32: tf32_distance,
    Precision.BF16: half_distance,
    Precision.INT8: integer_distance,
}
