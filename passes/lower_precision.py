"""Let products with weights compute in the precision that the user asks for."""

from collections.abc import Callable, Mapping, Sequence

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, walk
from lxc.ir.ops.contract import conv, dot_general
from lxc.ir.ops.structure import scan
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import DType
from lxc.passes.decision import Decision, Refusal
from lxc.passes.early_casts import early_casts
from lxc.passes.eliminate_common import eliminate_common
from lxc.passes.eliminate_dead import eliminate_dead
from lxc.passes.half_products import in_half
from lxc.passes.kept_halves import keep_halves
from lxc.passes.nodes import attributes_of, is_static
from lxc.passes.parameter_values import parameter_leaves
from lxc.passes.precision import FLOAT32, Precision, PrecisionPlan
from lxc.passes.single_pass import Setting
from lxc.passes.tf32_products import NO_UNITS, in_tf32
from lxc.passes.weight_only import by_column

Lowering = Callable[[Node], Replacement | Refusal]
"""Returns what stands for a float32 product whose second operand is a weight."""

LOWERED: Mapping[Precision, Lowering] = {
    Precision.TF32: in_tf32,
    Precision.BF16: in_half,
    Precision.INT8: by_column,
}
REASONS = {
    Precision.FLOAT32: "the plan keeps this layer in float32",
    Precision.TF32: "matrix units read both factors as TF32, the sums are float32",
    Precision.BF16: "both factors are rounded to bfloat16, the sums are float32",
    Precision.INT8: "the weight is read as 8-bit integers with one scale per column",
}


def lower_precision(graph: Graph, plan: PrecisionPlan = FLOAT32) -> Graph:
    """Compute products with weights in the precision that is asked for their layers.

    A weight follows from parameters alone. They stay float32, as does what layers hand on;
    the lower form of a weight is computed of it. TF32 is what cards make of it; elsewhere
    such products stay float32.
    """
    return lowered(graph, plan, has_tf32=True)[0]


def lower_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph for what the user chose; the setting hears of decisions."""
    plan, has_tf32 = setting.choices.precision, setting.machine.has_tf32
    result, decisions = lowered(graph, plan, has_tf32=has_tf32)
    for decision in decisions:
        setting.decide(decision)
    return result


def lowered(
    graph: Graph, plan: PrecisionPlan, *, has_tf32: bool
) -> tuple[Graph, tuple[Decision, ...]]:
    """Return the graph in the precision of a plan, and one decision per product."""
    if not plan.is_reduced:
        return graph, ()
    weights = weights_of(graph)
    decisions: list[Decision] = []

    def lower(node: Node) -> Replacement | None:
        if not is_candidate(node):
            return None
        precision = plan.of(node.location.layers)
        found = choice(node, precision, weights)
        if precision is Precision.TF32 and not has_tf32:
            found = NO_UNITS
        decisions.append(decision(node, precision, found))
        return found if isinstance(found, Replacement) else None

    changed = rewrite(graph, lower)
    if changed is not graph:
        rounded = keep_halves(eliminate_common(early_casts(changed)))
        changed = eliminate_dead(eliminate_common(early_casts(rounded)))
    return changed, tuple(decisions)


def lowered_products(
    graph: Graph, plan: PrecisionPlan
) -> dict[Node, tuple[Precision, Replacement]]:
    """Return the products that a plan lowers, also those in loops, and how each is."""
    weights = weights_of(graph)
    found: dict[Node, tuple[Precision, Replacement]] = {}
    for node in walk(graph.nodes):
        if is_candidate(node):
            precision = plan.of(node.location.layers)
            chosen = choice(node, precision, weights)
            if isinstance(chosen, Replacement):
                found[node] = precision, chosen
    return found


def is_candidate(node: Node) -> bool:
    """Return whether a node is a product of float32 numbers."""
    return node.op in (dot_general, conv) and node.operands[1].type.dtype is DType.F32


def choice(
    node: Node, precision: Precision, weights: frozenset[Value]
) -> Replacement | Refusal | None:
    """Return what stands for a product, why nothing does, or None for float32."""
    if precision is Precision.FLOAT32:
        return None
    lhs, rhs = node.operands
    if rhs not in weights:
        return Refusal(
            "no-weight",
            "its second factor changes from call to call",
            "a second factor that follows from the parameters alone",
        )
    if lhs in weights:
        return Refusal(
            "prepared",
            "it is computed once for a set of parameters",
            "a first factor that depends on the inputs",
        )
    return LOWERED[precision](node)


def weights_of(graph: Graph) -> frozenset[Value]:
    """Return the parameter-only values of a graph, also those that loops read."""
    found = set(parameter_leaves(graph))
    note_loops(graph.nodes, found)
    return frozenset(found)


def note_loops(nodes: Sequence[Node], found: set[Value]) -> None:
    """Add what is parameter-only inside of scans: what every step sees whole, and more."""
    for node in nodes:
        if node.op is scan:
            body, carries = node.bodies[0], attributes_of(node)["carries"]
            end = carries + attributes_of(node)["consts"]
            whole = zip(
                body.parameters[carries:end], node.operands[carries:end], strict=True
            )
            found.update(inside for inside, outside in whole if outside in found)
            for inner in body.nodes:
                if is_static(inner) and all(value in found for value in inner.operands):
                    found.update(inner.results)
            note_loops(body.nodes, found)


def decision(
    node: Node, precision: Precision, found: Replacement | Refusal | None
) -> Decision:
    """Return what is told of one product."""
    refusal = found if isinstance(found, Refusal) else None
    weight = node.operands[1]
    layers = ", ".join(node.location.layers)
    return Decision(
        producer=weight.name or "factor",
        consumer=str(node.op),
        fused=isinstance(found, Replacement),
        rule=refusal.rule if refusal else str(precision),
        reason=refusal.reason if refusal else REASONS[precision],
        would_allow=refusal.would_allow if refusal else "",
        layers=(layers, layers),
        shapes=(str(weight.type), str(node.result.type)),
        about="precision",
    )
