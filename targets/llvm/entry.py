"""The two functions that the C wrapper of a model calls: prepare and run.

Both take tables of addresses as int64, the addresses of the prepared block and of the
arena, the values of the dimensions, and two cells: one collects the status of every kernel,
one has the work of the kernel that is called next.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from lxc.ir.graph import Graph, Program
from lxc.ir.machine import Machine
from lxc.ir.node import Value
from lxc.passes.records import NO_RECORDS, Records
from lxc.passes.state_memory import states_in_place
from lxc.targets.kernels.writer import Writer
from lxc.targets.llvm.addresses import Address, table_entry
from lxc.targets.llvm.calls import Calls, Cells
from lxc.targets.llvm.kernel_calls import Call, KernelCalls, Library
from lxc.targets.tvm_api import Buffer, Expr, Function, array, load, variable
from lxc.targets.tvm_functions import function, function_name

PREPARE_TABLES = ("params", "state")
RUN_TABLES = ("inputs", "params", "state_in", "state_out", "outputs")
ALIGNMENT = 64
MakeCalls = Callable[
    [Writer, Cells, Mapping[Value, Address], Mapping[Value, int], Address, int], Calls
]
"""Makes what writes the calls of one graph."""


@dataclass(frozen=True)
class Lowered:
    """A program as functions, with the memory that its two entries need."""

    functions: Mapping[Expr, Function]
    calls: tuple[Call, ...]
    prepared_bytes: int
    arena_bytes: int


class Entry:
    """The parameters of one entry function, and its body as it is written."""

    def __init__(self, graph: Graph, tables: Sequence[str], blocks: Sequence[str]) -> None:
        """Declare the parameters; `blocks` are addresses of memory."""
        self.tables = {name: array(name, "int64", 1 << 16) for name in tables}
        self.blocks = {name: Address(name, variable(name)) for name in blocks}
        self.dims = array("dims", "int64", max(1, len(graph.dims)))
        self.status = array("status", "int32", 1)
        self.work = array("work", "int64", 1)
        values = {dim.name: load(self.dims, i) for i, dim in enumerate(graph.dims)}
        self.writer = Writer(values)

    def addresses(
        self, name: str, values: Sequence[Value], first: int = 0
    ) -> dict[Value, Address]:
        """Return the addresses in a table, which start at entry `first`."""
        table: Buffer = self.tables[name]
        pairs = enumerate(values, first)
        return {value: table_entry(table, name, number) for number, value in pairs}

    def function(self, symbol: str) -> Function:
        """Return the finished function."""
        starts = [block.start for block in self.blocks.values()]
        parameters = [*self.tables.values(), *starts, self.dims, self.status, self.work]
        return function(parameters, self.writer.body, symbol=symbol, noalias=False)


def lower(
    program: Program,
    name: str,
    machine: Machine,
    records: Records = NO_RECORDS,
    writes: type[KernelCalls] = KernelCalls,
) -> Lowered:
    """Return the kernels and entries of a planned program.

    `writes` is what writes the calls of kernels.
    """
    library = Library(name, program.run.dims, machine, records)
    calls = partial(writes, library)
    prepare, prepared_bytes = lower_prepare(program.prepare, calls)
    run, arena_bytes = lower_run(program, calls)
    functions = {
        **library.functions,
        function_name(f"{name}_entry_prepare"): prepare.function(f"{name}_entry_prepare"),
        function_name(f"{name}_entry_run"): run.function(f"{name}_entry_run"),
    }
    return Lowered(functions, tuple(library.calls), prepared_bytes, arena_bytes)


def lower_prepare(graph: Graph, make: MakeCalls) -> tuple[Entry, int]:
    """Return the entry that computes the prepared values, and the bytes it needs."""
    entry = Entry(graph, PREPARE_TABLES, ("prepared",))
    known = {
        **entry.addresses("params", (*graph.params, *graph.data)),
        **entry.addresses("state", graph.state),
    }
    calls = calls_of(entry, graph, make, known, "prepared")
    calls.nodes(graph.nodes)
    return entry, calls.scratch


def lower_run(program: Program, make: MakeCalls) -> tuple[Entry, int]:
    """Return the entry of the hot path, and the bytes of arena it needs."""
    graph = program.run
    entry = Entry(graph, RUN_TABLES, ("prepared", "arena"))
    known = {
        **entry.addresses("inputs", graph.inputs),
        **entry.addresses("params", (*graph.params, *graph.data)),
        **entry.addresses("state_in", graph.state),
    }
    known |= prepared_addresses(program, entry, known)
    outputs = output_addresses(entry, graph)
    direct: dict[Value, Address] = {}
    for value, address in zip(graph.outputs, outputs, strict=True):
        if value not in known and value not in graph.places:
            direct.setdefault(value, address)
    direct |= {
        value: state_address(entry, number)
        for value, number in states_in_place(graph).items()
    }
    calls = calls_of(entry, graph, make, {**known, **direct}, "arena")
    calls.nodes(graph.nodes)
    for value, address in zip(graph.outputs, outputs, strict=True):
        calls.copy(address, value)
    states = enumerate(zip(graph.state, graph.updates, strict=True))
    changed = [(i, new) for i, (old, new) in states if old not in graph.frozen]
    calls.copy_all(state_copies(entry, graph, changed))
    return entry, calls.scratch


def output_addresses(entry: Entry, graph: Graph) -> list[Address]:
    """Return where the caller wants each output."""
    table = entry.tables["outputs"]
    return [table_entry(table, "outputs", number) for number in range(len(graph.outputs))]


def state_copies(
    entry: Entry, graph: Graph, changed: Sequence[tuple[int, Value]]
) -> list[tuple[Address, Value]]:
    """Return the copies that write the new state.

    A leaf that becomes another leaf is saved before it is overwritten. A leaf that stays is
    copied to where it may lie already.
    """
    return [
        (state_address(entry, number, stays=value is graph.state[number]), value)
        for number, value in changed
    ]


def state_address(entry: Entry, number: int, *, stays: bool = False) -> Address:
    """Return where the caller wants a leaf of the new state.

    That may be where the old one lies, so its memory has the same name, unless it `stays`.
    """
    start = load(entry.tables["state_out"], number)
    return Address(f"{'state_out' if stays else 'state_in'} {number}", start)


def prepared_addresses(
    program: Program, entry: Entry, known: Mapping[Value, Address]
) -> dict[Value, Address]:
    """Return where `prepare` left each prepared value."""
    prepare, run = program.prepare, program.run
    before = (*prepare.params, *prepare.data, *prepare.state)
    after = (*run.params, *run.data, *run.state)
    same = dict(zip(before, after, strict=True))
    found = {}
    for value, made in zip(run.prepared, prepare.outputs, strict=True):
        if made in prepare.places:
            place = prepare.places[made]
            found[value] = entry.blocks["prepared"].part(place, made.type.max_bytes)
        else:
            found[value] = known[same[made]]
    return found


def calls_of(
    entry: Entry,
    graph: Graph,
    make: MakeCalls,
    known: Mapping[Value, Address],
    block: str,
) -> Calls:
    """Return the writer of calls for one graph, whose values have places in `block`."""
    end = -(-(graph.arena_bytes or 0) // ALIGNMENT) * ALIGNMENT
    arena = entry.blocks[block]
    cells = Cells(entry.status, entry.work)
    return make(entry.writer, cells, known, graph.places, arena, end)
