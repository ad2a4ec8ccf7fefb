"""Where the factors of a product of pairs of bfloat16 lie, and how they are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    cast,
    constant,
    intrinsic,
    load,
    load_vector,
    reinterpret,
)

WORD = "uint32"
UPPER = 0xFFFF0000

Coordinates = Sequence[Index]
Position = Callable[[Coordinates, Coordinates], Index]
"""Where in memory an element lies, for coordinates along the loops and of a pair."""


@dataclass(frozen=True)
class Pairs:
    """The two factors of a product; `terms` are summed up for each result in one run.

    The first factor of a pair of `rows` is at `row_at`, and the second one beside it if
    `is_joined`, or else at `second_at`. Rows are `row_step` elements apart, and lines of
    rows `line_step`, which is 0 where there are none. The first factor of lane 0 of the
    `weights` is at `weight_at`; lanes hold pairs.
    """

    rows: Buffer
    row_at: Position
    second_at: Position
    row_step: Index
    is_joined: bool
    weights: Buffer
    weight_at: Position
    terms: int
    line_step: Index = 0

    def word(self, at: Coordinates, deep: Coordinates) -> Expr:
        """Return a pair of a row as 32 bits, the second factor in the upper half.

        Behind the last factor of an odd number there is a zero.
        """
        first = self.row_at(at, deep)
        if isinstance(deep[-1], int) and 2 * deep[-1] + 1 == self.terms:
            return cast(WORD, load(self.rows, first))
        if self.is_joined:
            return reinterpret(WORD, load_vector(self.rows, first, 2))
        low = cast(WORD, load(self.rows, first))
        high = cast(WORD, load(self.rows, self.second_at(at, deep)))
        return intrinsic("or", low, intrinsic("shift_left", high, constant(16, WORD)))

    def words(self, at: Coordinates, deep: Coordinates, lanes: int) -> Expr:
        """Return the pairs of all lanes of the weights as one vector."""
        vector = load_vector(self.weights, self.weight_at(at, deep), 2 * lanes)
        return reinterpret(f"{WORD}x{lanes}", vector)


def lower(word: Expr) -> Expr:
    """Return the first factor of a pair as float32."""
    shifted = intrinsic("shift_left", word, constant(16, WORD))
    return reinterpret("float32", shifted)


def upper(word: Expr) -> Expr:
    """Return the second factor of a pair as float32."""
    return reinterpret("float32", intrinsic("and", word, constant(UPPER, WORD)))
