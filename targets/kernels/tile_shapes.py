"""Choose the shapes of register tiles by what they cost in cycles."""

from collections.abc import Sequence

from lxc.ir.machine import Machine
from lxc.targets.kernels.split import even, powers
from lxc.targets.tvm_api import Index

FAR_CYCLES = 16
"""What it takes to reach memory that no stream of reads leads to, once per panel.

In the second-level cache it is reached while the machine computes.
"""
LINE_CYCLES = 1.0
"""What it takes to bring a line of such memory from that cache, once per tile."""
LINE = 16
"""The float32 of a line."""
READ_CYCLES = 1.25
"""What it takes to read a line of the second-level cache."""
MOST_PLACES = 4
"""In so many places it is read side by side without a delay, ..."""
PLACE_CYCLES = 0.1
"""... and this is what another one takes."""
STREAM_CYCLES = 1.0
"""What it takes to bring a vector to the first-level cache while memory is read."""


def tile_shapes(
    rows: Index,
    width: int,
    machine: Machine,
    most_rows: int,
    *,
    shared: bool,
    long: bool,
    far_bytes: int = 0,
    streamed: bool = False,
    turning: float = 0.0,
    parts: int = 1,
    read_once: bool = False,
) -> list[tuple[int, int]]:
    """Return how many rows and how many of `width` vectors one register tile may have.

    The cheapest comes first; of shapes that cut the result alike there is one. Operands
    are `shared` by the vectors of a row and by those of a column, or every vector of the
    tile loads one of its own. Vectors of one step lie far from those of the next, in so
    many `far_bytes`, or they are `streamed` from memory, and every tile reads them from the
    second-level cache; tiles of single ones would load a number for every term besides.
    At the end vectors are turned around to become runs of rows, which takes `turning` for
    each register operation of a vector. What follows a `long` end keeps some constants in
    registers, and a machine without multiply-adds some products. Vectors take as many
    registers as they have `parts`. What is `read_once`, by a single row, lies in panels of
    one vector each, and comes from the second-level cache at best.
    """
    height = rows if isinstance(rows, int) else 60
    spare = (2 if machine.has_fma else 5) + (2 if long else 0)
    found: list[tuple[float, int, tuple[int, int], str]] = []
    narrowest = min(2, max(1, width)) if streamed else 1
    for broad in range(narrowest, min(8, max(1, width)) + 1):
        for tall in range(1, min(most_rows, max(1, height)) + 1):
            used = parts * (tall * broad + (broad if tall > 1 else 1)) + spare
            if used <= machine.registers:
                lines, columns = even(height, tall), even(width, broad)
                price = price_of(lines, columns, shared=shared)
                price += price_of_reach(lines, columns, far_bytes, machine)
                price += price_of_stream(lines, columns) if streamed else 0.0
                price += price_of_reading(columns, machine.lanes) if read_once else 0.0
                price += turning * width * turns_of(lines) if turning else 0.0
                cut = f"{lines if isinstance(rows, int) else tall} by {columns}"
                found.append((price, tall * broad, (tall, broad), cut))
    shapes: dict[str, tuple[int, int]] = {}
    for _, _, shape, cut in sorted(found, key=lambda one: one[:2]):
        shapes.setdefault(cut, shape)
    return list(shapes.values()) or [(1, 1)]


def parts_of_vector(size: Index, lanes: int) -> int:
    """Return in how many registers a row lies: one for each power of two below a vector."""
    return len(powers(size, lanes)) if isinstance(size, int) and 0 < size < lanes else 1


def turns_of(lines: Sequence[tuple[int, int]]) -> int:
    """Return how many operations per lane turn vectors of rows around, and store them."""
    return sum(
        count * sum(one.bit_length() for one in powers(size, 1 << size.bit_length() - 1))
        for count, size in lines
    )


def price_of_reach(
    lines: Sequence[tuple[int, int]],
    columns: Sequence[tuple[int, int]],
    far_bytes: int,
    machine: Machine,
) -> float:
    """Return the cycles of one step to bring vectors from where no stream of reads leads.

    Such are those in any `far_bytes`. All tiles of a panel but the first find them in the
    second-level cache, and the first one too if all of these bytes stay there.
    """
    if not far_bytes:
        return 0.0
    turns = sum(count for count, _ in lines)
    first = FAR_CYCLES if far_bytes > machine.second_cache else 0
    each = LINE_CYCLES * turns * machine.lanes / LINE
    return sum(count * (first + each * size) for count, size in columns)


def price_of_reading(columns: Sequence[tuple[int, int]], lanes: int) -> float:
    """Return what reading takes longer, in one step, than multiplying by a single row."""
    price = 0.0
    for count, size in columns:
        places = size * lanes / LINE
        late = max(0.0, READ_CYCLES * places - step_cycles(size, size + 1))
        price += count * (late + PLACE_CYCLES * max(0.0, places - MOST_PLACES))
    return price


def price_of_stream(
    lines: Sequence[tuple[int, int]], columns: Sequence[tuple[int, int]]
) -> float:
    """Return the cycles of one step to bring vectors nearer while others are streamed.

    What comes from memory keeps most of the places busy that lines on their way need, so
    that every vector of every tile takes its time.
    """
    turns = sum(count for count, _ in lines)
    return STREAM_CYCLES * turns * sum(count * size for count, size in columns)


def price_of(
    lines: Sequence[tuple[int, int]], columns: Sequence[tuple[int, int]], *, shared: bool
) -> float:
    """Return the cycles of one step of a reduction over all tiles of a result."""
    price = 0.0
    for count_r, size_r in lines:
        for count_c, size_c in columns:
            loads = size_r + size_c if shared else (size_r + 1) * size_c
            step = step_cycles(size_r * size_c, loads)
            price += count_r * count_c * (step + 0.15 + 0.2 * size_c)
    return price


def step_cycles(terms: int, loads: int) -> float:
    """Return the cycles of one step of a tile.

    There are two multiply-adds and two loads per cycle, three of both where another thread
    of the core does something too, and at least four cycles to wait for the previous step.
    """
    return max(terms / 2, loads / 2, (terms + loads) / 3, 4.0)
