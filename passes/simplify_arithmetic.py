"""Identities of elementwise ops that hold for every IEEE number.

They keep NaN, infinities and the sign of zero, so x + 0 stays (it makes +0 of -0) while
x + -0 and x - 0 are x. Nothing is rounded differently; sign and payload of a NaN are free.
"""

from collections.abc import Callable

import numpy as np

from lxc.ir.builder import make_node
from lxc.ir.node import Node, Value
from lxc.ir.op import Op
from lxc.ir.ops.arithmetic import (
    absolute,
    add,
    divide,
    maximum,
    minimum,
    multiply,
    negate,
    power,
    subtract,
)
from lxc.ir.ops.functions import ceil, floor, round
from lxc.ir.ops.logic import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    cast,
    select,
    shift_left,
    shift_right,
)
from lxc.ir.rewrite import Replacement
from lxc.ir.types import DType
from lxc.passes.known_values import KnownValues
from lxc.passes.nodes import attributes_of

Rule = Callable[[Node, KnownValues], Replacement | None]


def instead(node: Node, op: Op, *operands: Value) -> Replacement:
    """Return another op for `node`, on other operands."""
    new = make_node(op, operands, {}, (), node.location)
    return Replacement(new.results, (new,))


def simplify_add(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a zero that changes nothing; add a negative as a difference."""
    for x, y in (node.operands, node.operands[::-1]):
        if known.is_number(y, 0, negative_zero=y.type.dtype.is_float):
            return Replacement((x,))
        negative = known.maker(y, negate)
        if negative:
            return instead(node, subtract, x, negative.operands[0])
    return None


def simplify_subtract(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a zero; subtract a negative as a sum."""
    x, y = node.operands
    if known.is_number(y, 0):
        return Replacement((x,))
    negative = known.maker(y, negate)
    return instead(node, add, x, negative.operands[0]) if negative else None


def simplify_multiply(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a factor of one; two negatives make a positive."""
    for x, y in (node.operands, node.operands[::-1]):
        if known.is_number(y, 1):
            return Replacement((x,))
    left, right = (known.maker(value, negate) for value in node.operands)
    if left and right:
        return instead(node, multiply, left.operands[0], right.operands[0])
    return None


def drop_one(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a second operand of one."""
    x, y = node.operands
    return Replacement((x,)) if known.is_number(y, 1) else None


def drop_zero_bits(node: Node, known: KnownValues) -> Replacement | None:
    """Drop an operand without bits."""
    operands = [value for value in node.operands if not known.is_number(value, 0)]
    if node.op in (shift_left, shift_right):
        operands = [node.operands[0]] if known.is_number(node.operands[1], 0) else []
    return Replacement(operands) if len(operands) == 1 else None


def drop_all_bits(node: Node, known: KnownValues) -> Replacement | None:
    """Drop an operand with all bits."""
    dtype = node.result.type.dtype
    ones = np.invert(np.zeros((), dtype.numpy))
    operands = [value for value in node.operands if not known.is_number(value, ones)]
    return Replacement(operands) if len(operands) == 1 else None


def drop_repeated(node: Node, known: KnownValues) -> Replacement | None:
    """Return x for f(x, x) where f takes one of the two."""
    x, y = node.operands
    return Replacement((x,)) if x is y else None


def drop_double(node: Node, known: KnownValues) -> Replacement | None:
    """Return x for f(f(x))."""
    inner = known.maker(node.operands[0], node.op)
    return Replacement(inner.operands) if inner else None


def simplify_absolute(node: Node, known: KnownValues) -> Replacement | None:
    """Drop what only changes the sign below."""
    inner = known.maker(node.operands[0], absolute, negate)
    if inner is None:
        return None
    if inner.op is negate and node.result.type.dtype.numpy.kind == "u":
        # Without a sign, the negative of a number is another number.
        return None
    return (
        Replacement((inner.result,))
        if inner.op is absolute
        else instead(node, absolute, inner.operands[0])
    )


def drop_rounding(node: Node, known: KnownValues) -> Replacement | None:
    """Return a whole number as it is."""
    return (
        Replacement(node.operands)
        if known.maker(node.operands[0], floor, ceil, round)
        else None
    )


def simplify_select(node: Node, known: KnownValues) -> Replacement | None:
    """Decide a choice that is known; turn a negated condition round."""
    condition, x, y = node.operands
    if x is y:
        return Replacement((x,))
    number = known.number(condition)
    if number is not None:
        return Replacement((x if bool(number) else y,))
    inverse = known.maker(condition, bitwise_not)
    return instead(node, select, inverse.operands[0], y, x) if inverse else None


def simplify_cast(node: Node, known: KnownValues) -> Replacement | None:
    """Drop a cast to the same type, and one in between that loses nothing."""
    (x,) = node.operands
    target = node.result.type.dtype
    if x.type.dtype is target:
        return Replacement((x,))
    inner = known.maker(x, cast)
    if inner is None or not is_lossless(inner.operands[0].type.dtype, x.type.dtype):
        return None
    new = make_node(cast, inner.operands, attributes_of(node), (), node.location)
    return Replacement(new.results, (new,))


def is_lossless(source: DType, target: DType) -> bool:
    """Return whether every number of `source` is one of `target`."""
    if source is DType.BOOL or source is target:
        return True
    if source.is_float or target is DType.BOOL:
        return target in WIDER_FLOATS.get(source, ())
    if target.is_integer:
        return bool(np.can_cast(source.numpy, target.numpy, "safe"))
    sign = np.iinfo(source.numpy).min < 0
    return 8 * source.bytes - sign <= SIGNIFICANDS[target]


WIDER_FLOATS = {
    DType.F16: (DType.F32, DType.F64),
    DType.BF16: (DType.F32, DType.F64),
    DType.F32: (DType.F64,),
}
SIGNIFICANDS = {DType.BF16: 8, DType.F16: 11, DType.F32: 24, DType.F64: 53}
"""How many bits of a whole number each float type holds exactly."""

ARITHMETIC: dict[Op, tuple[Rule, ...]] = {
    add: (simplify_add,),
    subtract: (simplify_subtract,),
    multiply: (simplify_multiply,),
    divide: (drop_one,),
    power: (drop_one,),
    negate: (drop_double,),
    absolute: (simplify_absolute,),
    floor: (drop_rounding,),
    ceil: (drop_rounding,),
    round: (drop_rounding,),
    maximum: (drop_repeated,),
    minimum: (drop_repeated,),
    bitwise_and: (drop_repeated, drop_all_bits),
    bitwise_or: (drop_repeated, drop_zero_bits),
    bitwise_xor: (drop_zero_bits,),
    bitwise_not: (drop_double,),
    shift_left: (drop_zero_bits,),
    shift_right: (drop_zero_bits,),
    select: (simplify_select,),
    cast: (simplify_cast,),
}
