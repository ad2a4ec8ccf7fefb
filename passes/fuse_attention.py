"""Let one kernel compute attention, so that scores never go through memory."""

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from lxc.ir.dim import bounds
from lxc.ir.graph import Graph
from lxc.ir.machine import Machine
from lxc.ir.node import Node, Value, walk
from lxc.ir.ops.attention import attention
from lxc.ir.ops.contract import dot_general
from lxc.ir.ops.scratch import scratch
from lxc.ir.ops.shape import reshape, transpose
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.types import DType, Shape
from lxc.passes.attention_heads import Heads, Product, product_of
from lxc.passes.attention_masks import Causal, placed
from lxc.passes.attention_memory import head_sizes, memory_shape
from lxc.passes.attention_scores import Finder, Scores, Stage
from lxc.passes.decision import Decision, Refusal, decided
from lxc.passes.eliminate_dead import eliminate_dead
from lxc.passes.fuse import PORTABLE
from lxc.passes.known_values import KnownValues
from lxc.passes.nodes import attributes_of, with_attributes
from lxc.passes.single_pass import Setting

Decide = Callable[[Decision], None]

OTHER_SHAPES = Refusal(
    "other-shapes",
    "queries, keys and values do not make rows of scores for heads of known size",
    "float32, known sizes of heads, and at least one key",
)
OTHER_AXES = Refusal(
    "mask-axes",
    "a mask lies along axes that are joined or split later on",
    "a mask of scores [*batch, heads, queries, keys]",
)


def fuse_attention(graph: Graph, machine: Machine = PORTABLE) -> Graph:
    """Let one node stand for a product, softmax and the product that reads the weights."""
    return attention_fused(graph, machine, lambda decision: None)


def fuse_attention_recorded(graph: Graph, setting: Setting) -> Graph:
    """Return the graph for the machine of the setting, which hears of decisions."""
    return attention_fused(graph, setting.machine, setting.decide)


def attention_fused(graph: Graph, machine: Machine, decide: Decide) -> Graph:
    """Return the graph with attention, without what led to the weights before."""
    changed = rewrite(graph, Fusion(graph, machine, decide).rule)
    return graph if changed is graph else eliminate_dead(changed)


class Fusion:
    """One way through a graph."""

    def __init__(self, graph: Graph, machine: Machine, decide: Decide) -> None:
        """Count the readers of every value."""
        self.machine, self.decide = machine, decide
        self.known = KnownValues(graph.headers)
        self.readers = readers_of(graph)
        self.finder = Finder(self.known, self.readers, graph.arrays)

    def rule(self, node: Node) -> Replacement | None:
        """Return what stands for a node, or None."""
        step = RULES.get(node.op)
        replacement = step(self, node) if step else None
        for new in replacement.nodes if replacement else (node,):
            self.known.note(new)
        return replacement

    def attend(self, node: Node) -> Replacement | None:
        """Return attention for the product of weights and values, and tell of it."""
        found = self.finder.scores(node.operands[0])
        if found is None:
            return None
        made = self.replaced(node, found) if isinstance(found, Scores) else found
        if isinstance(made, Refusal) or not isinstance(found, Scores):
            weights = self.known.made[node.operands[0]]
            refusal = made if isinstance(made, Refusal) else OTHER_SHAPES
            self.decide(decided(weights, node, refusal))
            return None
        reason = "scores and weights stay in the cache"
        self.decide(decided(found.product, node, None, "attention", reason))
        return made

    def replaced(self, node: Node, found: Scores) -> Replacement | Refusal:
        """Return the nodes of attention, or why there cannot be any."""
        first, second = product_of(found.product), product_of(node)
        if first is None or second is None or not fit(first, second):
            return OTHER_SHAPES
        heads = Heads(self.known, found.product.location.join(node.location))
        query, by = heads.unscaled(heads.query(first))
        key, value, again = heads.keys_and_values(first, second, query)
        scale = float(np.float32(found.scale * by * again))
        if not suits(query, key, value):
            return OTHER_SHAPES
        wanted = (*query.type.shape[:-1], key.type.shape[-2])
        masks = place_masks(heads, found.masks, wanted)
        if isinstance(masks, Refusal):
            return masks
        values, offset = masks
        sizes = head_sizes(query.type, key.type, value.type)
        shape = memory_shape(sizes, self.machine)
        memory = heads.made(scratch, shape=shape, dtype=DType.F32)
        result = heads.made(
            attention,
            *(query, key, value, memory, *values),
            scale=scale,
            hidden=-np.inf if found.hidden is None else found.hidden,
            causal=offset is not None,
            offset=0 if offset is None else offset,
            queries_first=False,
        )
        self.readers[result] = self.readers[node.result]
        return Replacement((heads.shaped(result, node.result.type.shape),), heads.nodes)

    def forward(self, node: Node) -> Replacement | None:
        """Return the result of attention for a reshape that goes back to it."""
        outer = self.known.maker(node.operands[0], reshape)
        inner = self.known.maker(outer.operands[0], attention) if outer else None
        if inner is None or inner.result.type != node.result.type:
            return None
        self.readers[inner.result] = self.readers[node.result]
        return Replacement((inner.result,))

    def queries_first(self, node: Node) -> Replacement | None:
        """Return attention with queries in front of heads for a transpose to that."""
        inner = self.known.maker(node.operands[0], attention)
        if inner is None or self.readers[inner.result] != 1:
            return None
        *outer, heads, queries, last = range(inner.result.type.rank)
        permutation = attributes_of(node)["permutation"]
        if permutation != (*outer, queries, heads, last):
            return None
        facts = attributes_of(inner)
        turned = with_attributes(inner, queries_first=not facts["queries_first"])
        return Replacement(turned.results, (turned,))


RULES = {
    dot_general: Fusion.attend,
    reshape: Fusion.forward,
    transpose: Fusion.queries_first,
}


def readers_of(graph: Graph) -> Counter[Value]:
    """Return how often each value is read."""
    readers: Counter[Value] = Counter(graph.results)
    for node in walk(graph.nodes):
        readers.update(node.operands)
        for body in node.bodies:
            readers.update(body.outputs)
    return readers


def fit(first: Product, second: Product) -> bool:
    """Return whether the rows of the first product are those of the second."""
    in_order = second.left == tuple(range(len(second.left)))
    return first.batch == second.batch and in_order


def suits(query: Value, key: Value, value: Value) -> bool:
    """Return whether there is attention of these operands."""
    heads, size = query.type.shape[-3], query.type.shape[-1]
    groups, keys = key.type.shape[-3:-1]
    static = all(
        isinstance(entry, int) and entry > 0 for entry in (size, value.type.shape[-1])
    )
    if query.type.dtype is not DType.F32 or not static or bounds(keys)[0] < 1:
        return False
    if not isinstance(heads, int) or not isinstance(groups, int):
        return False
    return heads > 0 and groups > 0 and heads % groups == 0


def place_masks(
    heads: Heads, stages: Iterable[Stage], wanted: Shape
) -> tuple[list[Value], int | None] | Refusal:
    """Return the operands that masks become and the offset of a causal one, if any."""
    values: list[Value] = []
    offset: int | None = None
    for stage in stages:
        part = stage.part
        if isinstance(part, Causal):
            if stage.shape[-2:] != wanted[-2:]:
                return OTHER_AXES
            offset = part.offset if offset is None else min(offset, part.offset)
            continue
        nodes = placed(part, stage.shape, wanted, heads.location)
        is_sum = part.value.type.dtype is not DType.BOOL
        if nodes is None or (is_sum and offset is not None):
            return OTHER_AXES
        heads.nodes.extend(nodes)
        values.append(nodes[-1].result)
    return values, offset
