"""Teams of neighbouring threads that reduce together: a warp, or all threads of a block.

Each thread of a team takes every so many-th vector. How the partial results of the threads
meet follows from the size of the team alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from lxc.targets.cuda.grid_writer import THREADS, GridWriter
from lxc.targets.cuda.intrinsics import BARRIER, SHUFFLE_XOR
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.rows.vectors import PartialResults, Step, Vector, Vectors
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    allocate,
    as_index,
    constant,
    divide,
    is_equal,
    load,
    modulo,
)
from lxc.targets.tvm_grid import block_array

WARP = 32
MOST_TURNS = 8
"""A row of more turns of a warp is given to a whole block."""
FEWEST = 16
"""So few elements are left to one thread."""
MOST_LANES = 8
CHAINS = 2
"""So many vectors of a thread are on their way at once."""


def team_size(vectors: int) -> int:
    """Return how many threads reduce a row of at most so many vectors."""
    return WARP if vectors <= WARP * MOST_TURNS else THREADS


def lanes_for(sizes: Sequence[int]) -> int:
    """Return how many elements a thread takes at once, of types of these sizes in bytes."""
    return min(MOST_LANES, 16 // min(sizes, default=4))


def widest(writer: GridWriter, lanes: int, size: Index) -> int:
    """Return how many elements vectors have that divide a size, at most `lanes`."""
    while lanes > 1:
        if writer.prover.holds(is_equal(as_index(modulo(size, lanes)), as_index(0))):
            return lanes
        lanes //= 2
    return 1


@dataclass(frozen=True)
class TeamVectors(Vectors):
    """How a team of threads takes parts of a row: `width` divides the size of a part.

    Each thread has `count` chains.
    """

    team: int
    member: Index

    @property
    def tails(self) -> tuple[int, ...]:
        """Nothing: all vectors have one width."""
        return ()

    def write(self, writer: Writer, step: Step) -> None:
        """Write the steps of one thread of the team for all of its vectors."""
        member = self.member
        inside = divide(self.size, self.width)
        total = self.parts * inside
        turns = divide(total, self.team * self.count)
        if isinstance(total, int):
            turns = total // (self.team * self.count)
        else:
            turns = writer.name(turns, total + 1)

        def one(number: Index, chain: int) -> None:
            part, place = self.place(writer, number, inside)
            inner = place * self.width + writer.lane(self.width)
            step(part, [Vector(inner, self.width, chain)])

        with writer.loop(turns) as turn:
            for chain in range(self.count):
                one((turn * self.count + chain) * self.team + member, chain)
        done = turns * (self.team * self.count)
        for chain in range(self.count):
            number = done + chain * self.team + member
            if isinstance(total, int) and done + chain * self.team >= total:
                break
            inner = as_index(number) < as_index(total)
            writer.choose(inner, partial(one, number, chain), lambda: None)

    def place(self, writer: Writer, number: Index, inside: Index) -> tuple[Index, Index]:
        """Return the part that a vector is in, and its number there."""
        if isinstance(self.parts, int) and self.parts == 1:
            return 0, number
        return (
            writer.name(divide(number, inside), self.parts),
            writer.name(modulo(number, inside), inside),
        )


class TeamResults(PartialResults):
    """The partial results of one reduction along a row in one thread of a team."""

    def __init__(
        self, writer: GridWriter, anchor: Anchor, vectors: Vectors, team: int
    ) -> None:
        """Write the start of every chain."""
        super().__init__(writer, anchor, vectors, 1, vectors.width)
        self.grid, self.team = writer, team

    def add_term(self, term: Expr, chain: int) -> None:
        """Write one vector of terms into a chain."""
        self.put(self.chains[0][chain], 0, term, self.width)

    def put(self, total: Buffer, first: int, term: Expr, width: int) -> None:
        """Write elements put to those of a vector of partial results from `first` on."""
        lane = self.writer.lane(width)

        def hold(value: Expr, dtype: str) -> Expr:
            return self.writer.hold(value, dtype, width)

        combined = self.anchor.combine(load(total, first + lane), term, hold)
        self.writer.store(total, first + lane, combined, width)

    def merged(self) -> Buffer:
        """Write the trees over chains, lanes and threads; all threads get the result."""
        width, chains = self.width, self.chains[0]
        while len(chains) > 1:
            half = len(chains) // 2
            for first, second in zip(chains[:half], chains[-half:], strict=True):
                self.put(first, 0, load(second, self.writer.lane(width)), width)
            chains = chains[: len(chains) - half]
        (total,) = chains
        while width > 1:
            width //= 2
            self.put(total, 0, load(total, width + self.writer.lane(width)), width)
        self.across_warp(total, WARP)
        if self.team > WARP:
            self.across_block(total)
        return total

    def across_warp(self, total: Buffer, lanes: int) -> None:
        """Write the tree over the threads of a warp."""
        held = self.anchor.held
        while lanes > 1:
            lanes //= 2
            mask = constant(lanes, "int32")
            other = SHUFFLE_XOR.value(held, load(total, 0), mask)
            self.put(total, 0, self.writer.hold(other, held, 1), 1)

    def across_block(self, total: Buffer) -> None:
        """Write the tree over the warps of a block."""
        writer, held = self.writer, self.anchor.held
        warps = self.team // WARP
        shared = block_array(writer.fresh("shared"), held, warps)
        writer.write(allocate(shared))
        member = self.grid.member(self.team)
        # Threads may still read what the warps left here before.
        writer.write(BARRIER.statement())
        place = divide(member, WARP)
        first = is_equal(as_index(modulo(member, WARP)), as_index(0))
        writer.choose(
            first, lambda: writer.store(shared, place, load(total, 0), 1), lambda: None
        )
        writer.write(BARRIER.statement())
        parts = writer.array(held, warps)
        for warp in range(warps):
            writer.store(parts, warp, load(shared, warp), 1)
        while warps > 1:
            warps //= 2
            for warp in range(warps):
                self.put(parts, warp, load(parts, warp + warps), 1)
        writer.store(total, 0, load(parts, 0), 1)
