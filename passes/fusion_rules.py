"""What may be computed inside of a kernel, and how a kernel reads what its nodes make.

A kernel is pulled back from its result: a value inside of it is computed for the index that
a reader asks for. An *access* says how often that happens. Whatever is computed, and not
only looked up, must be asked for once per element.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lxc.ir.node import Node, Value
from lxc.ir.ops.attention import attention
from lxc.ir.ops.channels_last import channels_last_conv
from lxc.ir.ops.contract import conv, dot_general
from lxc.ir.ops.logic import equal, less, less_equal
from lxc.ir.ops.packed import blocked_conv, depthwise_conv, packed_dot
from lxc.ir.ops.paired import paired_conv, paired_dot
from lxc.ir.ops.reduce import reduce_window
from lxc.ir.ops.shape import broadcast, pad, reshape, reverse, slice, transpose
from lxc.ir.ops.staged import staged_conv
from lxc.ir.ops.winograd import winograd_conv
from lxc.ir.ops.winograd_rows import winograd_row_conv
from lxc.passes.decision import Refusal
from lxc.passes.nodes import attributes_of

PRODUCTS = frozenset(
    {
        attention,
        conv,
        channels_last_conv,
        dot_general,
        packed_dot,
        blocked_conv,
        depthwise_conv,
        paired_dot,
        paired_conv,
        winograd_conv,
        winograd_row_conv,
        staged_conv,
    }
)
IN_BLOCKS = frozenset({blocked_conv, depthwise_conv, paired_conv, winograd_conv})
"""Products that read blocks of lanes, which only a slice leaves in one piece."""
HALOED = IN_BLOCKS | {reduce_window, winograd_row_conv}
"""Reductions whose kernels may write their result into the middle of a padded one."""
COPYING = frozenset({staged_conv, winograd_row_conv})
"""Products that copy rows of cells first, with zeros around them."""
PRODUCT_VIEWS = frozenset({broadcast, transpose, slice, reverse})
ALWAYS_COPIED = frozenset({broadcast, reshape, slice})
COMPARISONS = frozenset({equal, less, less_equal})
"""Ops that cost no more than reading their result, where they compare counters."""
INSIDE = ("elementwise", "view", "source")


@dataclass(frozen=True)
class Access:
    """One way in which a kernel asks for the elements of a value.

    Accesses with equal `place` ask for the same index at the same time. `repeated` means
    that an element is asked for more than once. `anchor` is the reduction that asks, if one
    does.
    """

    place: tuple[Node, ...] = ()
    repeated: bool = False
    anchor: Node | None = None


def operand_accesses(reader: Node, accesses: Iterable[Access]) -> dict[Access, None]:
    """Return how the operands of `reader` are asked for when its result is, in order."""
    found: dict[Access, None] = {}
    for access in accesses:
        place = (*access.place, reader)
        match reader.op.kind:
            case "elementwise":
                found[access] = None
            case "reduction":
                found[Access(place, reads_again(reader), reader)] = None
            case _:
                repeated = access.repeated or enlarges(reader)
                found[Access(place, repeated, access.anchor)] = None
    return found


def enlarges(view: Node) -> bool:
    """Return whether a view shows elements of its operand more than once."""
    if view.op is not broadcast:
        return False
    return view.operands[0].type.element_count != view.result.type.element_count


def reads_again(anchor: Node) -> bool:
    """Return whether a reduction reads an element of an operand for several results."""
    return anchor.op in PRODUCTS or overlaps(anchor)


def overlaps(anchor: Node) -> bool:
    """Return whether a reduction goes over windows that share elements."""
    if anchor.op is not reduce_window:
        return False
    facts = attributes_of(anchor)
    return any(w > s for w, s in zip(facts["window"], facts["strides"], strict=True))


def is_counted(value: Value, made: Mapping[Value, Node]) -> bool:
    """Return whether an element of an integer value follows from its index alone."""
    maker = made.get(value)
    if maker is None or not value.type.dtype.is_integer:
        return False
    if maker.op in ALWAYS_COPIED | PRODUCT_VIEWS:
        return is_counted(maker.operands[0], made)
    return maker.op.kind == "source"


def refuse_kind(producer: Node, consumer: Node) -> Refusal | None:
    """Refuse where one of the two nodes never shares a kernel."""
    for node, part in ((consumer, "reads"), (producer, "makes")):
        if node.op.kind not in (*INSIDE, "reduction"):
            return Refusal(
                "own-kernel",
                f"{node.op} {part} whole tensors in memory",
                f"another op than {node.op}",
            )
    return None


def refuse_access(producer: Node, accesses: Iterable[Access]) -> Refusal | None:
    """Refuse what a kernel cannot compute where its nodes ask for it, or would repeat."""
    places = list(accesses)
    for access in places:
        refusal = refuse_inside_anchor(producer, access.anchor) if access.anchor else None
        if refusal:
            return refusal
    if producer.op.kind != "elementwise" and producer.op is not pad:
        return None
    if any(access.repeated for access in places):
        return Refusal(
            "repeated",
            f"each element of {producer.result.type} would be computed several times",
            "a reader that needs every element once",
        )
    if len({access.place for access in places}) > 1:
        return Refusal(
            "several-places",
            f"the reader needs {producer.result.type} at several indices at a time",
            "readers that use the same index",
        )
    return None


def refuse_inside_anchor(producer: Node, anchor: Node) -> Refusal | None:
    """Refuse what may not stand in front of a reduction in its kernel."""
    if anchor.op in COPYING:
        return Refusal(
            "product-operand",
            f"{anchor.op} copies whole rows of its operand out of memory",
            "a value in memory",
        )
    if anchor.op in IN_BLOCKS and producer.op is not slice:
        return Refusal(
            "product-operand",
            f"{anchor.op} reads its operands many times, in blocks of lanes",
            "a slice",
        )
    if anchor.op in PRODUCTS and producer.op not in PRODUCT_VIEWS:
        return Refusal(
            "product-operand",
            f"{anchor.op} reads its operands many times, so they must be in memory",
            "a broadcast, transpose, slice or reverse",
        )
    if overlaps(anchor):
        return Refusal(
            "overlapping-windows",
            "the windows share elements, so the operand must be in memory",
            "strides that are at least the window",
        )
    if producer.op is pad:
        return Refusal(
            "padding",
            "a check of bounds in the inner loop would cost more than a copy",
            "no padding",
        )
    return None


def outside_reads(nodes: Sequence[Node]) -> int:
    """Return how many values `nodes` read that none of them makes."""
    made = {value for node in nodes for value in node.results}
    return len({v for node in nodes for v in node.operands if v not in made})


def refuse_operand_count(count: int, registers: int) -> Refusal | None:
    """Refuse a kernel that would read more tensors than the machine has registers."""
    if count <= registers:
        return None
    return Refusal(
        "registers",
        f"the kernel would read {count} tensors at a time and the machine has "
        f"{registers} vector registers",
        "fewer operands",
    )


def refuse_reduction(producer: Node, consumer: Node, anchored: bool) -> Refusal:
    """Say why a kernel with a reduction ends in front of `consumer`."""
    if anchored:
        return Refusal(
            "one-reduction",
            f"a kernel holds one reduction, and the kernel of {consumer.op} has one",
            "one reduction instead of two",
        )
    if consumer.op.kind == "elementwise":
        return Refusal(
            "readers-diverge",
            f"not every reader of {producer.result.type} leads to one elementwise result",
            "readers that meet in one elementwise node of the same shape",
        )
    return Refusal(
        "epilogue",
        f"{consumer.op} asks for elements at another index than {producer.op} makes them",
        "an elementwise node of the same shape, or a last reshape",
    )
