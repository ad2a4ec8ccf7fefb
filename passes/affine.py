"""Chains of sums and products with one number per channel, and what they come to."""

from dataclasses import dataclass

from lxc.ir.graph import Graph
from lxc.ir.node import Location, Node, Value, users
from lxc.ir.op import Op
from lxc.ir.ops.arithmetic import add, divide, multiply, negate, subtract
from lxc.ir.ops.shape import broadcast, reshape
from lxc.passes.node_writer import NodeWriter
from lxc.passes.nodes import attributes_of, producers
from lxc.passes.parameter_values import parameter_leaves

SCALING = frozenset({multiply, divide, negate})


@dataclass(frozen=True)
class Step:
    """One node of a chain: what it does to `value` with a parameter-only `vector`.

    `flipped` says that the vector stands first: vector - value.
    """

    node: Node
    value: Value
    vector: Value | None
    flipped: bool

    @property
    def scales(self) -> bool:
        """Whether the step does more than to add."""
        return self.node.op in SCALING or (self.node.op is subtract and self.flipped)


@dataclass(frozen=True)
class Chain:
    """Steps from `head` on, all along one channel `axis` or with scalars."""

    head: Value
    axis: int
    steps: tuple[Step, ...]

    @property
    def scalings(self) -> int:
        """The number of steps that do more than to add."""
        return sum(step.scales for step in self.steps)

    @property
    def location(self) -> Location:
        """The layers of all steps."""
        place = Location()
        for step in self.steps:
            place = place.join(step.node.location)
        return place


class Channels:
    """Which values of a graph are parameter-only, and the axes that they vary along."""

    def __init__(self, graph: Graph) -> None:
        """Look at all nodes."""
        self.leaves = parameter_leaves(graph)
        self.made = producers(graph.nodes)
        self.readers = users(graph.nodes)
        self.results = set(graph.results)
        self.axes: dict[Value, frozenset[int]] = {}
        for value in self.leaves:
            self.learn(value)
        for node in graph.nodes:
            self.learn(node.results[0])

    def learn(self, value: Value) -> None:
        """Note the axes that `value` varies along if it follows from parameters."""
        node = self.made.get(value)
        if node and node.op is broadcast:
            (x,) = node.operands
            if x in self.leaves:
                places = zip(x.type.shape, attributes_of(node)["axes"], strict=True)
                self.axes[value] = frozenset(axis for entry, axis in places if entry != 1)
        elif node and node.op.kind == "elementwise":
            parts = [
                self.axes[operand] for operand in node.operands if operand in self.axes
            ]
            if len(parts) == len(node.operands):
                self.axes[value] = frozenset().union(*parts)
        elif value in self.leaves:
            entries = enumerate(value.type.shape)
            self.axes[value] = frozenset(axis for axis, entry in entries if entry != 1)

    def step(self, node: Node) -> Step | None:
        """Return what `node` does as a step of a chain, or None."""
        if node.op not in (add, subtract, multiply, divide, negate):
            return None
        if not node.result.type.dtype.is_float:
            return None
        known = [value in self.axes for value in node.operands]
        if node.op is negate:
            return None if known[0] else Step(node, node.operands[0], None, False)
        if known[0] == known[1] or (node.op is divide and known[0]):
            return None
        vector, value = node.operands if known[0] else node.operands[::-1]
        return Step(node, value, vector, known[0])

    def follow(self, head: Value, axis: int) -> Chain:
        """Return the longest chain from `head` along one axis."""
        steps: list[Step] = []
        step = self.next(head)
        while step:
            axes = self.axes[step.vector] if step.vector else frozenset()
            if axes - {axis}:
                break
            steps.append(step)
            step = self.next(step.node.result)
        return Chain(head, axis, tuple(steps))

    def next(self, value: Value) -> Step | None:
        """Return the step that is the only reader of `value`, or None."""
        readers = self.readers.get(value, [])
        if value in self.results or len(readers) != 1:
            return None
        return self.step(readers[0])


class Affine(NodeWriter):
    """The parameter-only `scale` and `shift` of a chain, and the nodes that compute them.

    Both are vectors along the chain's axis; None stands for 1 and 0.
    """

    def __init__(self, channels: Channels, chain: Chain, location: Location) -> None:
        """Go through the steps."""
        super().__init__(location)
        self.channels = channels
        self.scale: Value | None = None
        self.shift: Value | None = None
        self.axis = chain.axis
        shape = chain.head.type.shape
        self.type = chain.head.type.with_shape((shape[self.axis],))
        for step in chain.steps:
            self.take(step)

    def take(self, step: Step) -> None:
        """Change scale and shift as one step does."""
        op = step.node.op
        if step.vector is None:
            self.scale = self.made(negate, self.scale or self.number(1.0))
            self.shift = self.made(negate, self.shift) if self.shift else None
            return
        vector = self.vector(step.vector)
        if op in (multiply, divide):
            if op is multiply and self.scale is None:
                self.scale = vector
            else:
                self.scale = self.made(op, self.scale or self.number(1.0), vector)
            self.shift = self.made(op, self.shift, vector) if self.shift else None
        elif op is add:
            self.shift = self.made(add, self.shift, vector) if self.shift else vector
        elif step.flipped:
            self.scale = self.made(negate, self.scale or self.number(1.0))
            self.shift = self.made(subtract, vector, self.shift) if self.shift else vector
        else:
            self.shift = (
                self.made(subtract, self.shift, vector)
                if self.shift
                else self.made(negate, vector)
            )

    def vector(self, value: Value) -> Value:
        """Return the numbers of a parameter-only value, one per channel."""
        node = self.channels.made.get(value)
        if value.type == self.type:
            return value
        if node and node.op is broadcast:
            return self.fitted(node.operands[0])
        if node and node.op.kind == "elementwise" and node.result.type.rank:
            operands = tuple(self.vector(operand) for operand in node.operands)
            return self.made(node.op, *operands, **attributes_of(node))
        return self.fitted(value)

    def fitted(self, value: Value) -> Value:
        """Return a value that varies along one axis at most in the shape of the vectors."""
        shape = value.type.shape
        count = value.type.element_count
        if shape == self.type.shape:
            return value
        if count == 1 and shape != ():
            value = self.made(reshape, value, shape=())
        if count == 1:
            return self.made(broadcast, value, shape=self.type.shape, axes=())
        return self.made(reshape, value, shape=self.type.shape)

    def number(self, number: float) -> Value:
        """Return a vector of one number."""
        return self.fitted(self.single(number, self.type))

    def joined(self, op: Op, x: Value, vector: Value | None, axis: int) -> Value:
        """Return `op` of `x` and a vector along `axis`, or `x` if there is no vector."""
        if vector is None:
            return x
        spread = self.made(broadcast, vector, shape=x.type.shape, axes=(axis,))
        return self.made(op, x, spread)
