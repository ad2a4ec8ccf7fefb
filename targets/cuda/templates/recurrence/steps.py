"""What the steps of a loop are made of, as far as one kernel may compute all of them."""

from dataclasses import dataclass

from lxc.ir.dim import Size, bounds
from lxc.ir.node import Body, Node, Value
from lxc.ir.ops.structure import fused
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of, producers
from lxc.passes.rows import rows_in
from lxc.targets.cuda.templates.recurrence.memory import (
    StepProduct,
    carries_of,
    inner_size,
)
from lxc.targets.cuda.templates.recurrence.rows import has_rows, stays_apart


@dataclass(frozen=True)
class StepFacts:
    """A loop whose rows stay apart: how many there are, and the products of a step.

    Constants `by_row` have rows.
    """

    node: Node
    rows: Size
    by_row: tuple[Value, ...]
    products: dict[Node, StepProduct]


def step_facts(node: Node) -> StepFacts | str:
    """Return what one kernel has to know of a loop, or why none computes it."""
    carries = carries_of(node)
    if attributes_of(node)["axis"] or not carries or not carries[0].type.shape:
        return "nothing is carried that has rows"
    rows = carries[0].type.shape[0]
    if bounds(rows)[1] == 0:
        return "there are no rows"
    products = step_products(node)
    if isinstance(products, str):
        return products
    by_row, apart = tuple[Value, ...](), kept_apart(node, rows, ())
    if apart is not None:
        by_row = tuple(one for one in constants_of(node) if has_rows(one, rows))
        apart = kept_apart(node, rows, by_row)
    return apart if apart is not None else StepFacts(node, rows, by_row, products)


def constants_of(node: Node) -> tuple[Value, ...]:
    """Return the parameters of the body that are the same in every step."""
    facts = attributes_of(node)
    first = facts["carries"]
    return node.bodies[0].parameters[first : first + facts["consts"]]


def sequences_of(node: Node) -> tuple[Value, ...]:
    """Return the parameters of the body that differ from step to step."""
    facts = attributes_of(node)
    return node.bodies[0].parameters[facts["carries"] + facts["consts"] :]


def kept_apart(node: Node, rows: Size, by_row: tuple[Value, ...]) -> str | None:
    """Return why rows of the batch meet, None if they do not.

    Constants `by_row` have rows too; all samples share the others.
    """
    body = node.bodies[0]
    with_rows = [*carries_of(node), *sequences_of(node), *by_row]
    for value in with_rows:
        if not has_rows(value, rows) or inner_size(value) is None:
            return "not all that is carried or read in steps has rows of a known size"
    for one in body.nodes:
        if inner_size(one.result) is None or not stays_apart(one, with_rows, rows):
            return "rows of the batch meet in a step"
        with_rows.append(one.result)
    if any(value not in with_rows for value in body.outputs):
        return "what a step hands on has no rows"
    return None


def step_products(node: Node) -> dict[Node, StepProduct] | str:
    """Return the products of a step, or why one kernel cannot compute a step."""
    found: dict[Node, StepProduct] = {}
    for one in node.bodies[0].nodes:
        if one.op is not fused or rows_in(one.bodies[0].nodes):
            return f"a step has a kernel of its own for {one.op}"
        inner = one.bodies[0]
        anchors = [each for each in inner.nodes if each.op.kind == "reduction"]
        if not anchors:
            continue
        made = step_product(one, anchors[0]) if len(anchors) == 1 else None
        if made is None:
            return f"a step computes {anchors[0].op}"
        found[one] = made
    return found


def step_product(one: Node, anchor: Node) -> StepProduct | None:
    """Return a product of float32 with a matrix, None if a node is something else."""
    if anchor.op.name != "dot_general" or attributes_of(anchor).get("factors"):
        return None
    inner, (left, right) = one.bodies[0], anchor.operands
    kinds = {value.type.dtype for value in (left, right, anchor.result)}
    facts = attributes_of(anchor)
    is_flat = left.type.rank == 2 and not facts["lhs_batch"]
    if kinds != {DType.F32} or not is_flat or len(facts["lhs_contract"]) != 1:
        return None
    columns, depth = inner_size(anchor.result), left.type.shape[facts["lhs_contract"][0]]
    is_alike = stored_value(inner).type.shape == anchor.result.type.shape
    if columns is None or not isinstance(depth, int) or depth < 1 or not is_alike:
        return None
    given = dict(zip(inner.parameters, one.operands, strict=True))
    return StepProduct(one, anchor, depth, columns, given.get(left))


def stored_value(body: Body) -> Value:
    """Return what a kernel computes before it is seen under other shapes."""
    made, (value,) = producers(body.nodes), body.outputs
    while value in made and made[value].op.name == "reshape":
        value = made[value].operands[0]
    return value
