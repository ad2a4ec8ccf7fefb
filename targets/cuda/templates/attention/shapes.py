"""What a block of attention by multiply-adds has: its parts, and its shared memory.

A tile has one key per lane of a warp. A warp has `rows` queries.
"""

from dataclasses import dataclass

from lxc.passes.attention_memory import HeadSizes
from lxc.targets.cuda.shared_memory import SharedArray
from lxc.targets.cuda.templates.attention.work import F32, FOUR, WARPS, Attention
from lxc.targets.cuda.templates.teams import WARP
from lxc.targets.tvm_api import Buffer

MOST_ROWS = 8
"""A warp has at most so many queries: their sums have to stay in registers, ..."""
MOST_SUMS = 32
"""... of which a thread has so many for the results, ..."""
MOST_BYTES = 96 << 10
"""... and a block has no more shared memory on any card than this."""


@dataclass(frozen=True)
class Shapes:
    """The sizes of the parts of a block: queries of a warp, and padded features.

    Keys lie `key_step` apart in shared memory, so that 32 of them are read at once.
    """

    rows: int
    size: int
    width: int

    @property
    def block_rows(self) -> int:
        """The queries of a block."""
        return self.rows * WARPS

    @property
    def fours(self) -> int:
        """The features of a query in whole groups of four."""
        return -(-self.size // FOUR)

    @property
    def key_step(self) -> int:
        """How far apart keys lie."""
        return FOUR * (self.fours + 1 - self.fours % 2)

    @property
    def columns(self) -> int:
        """The features of values that a lane has."""
        return -(-self.width // WARP)

    def arrays(self) -> tuple[SharedArray, ...]:
        """Return what a block wants: queries, keys, values, weights and flags."""
        return (
            SharedArray("queries", F32, self.block_rows * self.fours * FOUR),
            SharedArray("keys", F32, WARP * self.key_step),
            SharedArray("values", F32, WARP * self.columns * WARP),
            SharedArray("weights", F32, self.block_rows * WARP),
            SharedArray("flags", "int32", WARPS),
        )

    @property
    def bytes(self) -> int:
        """The shared memory of a block."""
        return sum(one.bytes for one in self.arrays())


def shapes_of(sizes: HeadSizes) -> Shapes | None:
    """Return the parts of a block, or None if heads are too large for any."""
    rows = MOST_ROWS
    total = sizes.queries * sizes.shared
    if isinstance(total, int):
        rows = max(1, min(rows, -(-total // WARPS)))
    shapes = Shapes(rows, sizes.size, sizes.width)
    while shapes.rows * shapes.columns > MOST_SUMS or shapes.bytes > MOST_BYTES:
        if shapes.rows == 1:
            return None
        shapes = Shapes(shapes.rows // 2, sizes.size, sizes.width)
    return shapes


@dataclass(frozen=True)
class Shared:
    """The arrays of a block."""

    queries: Buffer
    keys: Buffer
    values: Buffer
    weights: Buffer
    flags: Buffer


@dataclass(frozen=True)
class Units:
    """Attention by multiply-adds: what blocks share, their parts and their arrays."""

    work: Attention
    shapes: Shapes
    memory: Shared
