"""Let attention read half types as they are, where matrix units multiply them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, users, walk
from lxc.ir.ops import shape
from lxc.ir.ops.attention import attention
from lxc.ir.ops.logic import cast
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import DType
from lxc.passes.decision import Decision, Refusal, decided
from lxc.passes.eliminate_dead import eliminate_dead
from lxc.passes.known_values import KnownValues
from lxc.passes.nodes import with_attributes
from lxc.passes.single_pass import Setting

HALVES = (DType.BF16, DType.F16)
VIEWS = (shape.broadcast, shape.reshape, shape.reverse, shape.slice, shape.transpose)
MOST_FEATURES = 128
"""For so many features of a head a thread has enough registers."""
OTHER_OPERANDS = Refusal(
    "other-operands",
    "not all of queries, keys and values were widened from one half type",
    "operands that are casts of bfloat16, or all of float16",
)
LARGE_HEADS = Refusal(
    "large-heads",
    "sums of such heads do not stay in registers beside fragments of half types",
    f"heads of at most {MOST_FEATURES} features",
)
KEPT = Refusal(
    "kept",
    "its result is read as float32, and parts of weights have fewer digits",
    "a result that is rounded to a half type wherever it is read",
)


def halve_attention(graph: Graph) -> Graph:
    """Let attention read the half types that queries, keys and values were widened from.

    It does so where its result is rounded to a half type again, by whatever reads it: at
    once, in front of views.
    """
    return halved(graph, lambda decision: None)


def halve_for(graph: Graph, setting: Setting) -> Graph:
    """Return the graph with such attention; the setting hears of decisions."""
    return halved(graph, setting.decide)


def halved(graph: Graph, decide: Callable[[Decision], None]) -> Graph:
    """Return the graph with such attention, without what widened its operands."""
    changed = rewrite(graph, Halving(graph, decide).rule)
    return graph if changed is graph else eliminate_dead(changed)


class Halving:
    """The rule for one graph."""

    def __init__(self, graph: Graph, decide: Callable[[Decision], None]) -> None:
        """Note who reads each value, also inside of bodies."""
        self.decide = decide
        nodes = tuple(walk(graph.nodes))
        self.known = KnownValues(graph.headers)
        self.readers: Mapping[Value, Sequence[Node]] = users(nodes)
        bodies = (body for node in nodes for body in node.bodies)
        self.ends = {*graph.results, *(one for body in bodies for one in body.outputs)}

    def rule(self, node: Node) -> Replacement | None:
        """Return what stands for attention of widened operands, or for a cast of it."""
        step = {attention: self.attend, cast: self.earlier}.get(node.op)
        found = step(node) if step else None
        for new in found.nodes if found else (node,):
            self.known.note(new)
        return found

    def attend(self, node: Node) -> Replacement | None:
        """Return the same attention of what its operands were widened from."""
        parts = [part for one in node.operands[:3] if (part := self.narrow(one))]
        if not parts:
            return None
        refusal = self.refusal(node, [half for _, half in parts])
        reason = "matrix units multiply half types"
        self.decide(decided(node, node, refusal, "matrix-units", reason))
        if refusal:
            return None
        nodes = [made for views, _ in parts for made in views]
        halves = [half for _, half in parts]
        nodes.append(with_attributes(node, (*halves, *node.operands[3:])))
        return Replacement(nodes[-1].results, nodes)

    def refusal(self, node: Node, halves: Sequence[Value]) -> Refusal | None:
        """Return why attention stays float32, or None."""
        if len(halves) < 3 or len({half.type.dtype for half in halves}) > 1:
            return OTHER_OPERANDS
        sizes = [half.type.shape[-1] for half in halves]
        if not all(isinstance(size, int) and size <= MOST_FEATURES for size in sizes):
            return LARGE_HEADS
        return None if self.is_rounded(node.result) else KEPT

    def is_rounded(self, value: Value) -> bool:
        """Return whether everything that reads a value rounds it to a half type."""
        return value not in self.ends and all(
            self.is_rounded(node.result)
            if node.op in VIEWS
            else node.op is cast and node.result.type.dtype in HALVES
            for node in self.readers.get(value, ())
        )

    def earlier(self, node: Node) -> Replacement | None:
        """Return attention's result rounded at once, for a cast behind views of it."""
        views, value = self.behind(node.operands[0])
        made = self.known.maker(value, attention)
        if not views or made is None or made.operands[0].type.dtype not in HALVES:
            return None
        nodes = [with_attributes(node, (value,))]
        nodes += viewed(nodes[0].result, views)
        return Replacement(nodes[-1].results, nodes)

    def narrow(self, value: Value) -> tuple[list[Node], Value] | None:
        """Return a float32 value as it was in a half type, and the views of that."""
        views, value = self.behind(value)
        node = self.known.maker(value, cast)
        if node is None or node.operands[0].type.dtype not in HALVES:
            return None
        (half,) = node.operands
        nodes = viewed(half, views)
        return nodes, nodes[-1].result if nodes else half

    def behind(self, value: Value) -> tuple[list[Node], Value]:
        """Return the views that a value is shown by, the first one first, and of what."""
        views: list[Node] = []
        while view := self.known.maker(value, *VIEWS):
            views.insert(0, view)
            (value,) = view.operands
        return views, value


def viewed(value: Value, views: Iterable[Node]) -> list[Node]:
    """Return the same views of another value."""
    nodes: list[Node] = []
    for view in views:
        nodes.append(with_attributes(view, (value,)))
        value = nodes[-1].result
    return nodes
