"""What passes require and guarantee, as checks that can be run on any graph.

A check names the first thing in the graph that breaks the property, or returns None.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lxc.errors import InternalError
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Node, walk
from lxc.ir.ops.channels_last import channels_last_conv
from lxc.ir.ops.contract import conv
from lxc.ir.ops.reduce import reduce_window
from lxc.ir.ops.structure import chain, fused, layer, noop
from lxc.passes.check_kernels import kernel_fault
from lxc.passes.check_plan import check_plan
from lxc.passes.nodes import attributes_of, described
from lxc.passes.pack_weights import pack_weights
from lxc.passes.single_pass import Setting
from lxc.passes.tiled_products import pads_in_place

Form = Graph | Program


@dataclass(frozen=True)
class Property:
    """What can hold of a graph in a setting: its meaning in words, and what breaks it."""

    meaning: str
    fault: Callable[[Form, Setting], str | None]


def of_form(check: Callable[[Form], str | None]) -> Property:
    """Return the property of a check that is the same in every setting."""
    return Property(meaning_of(check), lambda form, setting: check(form))


def of_setting(check: Callable[[Form, Setting], str | None]) -> Property:
    """Return the property of a check that asks the machine or the choices."""
    return Property(meaning_of(check), check)


def meaning_of(check: Callable[..., str | None]) -> str:
    """Return what the docstring of a check says that it checks."""
    return str(check.__doc__).splitlines()[0].removeprefix("Check that ").rstrip(".")


def graphs_of(form: Form) -> tuple[Graph, ...]:
    """Return the graphs of a program, or the graph itself."""
    return (form.prepare, form.run) if isinstance(form, Program) else (form,)


def all_nodes(form: Form) -> Iterator[Node]:
    """Yield every node at every depth."""
    for graph in graphs_of(form):
        yield from walk(graph.nodes)


def first_of(nodes: Iterable[Node]) -> str | None:
    """Return op and layer path of the first of `nodes`, or None if there is none."""
    return next(map(described, nodes), None)


def one_graph(form: Form) -> str | None:
    """Check that the graph was not split."""
    return "two graphs, prepare and run" if isinstance(form, Program) else None


def tensor_level(form: Form) -> str | None:
    """Check that no layer is left."""
    return first_of(node for node in all_nodes(form) if node.op in (chain, layer, noop))


def flat_chains(form: Form) -> str | None:
    """Check that no chain stands directly inside of a chain."""
    return first_of(
        inner
        for node in all_nodes(form)
        if node.op is chain
        for inner in node.bodies[0].nodes
        if inner.op is chain
    )


def unfused(form: Form) -> str | None:
    """Check that no kernel was formed."""
    return first_of(node for node in all_nodes(form) if node.op is fused)


def unpadded(form: Form, setting: Setting) -> str | None:
    """Check that no kernel has to look over the edge of its operand, unless it can."""
    return first_of(
        node
        for node in all_nodes(form)
        if is_padded(node) and not pads_in_place(node, setting.machine)
    )


def is_padded(node: Node) -> bool:
    """Return whether a convolution or a window pads its operand by itself."""
    if node.op not in (conv, channels_last_conv, reduce_window):
        return False
    facts = attributes_of(node)
    spread = node.op is conv and any(entry != 1 for entry in facts["lhs_dilation"])
    return spread or any(edges != (0, 0) for edges in facts["padding"])


def packed(form: Form, setting: Setting) -> str | None:
    """Check that parameter-only weights have the order that the machine's kernels read."""
    for graph in graphs_of(form):
        if pack_weights(graph, setting.machine) is not graph:
            return "a weight that still has to be transposed"
    return None


def kernels(form: Form) -> str | None:
    """Check that every node is a kernel that can be generated."""
    faults = (kernel_fault(graph.nodes) for graph in graphs_of(form))
    return next((fault for fault in faults if fault), None)


def split(form: Form) -> str | None:
    """Check that what runs once is apart from what runs in every call."""
    return None if isinstance(form, Program) else "one graph"


def planned(form: Form) -> str | None:
    """Check that every value has memory of its own for as long as it is needed."""
    if any(graph.arena_bytes is None for graph in graphs_of(form)):
        return "a graph without an arena"
    try:
        check_plan(form)
    except InternalError as problem:
        return str(problem)
    return None


PROPERTIES: dict[str, Property] = {
    "one-graph": of_form(one_graph),
    "tensor-level": of_form(tensor_level),
    "flat-chains": of_form(flat_chains),
    "unfused": of_form(unfused),
    "unpadded": of_setting(unpadded),
    "packed": of_setting(packed),
    "kernels": of_form(kernels),
    "split": of_form(split),
    "planned": of_form(planned),
}
