"""Functions that do nothing but keep a processor busy, to measure what it can do.

`lxc_multiply_adds(data, rounds)` does rounds of multiply-adds in registers. In each of its
rounds `lxc_reads(data, memory, count, rounds)` reads `count` blocks of memory, and so does
`lxc_reads_ahead`, which fetches them ahead. They are made of the same vectors as the
kernels for a target.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lxc.ir.machine import Machine
from lxc.targets.kernels.writer import Writer
from lxc.targets.target import Target
from lxc.targets.tvm_api import Buffer, Expr, Function, Index, array, load, variable
from lxc.targets.tvm_build import generate
from lxc.targets.tvm_functions import function, function_name

MULTIPLY_ADDS, READS, READS_AHEAD = "lxc_multiply_adds", "lxc_reads", "lxc_reads_ahead"
BYTES = {"float32": 4, "float64": 8}
VECTORS_OF_A_BLOCK = 8
AHEAD_BYTES = 2048


@dataclass(frozen=True)
class Gauge:
    """How vectors of a target are used up: `chains` sums are under way at once."""

    dtype: str
    width: int
    chains: int

    @property
    def flops(self) -> int:
        """The operations of a round."""
        return 2 * self.width * self.chains

    @property
    def bytes(self) -> int:
        """The bytes of a block."""
        return VECTORS_OF_A_BLOCK * self.width * BYTES[self.dtype]

    @property
    def room(self) -> int:
        """The bytes of the array that multiply-adds start from and leave sums in."""
        return (self.chains * self.width + 2) * BYTES[self.dtype]


def gauge_for(machine: Machine, dtype: str) -> Gauge:
    """Return how the registers of a machine are used up."""
    width = max(1, machine.lanes * BYTES["float32"] // BYTES[dtype])
    return Gauge(dtype, width, machine.registers * 3 // 4)


def gauge_object(target: Target, dtype: str) -> bytes:
    """Return an object file with the three functions for a target."""
    gauge = gauge_for(target.machine, dtype)
    made = {
        MULTIPLY_ADDS: multiply_adds(gauge),
        READS: reads(gauge, READS, ahead=False),
        READS_AHEAD: reads(gauge, READS_AHEAD, ahead=True),
    }
    return generate(named(made), target.processor).object_bytes


def named(functions: Mapping[str, Function]) -> dict[Expr, Function]:
    """Return functions by the handles of their names."""
    return {function_name(name): made for name, made in functions.items()}


def multiply_adds(gauge: Gauge) -> Function:
    """Return the function that multiplies and adds; factor and term follow the sums."""
    writer, rounds = Writer({}), variable("rounds")
    data = array("data", gauge.dtype, gauge.room // BYTES[gauge.dtype])
    width, lane = gauge.width, writer.lane(gauge.width)
    sums = started(writer, gauge, gauge.chains, data)
    last = gauge.chains * width
    factor, term = (
        writer.hold(load(data, last + number), gauge.dtype, width) for number in (0, 1)
    )
    with writer.loop(rounds):
        for one in sums:
            writer.store(one, lane, load(one, lane) * factor + term, width)
    finish(writer, gauge, sums, data)
    return function([data, rounds], writer.body, symbol=MULTIPLY_ADDS, noalias=True)


def reads(gauge: Gauge, name: str, *, ahead: bool) -> Function:
    """Return the function that adds up memory; the sums go to the array `data`."""
    writer, count, rounds = Writer({}), variable("count"), variable("rounds")
    data = array("data", gauge.dtype, gauge.room // BYTES[gauge.dtype])
    memory = array("memory", gauge.dtype, 1 << 62)
    width, lane = gauge.width, writer.lane(gauge.width)
    sums = started(writer, gauge, VECTORS_OF_A_BLOCK, data)
    with writer.loop(rounds), writer.loop(count) as block:
        for number, one in enumerate(sums):
            place: Index = (block * VECTORS_OF_A_BLOCK + number) * width
            value = load(one, lane) + load(memory, place + lane)
            writer.store(one, lane, value, width)
            if ahead:
                distance = AHEAD_BYTES // BYTES[gauge.dtype]
                writer.fetch(memory, place + distance, nearest=True)
    finish(writer, gauge, sums, data)
    parameters = [data, memory, count, rounds]
    return function(parameters, writer.body, symbol=name, noalias=True)


def started(writer: Writer, gauge: Gauge, count: int, data: Buffer) -> list[Buffer]:
    """Return some vectors that start with the numbers of `data`."""
    lane, sums = writer.lane(gauge.width), []
    for number in range(count):
        one = writer.array(gauge.dtype, gauge.width)
        writer.store(one, lane, load(data, number * gauge.width + lane), gauge.width)
        sums.append(one)
    return sums


def finish(writer: Writer, gauge: Gauge, sums: list[Buffer], data: Buffer) -> None:
    """Write vectors to where they came from, so that none of the work can be left out."""
    lane = writer.lane(gauge.width)
    for number, one in enumerate(sums):
        place = number * gauge.width + lane
        writer.store(data, place, load(one, lane), gauge.width)
