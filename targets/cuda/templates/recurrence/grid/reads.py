"""Which units a kernel of a step reads.

Of a value with so many columns times as many as there are units, column c is of unit c
modulo that number. What is elementwise reads its own unit; a product reads all of them.
"""

from collections.abc import Callable, Collection, Mapping

from lxc.ir.node import Node, Value
from lxc.passes.nodes import attributes_of, producers

ASTRAY = "astray"
OWN = "own"
ACROSS = "across"


def own_columns(node: Node, units: int) -> str:
    """Return where a slice reads that is wanted for the own unit."""
    facts = attributes_of(node)
    is_plain = len(facts["start"]) == 2 and facts["step"][1] == 1
    return OWN if is_plain and facts["start"][1] % units == 0 else ASTRAY


def own_shape(node: Node, _: int) -> str:
    """Return where a reshape reads that is wanted for the own unit."""
    return OWN if node.operands[0].type.shape == node.result.type.shape else ASTRAY


VIEWS: Mapping[str, Callable[[Node, int], str]] = {
    "slice": own_columns,
    "reshape": own_shape,
}
"""What views other than these read is astray."""


def across_units(
    node: Node, units: int, inside: Collection[Value]
) -> frozenset[Value] | None:
    """Return which values `inside` of a step a product in a kernel reads of all units.

    None if the kernel reads other units outside of a product.
    """
    (body,) = node.bodies
    made = producers(body.nodes)
    given = dict(zip(body.parameters, node.operands, strict=True))
    found: dict[str, set[Value]] = {OWN: set(), ACROSS: set(), ASTRAY: set()}
    seen: set[tuple[Value, str]] = set()
    waiting = [(body.outputs[0], OWN)]
    while waiting:
        value, where = waiting.pop()
        if (value, where) in seen:
            continue
        seen.add((value, where))
        if value not in made:
            if given.get(value) in inside:
                found[where].add(given[value])
            continue
        maker = made[value]
        waiting.extend(
            (operand, there)
            for operand, there in zip(
                maker.operands, places_of(maker, where, units), strict=True
            )
        )
    return None if found[ASTRAY] else frozenset(found[ACROSS])


def places_of(maker: Node, where: str, units: int) -> list[str]:
    """Return where the operands of a node are read whose result is wanted somewhere."""
    count = len(maker.operands)
    if where != OWN:
        return [where] * count
    if maker.op.kind == "reduction":
        return [ACROSS, *([ASTRAY] * (count - 1))]
    if maker.op.kind == "elementwise":
        return [OWN] * count
    return [
        VIEWS[maker.op.name](maker, units) if maker.op.name in VIEWS else ASTRAY
    ] * count
