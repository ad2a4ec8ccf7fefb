"""The step of a product of pairs: two more bfloat16 factors for every sum of a tile.

A machine may have one instruction for a vector of that, which rounds like two multiply-adds
but takes denormal numbers for zeros. Others widen each factor to float32, which is exact.
"""

from collections.abc import Mapping, Sequence

from lxc.errors import InternalError
from lxc.targets.kernels.pairs.factors import WORD, Pairs, lower, upper
from lxc.targets.kernels.tile import Cell, Tile
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    extern,
    load,
    load_vector,
    reinterpret,
    repeated,
    store_vector,
)

DOT_LANES = 16
"""The width of the vectors that the instruction is used on."""
DOT = "lxc_dot_of_pairs"
HELPER = f"""\
define <16 x float> @{DOT}(<16 x float> %sum, <16 x float> %x, <16 x float> %y) {{
  %a = bitcast <16 x float> %x to <32 x bfloat>
  %b = bitcast <16 x float> %y to <32 x bfloat>
  %r = call <16 x float> @llvm.x86.avx512bf16.dpbf16ps.512(
    <16 x float> %sum, <32 x bfloat> %a, <32 x bfloat> %b)
  ret <16 x float> %r
}}
declare <16 x float> @llvm.x86.avx512bf16.dpbf16ps.512(
  <16 x float>, <32 x bfloat>, <32 x bfloat>)
"""

Sums = Mapping[Cell, Buffer]


def write_dots(tile: Tile, sums: Sums, deep: Sequence[Index]) -> None:
    """Write one pair into every sum by the instruction for it."""
    writer = tile.work.writer
    writer.use(HELPER)
    held = held_weights(tile, deep)
    for row in range(tile.rows):
        word = reinterpret("float32", held_word(tile, row, deep))
        for j, vector in enumerate(tile.vectors):
            width, total = vector.width, sums[row, j]
            found = extern(
                f"float32x{width}",
                DOT,
                load_vector(total, 0, width),
                repeated(word, width),
                reinterpret(f"float32x{width}", load_vector(held[j], 0, width)),
            )
            writer.write(store_vector(total, 0, found, width))


def write_multiplies(tile: Tile, sums: Sums, deep: Sequence[Index]) -> None:
    """Write one pair into every sum as two multiply-adds of float32.

    Of the vectors of a column and the rows, what there are fewer of is widened first.
    """
    writer = tile.work.writer
    vectors = list(enumerate(tile.vectors))
    if tile.rows < len(vectors):
        words = [held_word(tile, row, deep) for row in range(tile.rows)]
        rows = [
            [writer.hold(half(word), "float32", 1) for half in HALVES] for word in words
        ]
        for j, vector in vectors:
            held = load(held_pairs(tile, j, deep), writer.lane(vector.width))
            for place, half in enumerate(HALVES):
                factor = writer.hold(half(held), "float32", vector.width)
                for row in range(tile.rows):
                    add_term(tile, sums, (row, j), rows[row][place] * factor)
        return
    weights = [
        [
            writer.hold(
                half(load(held, writer.lane(vector.width))), "float32", vector.width
            )
            for half in HALVES
        ]
        for held, vector in zip(held_weights(tile, deep), tile.vectors, strict=True)
    ]
    for row in range(tile.rows):
        word = held_word(tile, row, deep)
        for place, half in enumerate(HALVES):
            factor = writer.hold(half(word), "float32", 1)
            for j, _ in vectors:
                add_term(tile, sums, (row, j), factor * weights[j][place])


HALVES = (lower, upper)


def add_term(tile: Tile, sums: Sums, cell: Cell, term: Expr) -> None:
    """Write one more term into a vector of sums."""
    writer, width = tile.work.writer, tile.vectors[cell[1]].width
    lane = writer.lane(width)
    writer.store(sums[cell], lane, load(sums[cell], lane) + term, width)


def pairs_of(tile: Tile) -> Pairs:
    """Return where the factors of a tile's product lie."""
    pairs = tile.work.anchor.pairs
    if pairs is None:
        raise InternalError("code generation", f"{tile.work.anchor.node.op} has no pairs")
    return pairs


def held_weights(tile: Tile, deep: Sequence[Index]) -> list[Buffer]:
    """Write the pairs of every vector of a tile into arrays; return those."""
    return [held_pairs(tile, j, deep) for j in range(len(tile.vectors))]


def held_pairs(tile: Tile, j: int, deep: Sequence[Index]) -> Buffer:
    """Write the pairs of one vector of weights into an array; return it."""
    writer, vector = tile.work.writer, tile.vectors[j]
    words = pairs_of(tile).words(tile.at(0, vector, 0), deep, vector.width)
    held = writer.array(WORD, vector.width)
    writer.write(store_vector(held, 0, words, vector.width))
    return held


def held_word(tile: Tile, row: int, deep: Sequence[Index]) -> Expr:
    """Return the pair of one row, read once."""
    word = pairs_of(tile).word(tile.at(row, tile.vectors[0], 0), deep)
    return tile.work.writer.hold(word, WORD, 1)
