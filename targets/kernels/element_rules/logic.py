"""What comparisons, bits, choices and conversions do to one element."""

from collections.abc import Mapping

from lxc.ir.types import DType
from lxc.targets.kernels.step import Rule, Step, direct
from lxc.targets.kernels.storage import computed, is_half, shortened
from lxc.targets.tvm_api import (
    Expr,
    both,
    cast,
    constant,
    differs,
    either,
    intrinsic,
    is_at_most,
    is_equal,
    is_less,
    negation,
    select,
)


def comparison(on_numbers: Rule, on_bools: Rule) -> Rule:
    """Return the rule of a comparison."""

    def rule(step: Step, x: Expr, y: Expr) -> Expr:
        return on_bools(x, y) if step.operand is DType.BOOL else on_numbers(x, y)

    return rule


def not_equal(step: Step, x: Expr, y: Expr) -> Expr:
    """Return whether x and y differ; TVM's own comparison is false for NaN."""
    if step.operand is DType.BOOL:
        return exclusive(x, y)
    if not step.operand.is_float:
        return differs(x, y)
    unordered = either(intrinsic("isnan", x), intrinsic("isnan", y))
    return either(differs(x, y), unordered)


def bitwise(name: str, on_bools: Rule) -> Rule:
    """Return the rule of an operation on bits that bools have too."""

    def rule(step: Step, *operands: Expr) -> Expr:
        if step.operand is DType.BOOL:
            return on_bools(*operands)
        return intrinsic(name, *operands)

    return rule


def exclusive(x: Expr, y: Expr) -> Expr:
    """Return whether exactly one of two conditions holds."""
    return either(both(x, negation(y)), both(negation(x), y))


def same(x: Expr, y: Expr) -> Expr:
    """Return whether two conditions are equal."""
    return either(both(x, y), both(negation(x), negation(y)))


def choose(step: Step, condition: Expr, x: Expr, y: Expr) -> Expr:
    """Return x where the condition holds, y elsewhere."""
    if step.operand is DType.BOOL:
        return either(both(condition, x), both(negation(condition), y))
    return select(condition, x, y)


def convert(step: Step, x: Expr) -> Expr:
    """Return x in another type; the rounding of half types follows."""
    wanted = step.node.result.type.dtype
    name = computed(wanted)
    if wanted is DType.BOOL:
        return x if step.operand is DType.BOOL else not_equal(step, x, step.number(0))
    if step.operand is DType.BOOL:
        return select(x, constant(1, name), constant(0, name))
    if is_half(wanted):
        return shortened(x, step.operand, step.hold)
    return x if name == step.name else cast(name, x)


LOGIC: Mapping[str, Rule] = {
    "equal": comparison(is_equal, same),
    "not_equal": not_equal,
    "less": comparison(is_less, lambda x, y: both(negation(x), y)),
    "less_equal": comparison(is_at_most, lambda x, y: either(negation(x), y)),
    "bitwise_and": bitwise("and", both),
    "bitwise_or": bitwise("or", either),
    "bitwise_xor": bitwise("xor", exclusive),
    "bitwise_not": bitwise("not", negation),
    "shift_left": direct("shift_left"),
    "shift_right": direct("shift_right"),
    "select": choose,
    "cast": convert,
}
"""The rule of every comparison, bit operation, choice and conversion."""
