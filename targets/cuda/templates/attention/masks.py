"""The score of one key for one query, after every mask."""

from lxc.targets.cuda.templates.attention.work import F32, Block
from lxc.targets.tvm_api import (
    Expr,
    Index,
    as_index,
    at_most,
    constant,
    differs,
    is_less,
    load,
    select,
)

LOWEST = float("-inf")


def shown_score(block: Block, row: Index, key: Index, product: Expr) -> Expr:
    """Return the score of a key, which may be behind the last one, for a row.

    It is minus infinity for no key.
    """
    work = block.work
    writer = work.writer

    def hold(value: Expr) -> Expr:
        return writer.hold(value, F32, 1)

    # The largest score is compared with what weights are computed from.
    shown = hold(writer.settled(F32, product * constant(work.scale, F32)))
    key = writer.name(key, work.keys + work.parts.tile)
    hidden = constant(work.hidden, F32)
    head, query = work.head_and_query(row)
    inside = key if work.is_whole else at_most(key, work.keys - 1)
    for mask in work.masks:
        *batch, group = block.heads
        at = mask.position(*batch, group + head, query, inside)
        element = load(mask.buffer, at)
        if mask.is_condition:
            seen = differs(element, constant(0, "uint8"))
            shown = hold(select(seen, shown, hidden))
        else:
            shown = hold(shown + element)
    if work.causal:
        shown = hold(select(block.sees(row, key), shown, hidden))
    if not work.is_whole:
        there = as_index(key) < as_index(work.keys)
        shown = hold(select(there, shown, constant(LOWEST, F32)))
    return shown


def larger(x: Expr, y: Expr) -> Expr:
    """Return the larger of two; NaN may get lost here, and reaches all sums anyway."""
    return select(is_less(x, y), y, x)
