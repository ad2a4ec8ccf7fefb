"""How a block keeps its part of an operand of a product in shared memory."""

from dataclasses import dataclass, replace

from lxc.targets.cuda.templates.products.contraction import (
    Operand,
    Window,
    count_of,
    merged,
)
from lxc.targets.tvm_api import Expr, Index, divide, intrinsic, modulo
from lxc.targets.tvm_prover import Prover

CHUNK_BYTES = 16
"""What a thread copies at once if it can."""
ACROSS_GAP, DOWN_GAP = 4, 8
"""Elements between lines of which eight are read in chunks, or four by eight elements."""


@dataclass(frozen=True)
class Side:
    """An operand as blocks read it: `extent` rows or columns by `depth` terms at a time.

    In shared memory terms of a row lie side by side if it is `along_depth`, or else rows
    of a term do. A copy moves `vector` of what lies side by side. Behind such a line `gap`
    elements are free.
    """

    operand: Operand
    extent: int
    depth: int
    along_depth: bool
    vector: int
    gap: int = 0

    @property
    def size(self) -> Index:
        """How many rows or columns there are."""
        return count_of(self.operand.free)

    @property
    def copy_bytes(self) -> int:
        """How many bytes a copy moves."""
        return self.vector * self.operand.dtype.bytes

    @property
    def inner(self) -> int:
        """How many elements lie side by side."""
        return self.depth if self.along_depth else self.extent

    @property
    def outer(self) -> int:
        """How many lines of such elements there are."""
        return self.extent if self.along_depth else self.depth

    @property
    def pitch(self) -> int:
        """How far apart lines are."""
        return self.inner + self.gap

    @property
    def count(self) -> int:
        """How many elements of shared memory one stage takes."""
        return self.outer * self.pitch

    def place(self, free: Index, deep: Index) -> Index:
        """Return where in its stage an element lies.

        Of half types the 16-byte chunks of a line change places from line to line, so that
        eight lines below each other are in different banks.
        """
        line, entry = (free, deep) if self.along_depth else (deep, free)
        if self.operand.dtype.bytes == 4:
            return line * self.pitch + entry
        lanes = CHUNK_BYTES // self.operand.dtype.bytes
        chunks = min(self.pitch // lanes, 8)
        turn = modulo(divide(line, 8 // chunks), chunks)
        chunk = exclusive_or(divide(entry, lanes), turn)
        return line * self.pitch + chunk * lanes + modulo(entry, lanes)

    def by_elements(self) -> "Side":
        """Return the same with a copy for every element."""
        return replace(self, vector=1)


def exclusive_or(x: Index, y: Index) -> Expr | int:
    """Return the bits that one of two numbers has."""
    if isinstance(x, int) and isinstance(y, int):
        return x ^ y
    return intrinsic("xor", x, y)


def side_of(
    operand: Operand, extent: int, depth: int, prover: Prover, *, by_matrices: bool
) -> Side:
    """Return how an operand is kept; axes that lie in one run are taken together.

    Threads that read elements of four bytes from several lines at once, as `by_matrices`
    they do in both orders, find each in a bank of its own.
    """
    short = replace(
        operand,
        batch=merged(operand.batch, prover),
        free=merged(operand.free, prover),
        depth=merged(operand.depth, prover),
    )
    along_depth = is_dense(short, along_depth=True) or not short.free
    vector = next(
        (
            count
            for count in together_of(operand.dtype.bytes)
            if is_aligned(short, along_depth, count, prover)
        ),
        1,
    )
    gap = 0
    if operand.dtype.bytes == 4 and (along_depth or by_matrices):
        gap = ACROSS_GAP if along_depth else DOWN_GAP
    return Side(short, extent, depth, along_depth, vector, gap)


def together_of(size: int) -> tuple[int, ...]:
    """Return how many elements of so many bytes a copy may move, the most first.

    Elements of four bytes have copies of their own, which need nothing to be aligned.
    """
    most = CHUNK_BYTES // size
    return (most, most // 2, most // 4) if size == 2 else (most,)


def is_dense(operand: Operand, *, along_depth: bool) -> bool:
    """Return whether neighbours along an inner axis are neighbours in memory."""
    axes = operand.depth if along_depth else operand.free
    step = axes[-1].step if axes else 0
    return isinstance(step, int) and step == 1


def is_aligned(operand: Operand, along_depth: bool, lanes: int, prover: Prover) -> bool:
    """Return whether runs of so many elements begin at multiples of as many."""
    if not is_dense(operand, along_depth=along_depth):
        return False
    if operand.window and not (along_depth and keeps_taps(operand.window, lanes)):
        return False
    axes = (*operand.batch, *operand.free, *operand.depth)
    inner = (operand.depth if along_depth else operand.free)[-1]
    numbers = [axis.step for axis in axes if axis is not inner]
    return all(
        is_multiple(number, lanes, prover)
        for number in (*numbers, inner.size, operand.start)
    )


def keeps_taps(window: Window, lanes: int) -> bool:
    """Return whether so many neighbouring terms belong to one tap of each padded axis."""
    last = len(window.terms) - 1
    inner = window.terms[last]
    apart = all(edge.tap_axis != last for edge in window.edges)
    return apart and isinstance(inner, int) and inner % lanes == 0


def is_multiple(value: Index, of: int, prover: Prover) -> bool:
    """Return whether a number is certainly a multiple of another."""
    rest = value % of if isinstance(value, int) else prover.simplify(modulo(value, of))
    return isinstance(rest, int) and rest == 0
