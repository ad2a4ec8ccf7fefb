"""What the ops without operands give at one place."""

from collections.abc import Callable, Mapping

from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.storage import computed, is_half, shortened
from lxc.targets.tvm_api import Expr, as_index, cast, select
from lxc.targets.tvm_api import constant as number

Hold = Callable[[Expr, str], Expr]
Rounded = Callable[[Expr, DType], Expr]


def iota(node: Node, place: Place, hold: Hold, rounded: Rounded) -> Expr:
    """Return the index along an axis."""
    dtype = node.result.type.dtype
    name = computed(dtype)
    count = as_index(place.coordinates[attributes_of(node)["axis"]])
    if is_half(dtype):
        count = shortened(hold(count, "int64"), DType.I64, hold)
        return rounded(hold(count, name), dtype)
    # A copy, for 0 / 0 must not become 1 where two counters are divided.
    return hold(cast(name, count), name)


def constant(node: Node, place: Place, hold: Hold, rounded: Rounded) -> Expr:
    """Return one of the numbers of a small array."""
    dtype = node.result.type.dtype
    name = computed(dtype)
    # An empty array has no number; nothing but code that never runs asks for one.
    values = attributes_of(node)["value"] or (0,)
    element = number(values[-1], name)
    position = place.position
    for index, value in reversed(list(enumerate(values[:-1]))):
        here = as_index(position) < as_index(index + 1)
        element = select(here, number(value, name), element)
    # TVM folds sums and products with a literal zero as if there were no NaN and no -0.0,
    # and integers as if they had the range of int64.
    plain = len(values) == 1 and (values[0] != 0 if dtype.is_float else name == "bool")
    return element if plain else hold(element, name)


SOURCES: Mapping[str, Callable[[Node, Place, Hold, Rounded], Expr]] = {
    "iota": iota,
    "constant": constant,
}
"""How every op of the kind `source` becomes an element."""
