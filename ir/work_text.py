"""The work of a node as text, whoever it belongs to."""

from collections.abc import Sequence

from lxc.ir.dim import Dim
from lxc.ir.node import Body, Node, walk
from lxc.ir.printer import Printer, print_attributes

PLUMBING = ("fused", "reshape", "broadcast", "transpose", "constant")


def work_text(node: Node) -> str:
    """Return a text that two nodes share if one kernel does for both."""
    lines = [f"{node.op} {print_attributes(node.attributes)}"]
    lines += [str(value.type) for value in (*node.operands, *node.results)]
    for body in node.bodies:
        printer = Printer(locations=False)
        anonymous = {value: printer.name(value) for value in body.parameters}
        lines += [" ".join(anonymous.values()), *printer.body(in_order_of_use(body), "")]
    return "\n".join(lines)


def in_order_of_use(body: Body) -> Body:
    """Return a body with its nodes in the order in which its outputs need them.

    It is the same for bodies whose nodes came from different places of their graphs.
    """
    makers = {value: node for node in body.nodes for value in node.results}
    needed: dict[Node, None] = {}
    waiting = [(value, False) for value in reversed(body.outputs)]
    while waiting:
        value, ready = waiting.pop()
        maker = makers.get(value)
        if maker is None or maker in needed:
            continue
        if ready:
            needed[maker] = None
        else:
            waiting.append((value, True))
            waiting += [(operand, False) for operand in reversed(maker.operands)]
    return Body(body.parameters, tuple(needed), body.outputs)


def dims_text(dims: Sequence[Dim]) -> str:
    """Return the dimensions of a graph with their bounds."""
    return ", ".join(f"{dim.name}={dim.low}..{dim.high}" for dim in dims)


def work_line(node: Node) -> str:
    """Return the work of a node in one line: ops and types."""
    operands = ", ".join(str(value.type) for value in node.operands)
    results = ", ".join(str(value.type) for value in node.results)
    made = f"({results})" if len(node.results) > 1 else results
    return f"{ops_line(node)}({operands}) -> {made}"


def ops_line(node: Node) -> str:
    """Return the ops of a node that compute something, joined by `+`."""
    names = [str(inner.op) for inner in walk((node,))]
    telling = [name for name in names if name not in PLUMBING]
    return "+".join(telling or names[-1:])
