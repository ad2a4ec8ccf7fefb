"""Choose which sums are computed part by part, and in which parts."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from lxc.ir.machine import Machine
from lxc.ir.ops.packed import blocked_conv
from lxc.targets.kernels.parts_of_sums import LINE, Parts, lane_width, width_of
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.split import Panels, Pieces, total
from lxc.targets.kernels.tile import Work, has_next_panel

FLOAT_BYTES = 4
FEWEST_STEPS = 48
"""So many steps are worth to read sums for, and to write them again."""
MOST_KEPT_BYTES = 12 << 10
"""The sums of all tiles of a task take no more of the stack than this."""
FEWEST_TILES = 6
"""So many tiles of a panel must read a part before it is worth to bring it so near."""
FEWEST_TOGETHER = 3
"""So many must do so in one task."""
MOST_GROUPS = 2
"""All parts come near once for every task of a panel, which is worth it so often."""
TASKS = 8
"""So many pieces of work are enough for threads to share."""
FEWEST_TASKS = 4
"""Fewer are not."""


def part_size(work: Work, panels: Sequence[Panels], machine: Machine) -> int:
    """Return how many entries of the first reduction axis are one part; 0 means all.

    A part of the weights of a panel takes at most half of the first-level cache, or all of
    it where a single entry does not take less. Products of matrices gain nothing: their
    rows are read along the sums. Neither do vectors narrower than a line of the cache,
    which take so long to multiply that weights are there in time.
    """
    anchor = work.anchor
    if anchor.node.op is not blocked_conv or machine.lanes < LINE:
        return 0
    sizes = (*anchor.depth, *anchor.loops)
    if not all(isinstance(entry, int) for entry in sizes) or not panels:
        return 0
    if anchor.held != "float32" or anchor.pairs or work.terms or work.group.exit:
        return 0
    if anchor.far is not None or len(anchor.factors) != 2 or not has_next_panel(work):
        return 0
    if anchor.panel_weight is None or anchor.panel_weight.type.dtype.bytes != FLOAT_BYTES:
        return 0
    first, *rest = (int(entry) for entry in anchor.depth)
    wide = max(width_of(work, panel) for panel in panels)
    entry_bytes = prod(rest) * wide * FLOAT_BYTES
    if first * entry_bytes <= 2 * machine.first_cache or entry_bytes > machine.first_cache:
        return 0
    most = max(1, machine.first_cache // 2 // entry_bytes)
    size = max(size for size in range(1, most + 1) if first % size == 0)
    steps = size * prod(rest)
    return 0 if steps < FEWEST_STEPS or steps * lane_width(work) % LINE else size


def parts_of(
    work: Work,
    kinds: list[Pieces],
    panels: list[Panels],
    outer: tuple[int, ...],
    machine: Machine,
) -> Parts | None:
    """Return how sums are taken apart, or None if they are computed in one go.

    They are where one task can keep those of all tiles of a panel, where there are enough
    of these, and enough panels for threads to share.
    """
    size = part_size(work, panels, machine)
    if not size:
        return None
    tasks = product([*(work.anchor.loops[axis] for axis in outer), total(panels)])
    found = Parts(work, kinds, panels, outer, size, 1)
    found = replace(found, groups=groups_of(found.together, tasks))
    few = prod(found.turns) < FEWEST_TILES or tasks * found.groups < FEWEST_TASKS
    return None if few or found.kept * FLOAT_BYTES > MOST_KEPT_BYTES else found


def groups_of(tiles: int, tasks: int) -> int:
    """Return into how many groups the tiles of a panel go, so that there are enough tasks.

    All are of one size, and none has so few tiles that its parts are not worth it.
    """
    most = min(MOST_GROUPS, max(1, tiles // FEWEST_TOGETHER))
    able = [groups for groups in range(1, most + 1) if tiles % groups == 0]
    enough = [groups for groups in able if groups * tasks >= TASKS]
    return min(enough, default=max(able))
