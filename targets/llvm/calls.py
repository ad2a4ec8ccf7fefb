"""Calls of kernels in the order of a graph: addresses in, statements out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lxc.errors import InternalError, LxcError
from lxc.ir.dim import Dim, Size
from lxc.ir.machine import Machine
from lxc.ir.node import Body, Node, Value
from lxc.ir.printer import Printer, print_attributes
from lxc.passes.nodes import attributes_of
from lxc.targets.llvm.group import is_alias
from lxc.targets.llvm.kernel import Kernel, make_kernel
from lxc.targets.llvm.sizes import index_of
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Function,
    Index,
    accumulate_status,
    call,
    function_name,
    load,
    move_bytes,
    pointer,
)
from lxc.targets.tvm_build import first_line


@dataclass(frozen=True)
class Address:
    """Where a value lies: a number that starts a region, and bytes from there.

    `region` names what the number belongs to; addresses of different regions never overlap.
    """

    region: str
    start: Expr
    offset: Index = 0

    @property
    def number(self) -> Expr:
        """The address as an int64."""
        plain = isinstance(self.offset, int) and self.offset == 0
        return self.start if plain else self.start + self.offset

    def moved(self, count: Index) -> "Address":
        """Return the address some bytes further."""
        return Address(self.region, self.start, self.offset + count)


@dataclass(frozen=True)
class Call:
    """One call of a kernel, for reports: which kernel, for which node."""

    kernel: Kernel
    node: Node


class Library:
    """The kernels of a program, each distinct one once."""

    def __init__(self, name: str, dims: Sequence[Dim], machine: Machine) -> None:
        """Start without kernels; `name` starts the names of all."""
        self.name, self.dims, self.machine = name, dims, machine
        self.functions: dict[Expr, Function] = {}
        self.calls: list[Call] = []
        self._kernels: dict[str, tuple[Expr, Kernel]] = {}

    def kernel(self, node: Node, *, noalias: bool) -> Expr:
        """Return the name to call for the work of `node`."""
        key = f"{noalias} {kernel_text(node)}"
        if key not in self._kernels:
            name = f"{self.name}_kernel_{len(self._kernels)}"
            made = self.made(name, node, noalias=noalias)
            handle = function_name(name)
            self._kernels[key] = (handle, made)
            self.functions[handle] = made.function
        handle, made = self._kernels[key]
        self.calls.append(Call(made, node))
        return handle

    def made(self, name: str, node: Node, *, noalias: bool) -> Kernel:
        """Return a new kernel; a failure names the node."""
        try:
            return make_kernel(name, node, self.dims, self.machine, noalias=noalias)
        except (LxcError, InternalError):
            raise
        except Exception as failure:
            # TVM raises many types while functions are put together.
            where = ", ".join((str(node.op), *node.location.layers))
            raise InternalError(f"code for {where}", first_line(failure)) from failure


def kernel_text(node: Node) -> str:
    """Return a text that two nodes share if one kernel does for both."""
    lines = [f"{node.op} {print_attributes(node.attributes)}"]
    lines += [str(value.type) for value in (*node.operands, *node.results)]
    for body in node.bodies:
        printer = Printer(locations=False)
        anonymous = {value: printer.name(value) for value in body.parameters}
        lines += [" ".join(anonymous.values()), *printer.body(body, "")]
    return "\n".join(lines)


class Calls:
    """Writes calls for nodes, one after the other, into an entry function."""

    def __init__(
        self,
        writer: Writer,
        library: Library,
        status: Buffer,
        known: Mapping[Value, Address],
        places: Mapping[Value, int],
        arena: Address,
        scratch: int,
    ) -> None:
        """Know where header values and outputs lie; other values have places in the arena.

        `scratch` is where the arena ends so far; copies that cross take more of it.
        """
        self.writer, self.library, self.status = writer, library, status
        self.known = dict(known)
        self.places, self.arena, self.scratch = places, arena, scratch

    def address(self, value: Value) -> Address:
        """Return where a value lies."""
        if value not in self.known:
            if value not in self.places:
                raise InternalError(
                    "code generation", f"a value of {value.type} has no place"
                )
            self.known[value] = self.arena.moved(self.places[value])
        return self.known[value]

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
            elif node.bodies and is_alias(node.bodies[0]):
                origin = self.address(node.operands[0])
                if node.result not in self.places:
                    self.known.setdefault(node.result, origin)
                self.copy(self.address(node.result), node.operands[0])
            else:
                self.kernel(node)

    def kernel(self, node: Node) -> None:
        """Write the call of one kernel."""
        values = (*node.operands, node.result)
        apart = not any(self.overlap(node.result, operand) for operand in node.operands)
        target = self.library.kernel(node, noalias=apart)
        addresses = [pointer(self.address(value).number) for value in values]
        status = call(target, [*addresses, *self.writer.dims.values()])
        self.writer.write(accumulate_status(self.status, status))

    def overlap(self, first: Value, second: Value) -> bool:
        """Return whether two values may share memory."""
        here, there = self.address(first), self.address(second)
        if here.region != there.region:
            return False
        if not (isinstance(here.offset, int) and isinstance(there.offset, int)):
            return True
        start = max(here.offset, there.offset)
        ends = (here.offset + first.type.max_bytes, there.offset + second.type.max_bytes)
        return start < min(ends)

    def copy(self, destination: Address, source: Value) -> None:
        """Write the copy of a value, unless it lies there already."""
        origin = self.address(source)
        if (origin.region, str(origin.offset)) == (
            destination.region,
            str(destination.offset),
        ):
            return
        moved = move_bytes(
            pointer(destination.number), pointer(origin.number), self.bytes_of(source)
        )
        self.writer.write(moved)

    def copy_all(self, pairs: Sequence[tuple[Address, Value]]) -> None:
        """Write copies as if all were done at once: what is overwritten is saved before."""
        written = {(place.region, str(place.offset)) for place, _ in pairs}
        ready: list[tuple[Address, Value]] = []
        for place, source in pairs:
            origin = self.address(source)
            spot = (origin.region, str(origin.offset))
            if spot in written and spot != (place.region, str(place.offset)):
                source = self.saved(source)
            ready.append((place, source))
        for place, source in ready:
            self.copy(place, source)

    def saved(self, source: Value) -> Value:
        """Write a copy of a value to fresh memory behind the arena and return it."""
        twin = Value(source.type)
        self.known[twin] = self.arena.moved(self.scratch)
        self.scratch += -(-source.type.max_bytes // 64) * 64
        self.copy(self.known[twin], source)
        return twin

    def scan(self, node: Node) -> None:
        """Write the loop of a scan: only carries have memory of their own."""
        (body,) = node.bodies
        carries, consts = attributes_of(node)["carries"], attributes_of(node)["consts"]
        if attributes_of(node)["axis"] != 0:
            raise InternalError("code generation", "a scan walks along an inner axis")
        for parameter, start in zip(body.parameters[:carries], node.operands, strict=False):
            self.copy(self.address(parameter), start)
        length = self.size(attributes_of(node)["length"])
        with self.writer.loop(length) as counter:
            step = length - 1 - counter if attributes_of(node)["reverse"] else counter
            whole = carries + consts
            for parameter, operand in list(
                zip(body.parameters, node.operands, strict=True)
            )[carries:]:
                inner = body.parameters.index(parameter) >= whole
                offset = step * self.bytes_of(parameter) if inner else 0
                self.known[parameter] = self.address(operand).moved(offset)
            self.nodes(body.nodes)
            self.hand_on(node, body, carries, step)
        for result, parameter in zip(node.results[:carries], body.parameters, strict=False):
            self.copy(self.address(result), parameter)

    def hand_on(self, node: Node, body: Body, carries: int, step: Index) -> None:
        """Write the end of a step: stack its values, then take over the carries."""
        for value, stack in zip(
            body.outputs[carries:], node.results[carries:], strict=True
        ):
            self.copy(self.address(stack).moved(step * self.bytes_of(value)), value)
        pairs = zip(body.parameters[:carries], body.outputs, strict=False)
        self.copy_all([(self.address(old), new) for old, new in pairs])


LOOPS: Mapping[str, Callable[[Calls, Node], None]] = {"scan": Calls.scan}
"""How nodes with a body of calls become loops in the entry."""


def table_entry(table: Buffer, name: str, number: int) -> Address:
    """Return the address that a table holds."""
    return Address(f"{name} {number}", load(table, number))
