"""Kernels of random numbers, with a vector of counter blocks at a time."""

from lxc.ir.ops.random import PARITY, ROTATIONS, SPLIT
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.element_rules import integers
from lxc.targets.kernels.nest import Coordinates
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.sizes import index_of, product
from lxc.targets.kernels.split import vectors
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    cast,
    constant,
    divide,
    intrinsic,
    load,
    modulo,
)

WORD = "uint32"


def word(value: int) -> Expr:
    """Return a 32-bit constant."""
    return constant(value, WORD)


class Threefry:
    """Threefry-2x32 with 20 rounds on one vector of counter blocks."""

    def __init__(self, writer: Writer, key: Buffer, width: int) -> None:
        """Compute the key schedule."""
        self.writer, self.width = writer, width
        first, second = load(key, 0), load(key, 1)
        third = intrinsic("xor", intrinsic("xor", first, second), word(PARITY))
        self.schedule = [
            self.hold(first, WORD),
            self.hold(second, WORD),
            self.hold(third, WORD),
        ]

    def hold(self, value: Expr, dtype: str) -> Expr:
        """Return a vector that is kept in registers."""
        return self.writer.hold(value, dtype, self.width)

    def add(self, x: Expr, y: Expr) -> Expr:
        """Return the sum modulo 2 to the 32."""
        return self.hold(integers.add(x, y, WORD, self.hold), WORD)

    def blocks(self, high: Expr, low: Expr) -> tuple[Expr, Expr]:
        """Return both words of every counter block."""
        first = self.add(high, self.schedule[0])
        second = self.add(low, self.schedule[1])
        for turn in range(20):
            left = ROTATIONS[turn % 8]
            first = self.add(first, second)
            turned = intrinsic(
                "or",
                intrinsic("shift_left", second, word(left)),
                intrinsic("shift_right", second, word(32 - left)),
            )
            second = self.hold(intrinsic("xor", turned, first), WORD)
            if turn % 4 == 3:
                injection = turn // 4 + 1
                first = self.add(first, self.schedule[injection % 3])
                second = self.add(second, self.schedule[(injection + 1) % 3])
                second = self.add(second, word(injection))
        return first, second


def random_bits(work: NodeWork) -> None:
    """Write two words per counter block, one if the last block is only half needed."""
    writer, key = work.writer, work.operands[0]
    shape = [index_of(entry, writer.dims) for entry in attributes_of(work.node)["shape"]]
    count = product(shape)
    fixed = isinstance(count, int)
    pairs = count // 2 if fixed else divide(count, 2)

    def body(rows: Coordinates, block: Index, width: int) -> None:
        write_block(writer, key, work.result, block, width, words=2)

    work.each_vector([], pairs, body)
    with writer.loop(count % 2 if fixed else modulo(count, 2)):
        write_block(writer, key, work.result, pairs, 1, words=1)


def write_block(
    writer: Writer, key: Buffer, result: Buffer, block: Index, width: int, *, words: int
) -> None:
    """Write the words of one vector of blocks, which are numbered by 64 bits."""
    number = as_index(block)
    high = cast(WORD, intrinsic("shift_right", number, as_index(32)))
    low = cast(WORD, intrinsic("and", number, as_index(0xFFFFFFFF)))
    made = Threefry(writer, key, width)
    pair = made.blocks(made.hold(high, WORD), made.hold(low, WORD))
    for place in range(words):
        writer.store(result, block * 2 + place, pair[place], width)


def random_split(work: NodeWork) -> None:
    """Write one key per counter block of the upper range."""
    writer = work.writer
    for piece in vectors(0, attributes_of(work.node)["count"], work.machine.lanes):
        with writer.loop(piece.count) as number:
            width = piece.size
            block = piece.start + number * width + writer.lane(width)
            made = Threefry(writer, work.operands[0], width)
            low = made.hold(cast(WORD, as_index(block)), WORD)
            pair = made.blocks(made.hold(word(SPLIT), WORD), low)
            for place in range(2):
                writer.store(work.result, block * 2 + place, pair[place], width)
