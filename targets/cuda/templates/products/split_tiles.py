"""The tiles of a product whose sums blocks share: each leaves its chains in memory."""

from lxc.errors import InternalError
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import BARRIER, CLOSE_COPIES
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.copies import Copies
from lxc.targets.cuda.templates.products.ends import Corner
from lxc.targets.cuda.templates.products.memory import Memory, Way
from lxc.targets.cuda.templates.products.splits import place_of_chain
from lxc.targets.cuda.templates.products.sums import Sums
from lxc.targets.cuda.templates.products.tiles import ProductTiles
from lxc.targets.kernels.tile import Work
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    as_index,
    both,
    divide,
    is_less,
    modulo,
    store,
)


class SplitTiles(ProductTiles):
    """Writes the code of the blocks that share the sums of tiles."""

    def __init__(
        self,
        writer: GridWriter,
        work: Work,
        contraction: Contraction,
        way: Way,
        memory: Memory,
    ) -> None:
        """Write nothing yet; the way is split."""
        super().__init__(writer, work, contraction, way, memory)
        if way.split is None or writer.following is None:
            raise InternalError("code generation", "sums of products have no memory")
        self.split, self.partials = way.split, writer.following.memory
        self.rounds = self.split.rounds_of_part(self.tiling)
        self.part: Index = 0
        self.here = Corner(0, 0, 0)

    def write(self) -> None:
        """Write the loop over the parts of all tiles."""
        writer, parts = self.writer, self.split.parts(self.tiling)
        with writer.team_loop(self.count * parts, writer.threads) as number:
            self.part = writer.name(divide(number, self.count), parts)
            tile = writer.name(modulo(number, self.count), self.count)
            self.here = self.corner(tile)
            sums = self.sums()
            sums.clear()
            self.write_sums(sums, sums.sums, self.copies(self.here))
            # The next tile's copies go to where threads may still read.
            writer.write(BARRIER.statement())

    def turns(self) -> int:
        """Return how many stages a block computes."""
        return self.rounds * self.turns_of_chain

    def chain_at(self, turn: Index) -> Index:
        """Return the number of the chain that a stage of this slice belongs to."""
        number = self.part * self.rounds + divide(turn, self.turns_of_chain)
        return number * self.tiling.slices + self.slice

    def first_term(self, turn: Index) -> Index:
        """Return the first term of a stage."""
        inside = modulo(turn, self.turns_of_chain) * self.tiling.depth
        return self.chain_at(turn) * self.chain + inside

    def issue(self, copies: tuple[Copies, Copies], stage: Index, turn: Index) -> None:
        """Write the copies of one stage, unless another block computes it."""
        is_own = is_less(as_index(turn), as_index(self.turns()))

        def copy() -> None:
            for one in copies:
                one.issue(stage, self.first_term(turn))

        self.writer.choose(is_own, copy, lambda: None)
        self.writer.write(CLOSE_COPIES.statement())

    def close_chain(self, sums: Sums, totals: Buffer, turn: Index) -> None:
        """Write that a chain is left in memory if this turn was its last one."""

        def leave() -> None:
            self.leave(sums, totals, self.chain_at(turn))
            sums.clear()

        self.writer.choose(self.ends_chain(turn), leave, lambda: None)

    def close_sums(self, sums: Sums, totals: Buffer) -> None:
        """Write nothing: the last chain was left like all others."""

    def leave(self, sums: Sums, totals: Buffer, chain: Index) -> None:
        """Write a chain of every result that there is to its place in memory."""
        writer, here, sizes = self.writer, self.here, self.contraction
        is_chain = is_less(as_index(chain), as_index(self.split.chains))

        def take(down: Index, across: Index, element: Expr) -> None:
            row, column = here.row + down, here.column + across
            place = place_of_chain(sizes, chain, here.batch, row, column)
            is_there = both(
                is_less(as_index(row), as_index(sizes.rows)),
                is_less(as_index(column), as_index(sizes.columns)),
            )
            write = store(self.partials, place, element)
            writer.choose(is_there, lambda: writer.write(write), lambda: None)

        writer.choose(is_chain, lambda: sums.give(totals, take), lambda: None)
