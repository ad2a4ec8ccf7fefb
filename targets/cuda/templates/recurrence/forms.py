"""The form in which a card computes a loop: all steps in one launch, or step by step."""

from lxc.ir.node import Node
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop, grid_loop_of
from lxc.targets.cuda.templates.recurrence.memory import Recurrence
from lxc.targets.cuda.templates.recurrence.plan import recurrence_of
from lxc.targets.cuda.templates.recurrence.steps import step_facts


def loop_form(node: Node) -> Recurrence | GridLoop | str:
    """Return how one launch computes a loop, or why none does."""
    by_rows = recurrence_of(node)
    if not isinstance(by_rows, str) or isinstance(step_facts(node), str):
        return by_rows
    by_units = grid_loop_of(node)
    return f"{by_rows}; {by_units}" if isinstance(by_units, str) else by_units
