"""Square blocks of a matrix turned around in vector registers."""

from collections.abc import Sequence

from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, load_vector, shuffled, store_vector


def turned(writer: Writer, rows: Sequence[Buffer], dtype: str) -> list[Buffer]:
    """Return the columns of a block, given its rows as arrays of one vector each.

    There are as many rows as lanes, a power of two. Each stage exchanges one binary digit
    of row number and lane number; all digits exchanged, row i lane j is row j lane i.
    """
    lanes = len(rows)
    digit = 1
    while digit < lanes:
        exchanged: list[Buffer] = []
        for number in range(lanes):
            first, second = rows[number & ~digit], rows[number | digit]
            pair = [load_vector(first, 0, lanes), load_vector(second, 0, lanes)]
            vector = writer.array(dtype, lanes)
            order = [source_of(number, lane, digit, lanes) for lane in range(lanes)]
            writer.write(store_vector(vector, 0, shuffled(pair, order), lanes))
            exchanged.append(vector)
        rows = exchanged
        digit *= 2
    return list(rows)


def source_of(number: int, lane: int, digit: int, lanes: int) -> int:
    """Return which lane of a pair of rows becomes `lane` of row `number` of the pair."""
    upper = bool(lane & digit)
    inner = (lane & ~digit) | (digit if number & digit else 0)
    return inner + (lanes if upper else 0)
