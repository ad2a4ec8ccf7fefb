"""Pull one vector of elements through a fused body, from a value back to memory.

`Elements.at(value, place)` writes what is needed to know the element of `value` at
`place` and returns it. The place may mention the lane counter, then there is one element
per lane. A value that was pulled to the same place before is not computed again.
"""

from collections.abc import Callable, Container, Mapping
from functools import partial

from lxc.errors import InternalError
from lxc.ir.node import Body, Node, Value
from lxc.ir.types import DType
from lxc.targets.kernels import views
from lxc.targets.kernels.element_rules.table import RULES
from lxc.targets.kernels.lookup import write_look_up
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.rare import write_rare
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.sources import SOURCES
from lxc.targets.kernels.step import Rule, Step
from lxc.targets.kernels.storage import (
    computed,
    from_memory,
    is_half,
    rounded,
    stored,
    to_memory,
)
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    both,
    constant,
    differs,
    load,
    only_if,
    select,
)


class Source:
    """A fused body with the memory that its parameters stand for."""

    def __init__(
        self,
        body: Body,
        buffers: Mapping[Value, Buffer],
        rules: Mapping[Node, Rule] | None = None,
    ) -> None:
        """Index the producers and count the readers of every value.

        `rules` are for nodes that need less than what the rules of their ops do.
        """
        self.buffers = buffers
        self.rules = rules or {}
        self.producers = {result: node for node in body.nodes for result in node.results}
        self.readers: dict[Value, int] = {}
        for node in body.nodes:
            for operand in node.operands:
                self.readers[operand] = self.readers.get(operand, 0) + 1
        self.outputs = frozenset(body.outputs)

    def rounds(self, value: Value) -> bool:
        """Return whether a value is stored, or read in several places, as it is rounded."""
        return value in self.outputs or self.readers[value] > 1


class Elements:
    """What is known of a body's values in the innermost block, for one vector width."""

    def __init__(
        self,
        writer: Writer,
        source: Source,
        width: int,
        *,
        by_lane: Container[Value] = (),
        beside_sums: bool = False,
    ) -> None:
        """Know nothing; `known` may be filled with what an anchor computed.

        Of values `by_lane`, every lane reads the element of its own number, at any place.
        What is `beside_sums` leaves them the registers.
        """
        self.writer = writer
        self.source = source
        self.width = width
        self.by_lane = by_lane
        look_up = partial(write_look_up, writer, width, clears=not beside_sums)
        self.look_up = look_up if writer.has_look_up else None
        self.by_hand = None if writer.converts_halves else self.hold
        self.known: dict[tuple[Value, Place], Expr] = {}
        self._places: dict[tuple[Node, Place], Place] = {}
        self._readable: Expr | None = None

    def hold(self, value: Expr, dtype: str) -> Expr:
        """Return a vector that is kept in registers.

        Conditions are kept as 0 or 1, so that nothing is ever turned around that compares
        floats: TVM takes the opposite of `x < y` for `y <= x`, which NaN makes wrong.
        """
        if dtype == "bool":
            number = select(value, constant(1, "int32"), constant(0, "int32"))
            return differs(self.hold(number, "int32"), constant(0, "int32"))
        return self.writer.hold(value, dtype, self.width)

    def rounded(self, value: Expr, dtype: DType) -> Expr:
        """Return a vector as numbers of a type, which `value`, a load, may be between."""
        return self.hold(rounded(value, dtype, self.by_hand), computed(dtype))

    def in_memory(self, element: Expr, dtype: DType) -> Expr:
        """Return a vector, rounded before, as it is stored."""
        return to_memory(element, dtype, self.by_hand)

    def _step(self, node: Node) -> Step:
        rarely = partial(write_rare, self.writer, self.width)
        return Step(node, self.hold, rarely, self.look_up, self.writer.settled)

    def at(self, value: Value, place: Place) -> Expr:
        """Return the element of `value` at `place`, in the type it is computed in."""
        key = (value, place)
        if key not in self.known:
            self.known[key] = self._pull(value, place)
        return self.known[key]

    def _pull(self, value: Value, place: Place) -> Expr:
        node = self.source.producers.get(value)
        if node is None:
            return self.read(value, place)
        if node.op.kind == "elementwise":
            return self._compute(node, place)
        if node.op.kind == "source":
            return SOURCES[node.op.name](node, place, self.hold, self.rounded)
        if node.op.name in FILLED:
            return FILLED[node.op.name](self, node, place)
        if node.op.kind == "view":
            return self.at(node.operands[0], self._moved(node, place))
        raise InternalError("code generation", f"{node.op} stands where no anchor can be")

    def shape_of(self, value: Value) -> tuple[Index, ...]:
        """Return the shape of a value as indices."""
        return tuple(index_of(entry, self.writer.dims) for entry in value.type.shape)

    def _moved(self, node: Node, place: Place) -> Place:
        key = (node, place)
        if key not in self._places:
            shape = self.shape_of(node.operands[0])
            self._places[key] = views.moved(node, place, shape, self.writer.dims)
        return self._places[key]

    def read(self, value: Value, place: Place) -> Expr:
        """Return an element of the memory that a parameter stands for."""
        if value not in self.source.buffers:
            raise InternalError("code generation", "a body reads a value from outside")
        index = self.writer.lane(self.width) if value in self.by_lane else place.position
        position = self.writer.prover.simplify(index)
        dtype = value.type.dtype
        memory = self.source.buffers[value]
        if self._readable is None:
            word = self.writer.load(memory, position, self.width)
        else:
            word = only_if(
                self._readable, load(memory, position), constant(0, stored(dtype))
            )
        element = from_memory(word, dtype, self.by_hand)
        if self.source.readers.get(value, 0) > 1 or is_half(value.type.dtype):
            return self.hold(element, computed(value.type.dtype))
        return element

    def _compute(self, node: Node, place: Place) -> Expr:
        element = self._contracted(node, place)
        if element is None:
            operands = [self.at(operand, place) for operand in node.operands]
            rule = self.source.rules.get(node) or RULES[node.op.name]
            element = rule(self._step(node), *self._apart(operands, node))
        dtype = node.result.type.dtype
        held = self.hold(element, computed(dtype))
        if is_half(dtype) and not keeps_half(node):
            held = self.rounded(held, dtype)
        return held

    def _contracted(self, node: Node, place: Place) -> Expr | None:
        """Return a sum with its first product in one rounding; None for all else.

        LLVM would fuse products on its own, but of two it takes either, and none if both
        are made in one vector: the bits would depend on the tile.
        """
        if node.op.name not in SUMS or node in self.source.rules:
            return None
        for position, operand in enumerate(node.operands):
            product = self._product(operand, place)
            if product is not None:
                x, y = (self.at(factor, product[1]) for factor in product[0].operands)
                z = self.at(node.operands[1 - position], place)
                if node.op.name == "subtract":
                    x, z = (x, -z) if position == 0 else (-x, z)
                return self.writer.multiply_add(x, y, z)
        return None

    def _product(self, value: Value, place: Place) -> tuple[Node, Place] | None:
        """Return the product of floats that a value is, read here alone, and its place."""
        node = self.source.producers.get(value)
        while node is not None and not self.source.rounds(value):
            if (value, place) in self.known or node in self.source.rules:
                return None
            if node.op.name == "multiply":
                return (node, place) if value.type.dtype in PRECISE else None
            if node.op.kind != "view" or node.op.name in FILLED:
                return None
            place, value = self._moved(node, place), node.operands[0]
            node = self.source.producers.get(value)
        return None

    def _apart(self, operands: list[Expr], node: Node) -> list[Expr]:
        """Return the operands with a copy for every float that comes a second time.

        TVM takes x - x for 0, x / x for 1 and x <= x for true, which NaN makes wrong.
        """
        result = []
        for number, (value, element) in enumerate(
            zip(node.operands, operands, strict=True)
        ):
            again = value.type.dtype.is_float and value in node.operands[:number]
            name = computed(value.type.dtype)
            result.append(self.hold(element, name) if again else element)
        return result

    def padded(self, node: Node, place: Place) -> Expr:
        """Return an element of the operand, or the filling around and between them."""
        shape = self.shape_of(node.operands[0])
        conditions, inner = views.unpadded(node, place, shape, self.writer)
        if conditions is None:
            return self.at(node.operands[1], Place((), position=0))
        element = self._inside(node.operands[0], inner)
        if not conditions:
            return element
        filling = self.at(node.operands[1], Place((), position=0))
        return self._guarded(conditions, element, filling, node)

    def _inside(self, operand: Value, place: Place) -> Expr:
        """Return an element of what is padded.

        If that is empty, no place in it is safe to read: it may have no memory.
        """
        count = index_of(operand.type.element_count, self.writer.dims)
        present = as_index(count) > 0
        if isinstance(count, int) or self.writer.prover.holds(present):
            return self.at(operand, place)
        before = self._readable
        self._readable = present if before is None else both(before, present)
        element = self.at(operand, place)
        self._readable = before
        return element

    def _guarded(
        self, conditions: list[Expr], inside: Expr, filling: Expr, node: Node
    ) -> Expr:
        """Return an element where all conditions hold, and the filling elsewhere.

        The element is read first, in a statement of its own: next to the conditions TVM
        takes them for granted, and drops what keeps the place inside of the operand.
        """
        inside_all = conditions[0]
        for condition in conditions[1:]:
            inside_all = both(inside_all, condition)
        dtype = node.result.type.dtype
        if dtype is DType.BOOL:
            one, none = constant(1, "int32"), constant(0, "int32")
            inside = self.hold(select(inside, one, none), "int32")
            filling = select(filling, one, none)
            return differs(self.hold(select(inside_all, inside, filling), "int32"), none)
        inside = self.hold(inside, computed(dtype))
        return self.hold(select(inside_all, inside, filling), computed(dtype))

    def save(self, buffer: Buffer, position: Index, element: Expr, dtype: DType) -> None:
        """Write one vector to memory."""
        position = self.writer.prover.simplify(position)
        self.writer.store(buffer, position, self.in_memory(element, dtype), self.width)


FILLED: Mapping[str, Callable[[Elements, Node, Place], Expr]] = {"pad": Elements.padded}
"""Views that show elements which their operand does not have."""


def keeps_half(node: Node) -> bool:
    """Return whether a result needs no rounding: it is an operand, maybe negated."""
    return node.op.name in KEEPING


SUMS = frozenset({"add", "subtract"})
PRECISE = frozenset({DType.F32, DType.F64})
"""Products of half types are rounded before anything is added to them."""
KEEPING = frozenset(
    {"absolute", "copysign", "maximum", "minimum", "negate", "select", "sign"}
)
"""Ops whose result is an operand, up to its sign."""
