"""Which loops one kernel computes whose blocks never wait for each other.

A block takes some rows of the batch through all steps. The weights of the steps stay in
registers or in its shared memory, and so do the carries and what a step computes.
"""

from lxc.ir.dim import bounds
from lxc.ir.node import Node
from lxc.targets.cuda.templates.recurrence.memory import (
    MOST_SHARED,
    Recurrence,
    laid_out,
)
from lxc.targets.cuda.templates.recurrence.steps import step_facts

ROWS = (4, 2, 1)
"""How many rows a block may take: a weight is read once for all of them."""
ENOUGH_BLOCKS = 96
"""With fewer blocks, much of a card would be idle."""


def recurrence_of(node: Node) -> Recurrence | str:
    """Return how blocks compute a loop that never wait for each other, or why not."""
    facts = step_facts(node)
    if isinstance(facts, str):
        return facts
    largest = bounds(facts.rows)[1]
    wanted = [n for n in ROWS if n == 1 or largest >= n * ENOUGH_BLOCKS]
    found = [
        laid_out(node, facts.rows, count, facts.products, facts.by_row) for count in wanted
    ]
    for one in found:
        if one.shared_bytes <= MOST_SHARED:
            return one
    size = found[-1].shared_bytes
    return (
        f"a block would need {size} bytes of shared memory, of which it has {MOST_SHARED}"
    )
