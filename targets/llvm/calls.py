"""Calls of kernels in the order of a graph: addresses in, statements out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lxc.errors import InternalError, LxcError
from lxc.ir.dim import Size
from lxc.ir.node import Node, Value
from lxc.passes.loop_memory import LoopMemory, loop_memory
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.group import is_alias
from lxc.targets.kernels.sizes import index_of
from lxc.targets.kernels.writer import Writer
from lxc.targets.llvm.addresses import Address
from lxc.targets.tvm_api import Buffer, Index, as_index, is_equal, select
from lxc.targets.tvm_build import first_line


@dataclass(frozen=True)
class Cells:
    """Memory of one number each: the status of all kernels, the work of the next one."""

    status: Buffer
    work: Buffer


@contextmanager
def naming(node: Node) -> Iterator[None]:
    """Let a failure to put a kernel together name the node that it is for."""
    try:
        yield
    except (LxcError, InternalError):
        raise
    except Exception as failure:
        # TVM raises many types while functions are put together.
        where = ", ".join((str(node.op), *node.location.layers))
        raise InternalError(f"code for {where}", first_line(failure)) from failure


class Calls(ABC):
    """Writes calls for nodes, one after the other, into an entry function."""

    def __init__(
        self,
        writer: Writer,
        cells: Cells,
        known: Mapping[Value, Address],
        places: Mapping[Value, int],
        arena: Address,
        scratch: int,
    ) -> None:
        """Know where header values and outputs lie; other values have places in the arena.

        `scratch` is where the arena ends so far; copies that cross take more of it.
        """
        self.writer, self.cells = writer, cells
        self.known = dict(known)
        self.places, self.arena, self.scratch = places, arena, scratch

    def address(self, value: Value) -> Address:
        """Return where a value lies."""
        if value not in self.known:
            if value not in self.places:
                raise InternalError(
                    "code generation", f"a value of {value.type} has no place"
                )
            place = self.places[value]
            self.known[value] = self.arena.part(place, value.type.max_bytes)
        return self.known[value]

    def is_apart(self, node: Node) -> bool:
        """Return whether the memory of the results meets that of no operand."""
        results = [self.address(value) for value in node.results]
        return not any(
            result.meets(self.address(value))
            for result in results
            for value in node.operands
        )

    def bytes_of(self, value: Value) -> Index:
        """Return the size of a value."""
        return self.size(value.type.element_count) * value.type.dtype.bytes

    def size(self, value: Size) -> Index:
        """Return a size as an index."""
        return index_of(value, self.writer.dims)

    def nodes(self, nodes: Sequence[Node]) -> None:
        """Write the calls for `nodes`."""
        for node in nodes:
            if node.op.name in LOOPS:
                LOOPS[node.op.name](self, node)
            elif node.op.name in WITHOUT_CODE or self.is_joined(node):
                continue
            elif node.bodies and is_alias(node.bodies[0]):
                origin = self.address(node.operands[0])
                if node.result not in self.places:
                    self.known.setdefault(node.result, origin)
                self.copy(self.address(node.result), node.operands[0])
            else:
                self.kernel(node)

    def is_joined(self, node: Node) -> bool:
        """Return whether a join finds its parts in its result, one after the other."""
        if node.op.name != "concat":
            return False
        place = self.address(node.result)
        for value in node.operands:
            if not self.address(value).is_same(place):
                return False
            place = place.moved(value.type.max_bytes)
        return True

    @abstractmethod
    def kernel(self, node: Node) -> None:
        """Write the call of one kernel."""

    @abstractmethod
    def copy(self, destination: Address, source: Value) -> None:
        """Write the copy of a value, unless it lies there already."""

    def copy_all(self, pairs: Sequence[tuple[Address, Value]]) -> None:
        """Write copies as if all were done at once: what is overwritten is saved before."""
        ready: list[tuple[Address, Value]] = []
        for place, source in pairs:
            origin = self.address(source)
            written = any(origin.is_same(other) for other, _ in pairs)
            if written and not origin.is_same(place):
                source = self.saved(source)
            ready.append((place, source))
        for place, source in ready:
            self.copy(place, source)

    def saved(self, source: Value) -> Value:
        """Write a copy of a value to fresh memory behind the arena and return it."""
        twin = Value(source.type)
        self.known[twin] = self.arena.part(self.scratch, source.type.max_bytes)
        self.scratch += -(-source.type.max_bytes // 64) * 64
        self.copy(self.known[twin], source)
        return twin

    def scan(self, node: Node) -> None:
        """Write the loop of a scan."""
        facts, memory = attributes_of(node), loop_memory(node)
        if facts["axis"] != 0:
            raise InternalError("code generation", "a scan walks along an inner axis")
        body, length = node.bodies[0], self.size(facts["length"])
        carries = body.parameters[: facts["carries"]]
        for parameter, start in zip(carries, node.operands, strict=False):
            if parameter not in memory.behind:
                self.copy(self.address(parameter), start)
        with self.writer.loop(length) as counter:
            step = length - 1 - counter if facts["reverse"] else counter
            self.enter(node, memory, counter, step)
            self.nodes(body.nodes)
            self.hand_on(node, memory, step)
        last = 0 if facts["reverse"] else length - 1
        for result, parameter in zip(node.results, carries, strict=False):
            if parameter in memory.behind:
                self.known[parameter] = self.slot(node, memory.behind[parameter], last)
            self.copy(self.address(result), parameter)

    def slot(self, node: Node, number: int, step: Index) -> Address:
        """Return where a step of a scan leaves its part of a stacked result."""
        value = node.bodies[0].outputs[number]
        return self.address(node.results[number]).moved(step * self.bytes_of(value))

    def enter(self, node: Node, memory: LoopMemory, counter: Index, step: Index) -> None:
        """Find the values that have no memory of their own at the start of a step."""
        facts, parameters = attributes_of(node), node.bodies[0].parameters
        whole = facts["carries"] + facts["consts"]
        pairs = list(zip(parameters, node.operands, strict=True))
        for parameter, operand in pairs[facts["carries"] : whole]:
            self.known[parameter] = self.address(operand)
        for parameter, operand in pairs[whole:]:
            offset = step * self.bytes_of(parameter)
            self.known[parameter] = self.address(operand).moved(offset)
        for value, number in memory.slots.items():
            self.known[value] = self.slot(node, number, step)
        for parameter, operand in pairs[: facts["carries"]]:
            if parameter in memory.behind:
                before = step + 1 if facts["reverse"] else step - 1
                earlier = self.slot(node, memory.behind[parameter], before)
                self.known[parameter] = self.either(counter, operand, earlier)

    def either(self, counter: Index, start: Value, later: Address) -> Address:
        """Return where a carry lies: where it starts, or where the step before left it.

        No step writes to either, so this is a region of its own.
        """
        first = self.address(start)
        if isinstance(counter, int):
            return first
        number = select(is_equal(counter, as_index(0)), first.number, later.number)
        return Address(f"before step {counter} of {later.region}", number)

    def hand_on(self, node: Node, memory: LoopMemory, step: Index) -> None:
        """Write the end of a step: stack its values, then take over the carries."""
        body, carries = node.bodies[0], attributes_of(node)["carries"]
        for number, value in list(enumerate(body.outputs))[carries:]:
            if memory.slots.get(value) != number:
                self.copy(self.slot(node, number, step), value)
        pairs = zip(body.parameters[:carries], body.outputs, strict=False)
        self.copy_all(
            [(self.address(old), new) for old, new in pairs if old not in memory.behind]
        )


LOOPS: Mapping[str, Callable[[Calls, Node], None]] = {
    "scan": lambda calls, node: calls.scan(node)
}
"""How nodes with a body of calls become loops in the entry."""

WITHOUT_CODE = frozenset({"scratch"})
"""Ops whose result is memory as it is."""
