"""How the tiles of a reduction are put together to pieces of work that threads share."""

from collections.abc import Sequence
from math import prod

from lxc.ir.machine import Machine
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.split import Panels, Pieces, total
from lxc.targets.tvm_api import Index

TASKS = 16
"""So many pieces of work at least for threads to share, where there is enough."""
BANDS = 4
"""Into so many bands is an axis cut that threads share before others, ..."""
BAND_BYTES = 8192
"""... if each has so many bytes in a row: what fetches memory ahead goes on behind them."""


def band_of(anchor: Anchor, outer: Sequence[int]) -> int:
    """Return how many entries a band of the axis has that threads share first.

    It is 0 where bands would have few bytes, or sizes are not known.
    """
    axis = anchor.first_shared
    if axis is None or axis not in outer:
        return 0
    extent, entry = anchor.loops[axis], product(anchor.loops[axis + 1 :])
    if not isinstance(extent, int) or not isinstance(entry, int):
        return 0
    band: int = -(-extent // BANDS)
    return band if band * entry * anchor.dtype.bytes >= BAND_BYTES else 0


def shared_first(outer: Sequence[int], first: int) -> tuple[int, ...]:
    """Return the outer axes: samples, the one that threads share first, then all others."""
    return (outer[0], first, *(axis for axis in outer[1:] if axis != first))


def stays(anchor: Anchor, machine: Machine) -> bool:
    """Return whether all that the tiles of one row read fits into the second-level cache.

    Then rows are written one after the other from start to end.
    """
    columns = 1 if anchor.lane is None else anchor.loops[anchor.lane]
    read = product([*anchor.depth, columns])
    return isinstance(read, int) and read * 4 <= machine.second_cache * 4 // 5


def known_part(outer: Sequence[Index], panels: Sequence[Panels]) -> int:
    """Return how many panels there are for each entry of axes of sizes not known yet."""
    known = [entry for entry in outer if isinstance(entry, int)]
    counts = (panel.count for panel in panels if isinstance(panel.count, int))
    return prod(known) * max(1, sum(counts))


def bytes_of_tile(anchor: Anchor, tall: int) -> int:
    """Return how many bytes of rows a tile of so many of them reads."""
    depth: int = product([entry for entry in anchor.depth if isinstance(entry, int)])
    return depth * 4 * tall


def tiles_together(
    anchor: Anchor,
    kinds: list[Pieces],
    tile_bytes: int,
    others: int,
    machine: Machine,
    *,
    parallel: bool,
) -> int:
    """Return how many tiles are computed one after the other for a panel; 0 means all.

    What they read stays in the second-level cache while all panels go over it, and
    there are enough groups of them for threads to share. Groups are of nearly one size.
    """
    most: int = max(1, machine.second_cache // 2 // max(1, tile_bytes))
    count = total(kinds)
    if anchor.inner:
        return 0
    if anchor.far is not None and stays(anchor, machine):
        return 1
    if parallel:
        groups = -(-TASKS // max(1, others))
        most = min(most, max(1, count // groups if isinstance(count, int) else 4))
    if not isinstance(count, int):
        return most
    chunks = -(-count // most)
    return 0 if chunks < 2 else -(-count // chunks)
