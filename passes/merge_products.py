"""Let one product stand for several that read the same rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxc.ir.builder import make_node
from lxc.ir.graph import Graph
from lxc.ir.node import Location, Node, Value, users
from lxc.ir.op import Attribute, Op
from lxc.ir.ops.arithmetic import add, multiply
from lxc.ir.ops.contract import dot_general, free_axes
from lxc.ir.ops.shape import broadcast, concat, reshape, slice, transpose
from lxc.ir.rewrite import with_operands
from lxc.ir.types import Shape, TensorType
from lxc.passes.attention_memory import known
from lxc.passes.decision import Decision, Refusal, decided
from lxc.passes.eliminate_dead import eliminate_dead
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


@dataclass(frozen=True)
class Part:
    """A product with what follows it up to a value that stays: the last of `nodes`.

    `vectors` are the parameters of one axis that every row is multiplied with or that are
    added to it. `heads` is the shape of the last axis after a reshape that splits it, if
    there is one.
    """

    nodes: tuple[Node, ...]
    vectors: tuple[Value, ...]
    heads: Shape | None

    @property
    def product(self) -> Node:
        """The product."""
        return self.nodes[0]

    @property
    def columns(self) -> int:
        """The size of the last axis of the product."""
        return known(self.product.result.type.shape[-1])

    @property
    def steps(self) -> tuple[Op, ...]:
        """What is done with the vectors."""
        return tuple(node.op for node in self.nodes[1 : len(self.vectors) + 1])


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
                types = rhs.dtype, node.result.type.dtype
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


class Joined:
    """The nodes of one merged product."""

    def __init__(self, rows: Value, parts: Sequence[Part]) -> None:
        """Start without nodes."""
        self.rows, self.parts = rows, parts
        self.nodes: list[Node] = []
        self.location = Location()
        for part in parts:
            for node in part.nodes:
                self.location = self.location.join(node.location)

    def made(self, op: Op, *operands: Value, **attributes: Attribute) -> Value:
        """Return the result of a new node."""
        self.nodes.append(make_node(op, operands, attributes, (), self.location))
        return self.nodes[-1].result

    def write(self) -> dict[Value, Value]:
        """Write everything; return what stands for the value of each part."""
        facts = attributes_of(self.parts[0].product)
        contract = facts["lhs_contract"]
        weights = [self.weight(part.product) for part in self.parts]
        whole = self.made(concat, *weights, axis=len(contract))
        total = self.made(
            dot_general,
            *(self.rows, whole),
            lhs_batch=(),
            rhs_batch=(),
            lhs_contract=contract,
            rhs_contract=tuple(range(len(contract))),
            result=facts["result"],
        )
        vectors = zip(*(part.vectors for part in self.parts), strict=True)
        for step, joined in zip(self.parts[0].steps, vectors, strict=True):
            total = self.stepped(step, total, joined)
        return self.sliced(total)

    def weight(self, product: Node) -> Value:
        """Return the weight with the summed axes first."""
        weight = product.operands[1]
        contract = attributes_of(product)["rhs_contract"]
        order = (*contract, *free_axes(weight.type.rank, contract))
        if order == tuple(range(weight.type.rank)):
            return weight
        return self.made(transpose, weight, permutation=order)

    def stepped(self, step: Op, total: Value, vectors: Sequence[Value]) -> Value:
        """Return the product after a step with the vectors of all parts."""
        vector = self.made(concat, *vectors, axis=0)
        kind: TensorType = total.type
        spread = self.made(broadcast, vector, shape=kind.shape, axes=(kind.rank - 1,))
        return self.made(step, total, spread)

    def sliced(self, total: Value) -> dict[Value, Value]:
        """Return the part of a product for each value, sliced behind a shared reshape."""
        size = self.shared_size()
        if size > 1:
            shape = (*total.type.shape[:-1], total.type.shape[-1] // size, size)
            axis, total = total.type.rank - 1, self.made(reshape, total, shape=shape)
        else:
            axis = total.type.rank - 1
        values, first = {}, 0
        for part in self.parts:
            start = [0] * total.type.rank
            stop = list(total.type.shape)
            end = first + part.columns // size
            start[axis], stop[axis] = first, end
            step = (1,) * total.type.rank
            value = self.made(slice, total, start=tuple(start), stop=tuple(stop), step=step)
            first = end
            kept = part.nodes[-1].result
            if kept.type != value.type:
                value = self.made(reshape, value, shape=kept.type.shape)
            values[kept] = value
        return values

    def shared_size(self) -> int:
        """Return the last axis that the values of all parts are split into, or 1."""
        last = {part.heads[-1] if part.heads else 1 for part in self.parts}
        size = last.pop()
        return size if isinstance(size, int) and not last else 1
