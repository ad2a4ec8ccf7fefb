"""Let one product stand for several that read the same rows."""

from collections.abc import Iterable, Sequence

from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, users
from lxc.ir.ops.arithmetic import add, multiply
from lxc.ir.ops.contract import dot_general, free_axes
from lxc.ir.ops.shape import broadcast, reshape, slice, transpose
from lxc.ir.rewrite import with_operands
from lxc.ir.types import Shape
from lxc.passes.decision import Decision, Refusal, decided
from lxc.passes.eliminate_dead import eliminate_dead
from lxc.passes.joined_products import Joined, Part
from lxc.passes.nodes import attributes_of, producers, substitute
from lxc.passes.parameter_values import parameter_leaves
from lxc.passes.single_pass import Setting

VIEWS = frozenset({reshape, slice, transpose})
BY_COLUMN = frozenset({multiply, add})
"""What may be done to each column of a product before its readers look for elements."""

LOST_EPILOGUE = Refusal(
    "epilogue",
    "what follows the products is computed in their kernels, each with its own",
    "readers that only find elements: reshape, transpose, slice",
)


def merge_products(graph: Graph) -> Graph:
    """Merge products of one value with several weights into one with joined weights.

    The weights are parameters, so they are joined once. Every element keeps its terms and
    their order. Scales and biases that follow are joined too. It pays where the readers of
    the parts only look for elements, in memory that has room between rows.
    """
    return merged(graph, [])


def merge_products_recorded(graph: Graph, setting: Setting) -> Graph:
    """Return the graph with merged products and tell the setting of every decision."""
    decisions: list[Decision] = []
    result = merged(graph, decisions)
    for decision in decisions:
        setting.decide(decision)
    return result


def merged(graph: Graph, decisions: list[Decision]) -> Graph:
    """Return the graph with merged products; `decisions` grows."""
    region = Region(graph)
    groups = []
    for siblings in region.siblings():
        parts = [region.part(node) for node in siblings]
        fitting = [part for part in parts if part is not None]
        alike = len(fitting) == len(siblings) and len({p.steps for p in fitting}) == 1
        for node in siblings[1:]:
            verdict = None if alike else LOST_EPILOGUE
            reason = "one product reads the rows once for all weights"
            decisions.append(decided(siblings[0], node, verdict, "siblings", reason))
        if alike:
            groups.append(fitting)
    return region.rewritten(groups) if groups else graph


class Region:
    """The nodes of a graph, and what follows from parameters alone."""

    def __init__(self, graph: Graph) -> None:
        """Index readers and producers."""
        self.graph = graph
        self.made = producers(graph.nodes)
        self.readers = users(graph.nodes)
        self.parameters = parameter_leaves(graph)
        self.results = set(graph.results)

    def siblings(self) -> list[list[Node]]:
        """Return the products that read the same rows in the same way."""
        found: dict[tuple[object, ...], list[Node]] = {}
        for node in self.graph.nodes:
            if node.op is dot_general and self.is_candidate(node):
                facts, rhs = attributes_of(node), node.operands[1].type
                depth = tuple(rhs.shape[axis] for axis in facts["rhs_contract"])
                types = rhs.dtype, node.result.type.dtype, facts["factors"]
                key = (node.operands[0], facts["lhs_contract"], depth, types)
                found.setdefault(key, []).append(node)
        return [nodes for nodes in found.values() if len(nodes) > 1]

    def is_candidate(self, node: Node) -> bool:
        """Return whether a product is one of rows with the columns of a parameter."""
        lhs, rhs = node.operands
        facts = attributes_of(node)
        columns = free_axes(rhs.type.rank, facts["rhs_batch"], facts["rhs_contract"])
        return (
            rhs in self.parameters
            and lhs not in self.parameters
            and not facts["rhs_batch"]
            and len(columns) == 1
            and isinstance(rhs.type.shape[columns[0]], int)
        )

    def part(self, product: Node) -> Part | None:
        """Return a product with its vectors and reshape, or None where more follows it."""
        nodes: list[Node] = [product]
        vectors: list[Value] = []
        while (last := self.only_reader(nodes[-1])) and last.op in BY_COLUMN:
            vector = self.vector(last, nodes[-1].result)
            if vector is None:
                return None
            vectors.append(vector)
            nodes.append(last)
        value = nodes[-1].result
        if last and last.op is reshape and value not in self.results:
            heads = split_axis(value.type.shape, last.result.type.shape)
            if heads and last.result not in self.results:
                return Part((*nodes, last), tuple(vectors), heads)
        readers = self.readers.get(value, ())
        if value in self.results or any(node.op not in VIEWS for node in readers):
            return None
        return Part(tuple(nodes), tuple(vectors), None)

    def only_reader(self, node: Node) -> Node | None:
        """Return the node that reads a result, if it is a single one."""
        readers = self.readers.get(node.result, ())
        if len(readers) != 1 or node.result in self.results:
            return None
        return next(iter(readers))

    def vector(self, step: Node, value: Value) -> Value | None:
        """Return the parameter of one axis that a step puts to every row of a product."""
        others = [operand for operand in step.operands if operand is not value]
        spread = self.made.get(others[0]) if len(others) == 1 else None
        if spread is None or spread.op is not broadcast:
            return None
        (vector,) = spread.operands
        last = value.type.rank - 1
        columns = value.type.shape[-1:]
        fits = attributes_of(spread)["axes"] == (last,) and vector.type.shape == columns
        return vector if fits and vector in self.parameters else None

    def rewritten(self, groups: Sequence[Sequence[Part]]) -> Graph:
        """Return the graph with one product per group, at the place of its first part."""
        starts = {parts[0].product: parts for parts in groups}
        gone = {node for parts in groups for part in parts for node in part.nodes}
        values: dict[Value, Value] = {}
        result: dict[Node, None] = {}
        for node in self.graph.nodes:
            if node in starts:
                parts = starts[node]
                weights = [part.product.operands[1] for part in parts]
                vectors = [vector for part in parts for vector in part.vectors]
                result |= self.leading_to([*weights, *vectors])
                rows = substitute(node.operands[:1], values)[0]
                joined = Joined(rows, parts)
                values |= joined.write()
                result |= dict.fromkeys(joined.nodes)
            elif node not in gone:
                result[with_operands(node, substitute(node.operands, values))] = None
        changed = self.graph.replaced(
            nodes=tuple(without_copies(result)),
            outputs=substitute(self.graph.outputs, values),
            updates=substitute(self.graph.updates, values),
        )
        return eliminate_dead(changed)

    def leading_to(self, values: Iterable[Value]) -> dict[Node, None]:
        """Return the nodes that compute some parameter values, in order."""
        wanted, kept = set(values), []
        for node in reversed(self.graph.nodes):
            if any(value in wanted for value in node.results):
                wanted.update(node.operands)
                kept.append(node)
        return dict.fromkeys(reversed(kept))


def without_copies(nodes: Iterable[Node]) -> list[Node]:
    """Return nodes without those whose results an earlier one makes already."""
    made: set[Value] = set()
    kept = []
    for node in nodes:
        if node.results[0] not in made:
            kept.append(node)
            made.update(node.results)
    return kept


def split_axis(shape: Shape, wanted: Shape) -> Shape | None:
    """Return what the last axis becomes, if all others stay."""
    outer = len(shape) - 1
    heads = wanted[outer:]
    return heads if wanted[:outer] == shape[:-1] and len(heads) == 2 else None
