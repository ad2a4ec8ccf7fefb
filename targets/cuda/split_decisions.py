"""Which sums of products blocks share, and which would take too much memory for that."""

from collections.abc import Iterator, Sequence

from lxc.ir.dim import Dim
from lxc.ir.node import Node
from lxc.ir.ops.structure import scan
from lxc.ir.work_text import ops_line
from lxc.passes.decision import Decision, counted
from lxc.targets.cuda.kernel import arrays_of, writer_for
from lxc.targets.cuda.templates.products.plan import Plan, plan_of
from lxc.targets.cuda.templates.products.splits import (
    MOST_PARTIAL_BYTES,
    Split,
    tiles_of,
    wanted_split,
)
from lxc.targets.cuda.templates.recurrence.forms import loop_form
from lxc.targets.report import layers_of


def split_decisions(nodes: Sequence[Node], dims: Sequence[Dim]) -> Iterator[Decision]:
    """Yield one decision for every product with few tiles and long sums, in loops too."""
    makers = {value: node for node in nodes for value in node.results}
    for node in nodes:
        if node.op is scan:
            if isinstance(loop_form(node), str):
                yield from split_decisions(node.bodies[0].nodes, dims)
        elif node.op.name == "fused":
            writer = writer_for(dims)
            operands, _ = arrays_of(node, writer)
            plan = plan_of(writer, node, operands)
            wanted = plan and wanted_split(plan.product.contraction, plan.tilings)
            if plan and wanted:
                yield decision_about(node, makers.get(node.operands[0]), plan, wanted)


def decision_about(node: Node, maker: Node | None, plan: Plan, split: Split) -> Decision:
    """Return how the sums of a product are computed; `maker` makes its first operand."""
    tiling = split.tiling_of(plan.tilings)
    tiles, parts = tiles_of(split.most, tiling), split.parts(tiling)
    first, is_shared = node.operands[0], plan.split is not None
    blocks = counted(tiles * parts if is_shared else tiles, "block")
    limit = "" if isinstance(node.result.type.element_count, int) else "up to "
    return Decision(
        producer=ops_line(maker) if maker else first.name,
        consumer=ops_line(node),
        fused=is_shared,
        rule=f"{limit}{blocks} for {limit}{counted(tiles, 'tile')}",
        reason=f"{split.chains} chains of each sum take {split.bytes} bytes",
        would_allow="" if is_shared else f"no more than {MOST_PARTIAL_BYTES} bytes",
        layers=(layers_of(maker) if maker else "", layers_of(node)),
        shapes=(str(first.type), str(node.result.type)),
        about="sums",
    )
