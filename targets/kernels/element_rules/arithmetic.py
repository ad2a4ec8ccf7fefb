"""What arithmetic does to one element; NaN wins over every number in `max` and `min`."""

from collections.abc import Callable, Mapping

from lxc.ir.types import DType
from lxc.targets.kernels.element_rules import integers
from lxc.targets.kernels.element_rules.extremes import largest, smallest
from lxc.targets.kernels.step import Rule, Step
from lxc.targets.kernels.vector_math import division
from lxc.targets.kernels.vector_math.numbers import Number, with_sign
from lxc.targets.tvm_api import (
    Expr,
    both,
    constant,
    differs,
    either,
    intrinsic,
    is_equal,
    select,
)


def negate(step: Step, x: Expr) -> Expr:
    """Return -x, which is -0.0 for 0.0."""
    if step.operand.is_float:
        return x * step.number(-1)
    return integers.subtract(step.number(0), x, step.name, step.hold)


def absolute(step: Step, x: Expr) -> Expr:
    """Return |x|."""
    if step.operand.is_float:
        return intrinsic("abs", x)
    if step.name.startswith("u"):
        return x
    minus = integers.subtract(step.number(0), x, step.name, step.hold)
    return select(x < step.number(0), minus, x)


def sign(step: Step, x: Expr) -> Expr:
    """Return -1, 0 or 1; NaN stays as it is, and -0.0 gives 0.0."""
    below = x
    if step.operand.is_float:
        # A literal zero would be taken for x itself, which equals it.
        below = select(is_equal(x, step.number(0)), intrinsic("abs", x), x)
    if not step.name.startswith("u"):
        below = select(x < step.number(0), step.number(-1), below)
    return select(step.number(0) < x, step.number(1), below)


def arithmetic(name: str, on_floats: Callable[[Expr, Expr], Expr]) -> Rule:
    """Return the rule of an operation that integers do with wrapping."""
    on_integers: Rule = getattr(integers, name)

    def rule(step: Step, x: Expr, y: Expr) -> Expr:
        if step.operand.is_float:
            return on_floats(x, y)
        return on_integers(x, y, step.name, step.hold)

    return rule


def signs_differ(step: Step, x: Expr, y: Expr) -> Expr:
    """Return whether exactly one of two floats is below zero."""
    one, none = constant(1, "int32"), constant(0, "int32")
    below = [step.hold(select(z < step.number(0), one, none), "int32") for z in (x, y)]
    return differs(*below)


def floor_divide(step: Step, x: Expr, y: Expr) -> Expr:
    """Return the floor of x / y, computed from the exact remainder."""
    if not step.operand.is_float:
        return integers.floor_divide(x, y, step.name, step.hold)
    zero = step.number(0)
    rest = step.hold(float_fmod(step, x, y), step.name)
    exact = step.hold((x - rest) / y, step.name)
    apart = both(differs(rest, zero), signs_differ(step, y, rest))
    exact = step.hold(select(apart, exact - step.number(1), exact), step.name)
    down = step.hold(intrinsic("floor", exact), step.name)
    near = select(step.number(0.5) < exact - down, down + step.number(1), down)
    plain = step.hold(x / y, step.name)
    near = select(is_equal(exact, zero), copysign(step, zero, plain), near)
    return select(is_equal(y, zero), plain, near)


def remainder(step: Step, x: Expr, y: Expr) -> Expr:
    """Return x - y * floor(x / y), with the sign of y, even if it is zero."""
    if not step.operand.is_float:
        return integers.remainder(x, y, step.name, step.hold)
    zero = step.number(0)
    rest = step.hold(float_fmod(step, x, y), step.name)
    apart = both(differs(rest, zero), signs_differ(step, y, rest))
    none = copysign(step, zero, y)
    return select(apart, rest + y, select(is_equal(rest, zero), none, rest))


def fmod(step: Step, x: Expr, y: Expr) -> Expr:
    """Return x - y * trunc(x / y), with the sign of x, even if it is zero."""
    if not step.operand.is_float:
        return integers.fmod(x, y, step.name, step.hold)
    return float_fmod(step, x, y)


def float_fmod(step: Step, x: Expr, y: Expr) -> Expr:
    """Return x - y * trunc(x / y) of floats: our own code, in float64 the C library's."""
    if step.operand is DType.F64:
        return step.call("fmod", x, y)
    return division.fmod(*(Number(z, step.name, step.hold) for z in (x, y))).value


def maximum(step: Step, x: Expr, y: Expr) -> Expr:
    """Return the larger; NaN if either is."""
    if step.operand is DType.BOOL:
        return either(x, y)
    return largest(x, y, step.name, step.hold)


def minimum(step: Step, x: Expr, y: Expr) -> Expr:
    """Return the smaller; NaN if either is."""
    if step.operand is DType.BOOL:
        return both(x, y)
    return smallest(x, y, step.name, step.hold)


def copysign(step: Step, x: Expr, y: Expr) -> Expr:
    """Return |x| with the sign of y."""
    return with_sign(x, y, 64 if step.operand is DType.F64 else 32)


ARITHMETIC: Mapping[str, Rule] = {
    "negate": negate,
    "absolute": absolute,
    "sign": sign,
    "add": arithmetic("add", lambda x, y: x + y),
    "subtract": arithmetic("subtract", lambda x, y: x - y),
    "multiply": arithmetic("multiply", lambda x, y: x * y),
    "divide": lambda step, x, y: x / y,
    "floor_divide": floor_divide,
    "remainder": remainder,
    "fmod": fmod,
    "maximum": maximum,
    "minimum": minimum,
    "copysign": copysign,
}
"""The rule of every arithmetic op."""
