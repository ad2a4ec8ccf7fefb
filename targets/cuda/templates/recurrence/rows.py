"""Whether the rows of a batch stay apart in the steps of a loop.

Of a value that has a row for each sample, an element follows from the same row of others
and from values that all samples share. Then a block of threads may take some rows through
all steps and never waits for another block.
"""

from collections.abc import Callable, Mapping, Sequence

from lxc.ir.dim import Size
from lxc.ir.node import Node, Value
from lxc.passes.nodes import attributes_of

Rule = Callable[[Node, Sequence[bool], Size], bool | None]
"""It takes a node, which of its operands have rows, and how many rows there are. It returns
whether the result has rows, or None if rows would meet."""


def has_rows(value: Value, rows: Size) -> bool:
    """Return whether the first axis of a value is as long as there are rows."""
    return bool(value.type.shape) and value.type.shape[0] == rows


def elementwise(node: Node, given: Sequence[bool], rows: Size) -> bool | None:
    """Return whether all operands have rows, which is all or none of them."""
    return None if any(given) and not all(given) else any(given)


def shared(node: Node, given: Sequence[bool], rows: Size) -> bool | None:
    """Return that the result is the same for all rows, if no operand has any."""
    return None if any(given) else False


def broadcast(node: Node, given: Sequence[bool], rows: Size) -> bool | None:
    """Return whether the result has the rows of the operand, or the same for each row."""
    axes, is_long = attributes_of(node)["axes"], has_rows(node.result, rows)
    if any(given):
        return True if is_long and axes[0] == 0 else None
    return is_long and 0 not in axes


def sliced(node: Node, given: Sequence[bool], rows: Size) -> bool | None:
    """Return whether all rows are there, in their order."""
    if not any(given):
        return False
    facts = attributes_of(node)
    first = (facts["start"][0], facts["stop"][0], facts["step"][0])
    return True if first == (0, rows, 1) else None


def reshaped(node: Node, given: Sequence[bool], rows: Size) -> bool | None:
    """Return whether the first axis stays as it is."""
    if not any(given):
        return False
    return True if has_rows(node.result, rows) else None


def transposed(node: Node, given: Sequence[bool], rows: Size) -> bool | None:
    """Return whether the first axis stays the first one."""
    if not any(given):
        return False
    return True if attributes_of(node)["permutation"][0] == 0 else None


def multiplied(node: Node, given: Sequence[bool], rows: Size) -> bool | None:
    """Return whether every row is multiplied by the same matrix."""
    facts = attributes_of(node)
    is_row = given[0] and not given[1] and tuple(facts["lhs_contract"]) == (1,)
    is_plain = node.operands[0].type.rank == 2 and not facts["lhs_batch"]
    return True if is_row and is_plain else None


RULES: Mapping[str, Rule] = {
    "broadcast": broadcast,
    "slice": sliced,
    "reshape": reshaped,
    "transpose": transposed,
    "dot_general": multiplied,
}
"""What other ops than elementwise ones and sources make of rows."""

KINDS: Mapping[str, Rule] = {"elementwise": elementwise, "source": shared}


def stays_apart(node: Node, with_rows: Sequence[Value], rows: Size) -> bool:
    """Return whether a fused node makes each row of its result of the same row of others.

    `with_rows` are the values that have rows; the result has to be one.
    """
    (body,) = node.bodies
    operands = zip(body.parameters, node.operands, strict=True)
    known = {parameter: operand in with_rows for parameter, operand in operands}
    for inner in body.nodes:
        rule = RULES.get(inner.op.name) or KINDS.get(inner.op.kind)
        if rule is None or len(inner.results) != 1:
            return False
        found = rule(inner, [known[value] for value in inner.operands], rows)
        if found is None:
            return False
        known[inner.result] = found
    return known[body.outputs[0]]
