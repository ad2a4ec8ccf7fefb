"""Which loops of a program one kernel computes as a whole, and why others are launches."""

from collections.abc import Iterator, Sequence

from lxc.ir.dim import bounds
from lxc.ir.node import Node
from lxc.ir.op import Op
from lxc.ir.ops.structure import scan
from lxc.passes.decision import Decision, counted
from lxc.targets.cuda.templates.recurrence.forms import loop_form
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop
from lxc.targets.cuda.templates.recurrence.memory import MOST_SHARED
from lxc.targets.report import layers_of

WANTED = (
    "rows of a batch that stay apart, products of float32 alone, and no more than "
    f"{MOST_SHARED} bytes for a block"
)


def loop_decisions(nodes: Sequence[Node]) -> Iterator[Decision]:
    """Yield one decision for every loop; those inside of others follow them."""
    for node in nodes:
        if node.op is not scan:
            continue
        found = decision_about(node)
        yield found
        if not found.fused:
            yield from loop_decisions(node.bodies[0].nodes)


def decision_about(node: Node) -> Decision:
    """Return how a loop is computed."""
    plan, steps = loop_form(node), node.bodies[0].nodes
    if isinstance(plan, str):
        rule, reason, wanted = "a launch for each kernel of a step", plan, WANTED
    elif isinstance(plan, GridLoop):
        rule, wanted = f"all steps in one kernel of {counted(plan.blocks, 'block')}", ""
        reason = shared_reason(plan)
    else:
        rule, wanted = "all steps in one kernel", ""
        rows = counted(plan.block_rows, "row")
        reason = f"a block keeps {plan.shared_bytes} bytes for {rows}"
    last: Node | None = steps[-1] if steps else None
    op: Op = last.op if last else node.op
    made = ", ".join(str(value.type) for value in (last or node).results)
    return Decision(
        producer=str(op),
        consumer=str(node.op),
        fused=not isinstance(plan, str),
        rule=rule,
        reason=reason,
        would_allow=wanted,
        layers=(layers_of(last or node), layers_of(node)),
        shapes=(made, ", ".join(str(value.type) for value in node.results)),
        about="loop",
    )


def shared_reason(plan: GridLoop) -> str:
    """Return how blocks share a loop, and when they do not."""
    units = f"{plan.share} of {counted(plan.units, 'unit')}"
    kept = f"a block keeps {plan.shared_bytes} bytes for {units}"
    least = f"on cards that hold {counted(plan.blocks, 'block')} at once"
    if bounds(plan.rows)[1] > plan.most_rows:
        least += f", for up to {counted(plan.most_rows, 'row')} of the batch"
    return f"{kept}, {least}; elsewhere each kernel of a step is a launch"
