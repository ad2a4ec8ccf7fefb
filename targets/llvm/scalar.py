"""What each elementwise op does to one element.

A rule gets the step it is part of (types, attributes, a way to hold a value) and the
operands' elements in the type they are computed in. Operands are loads or short
conditions, so a rule may repeat them. `max` and `min` are written so that NaN wins.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.targets.llvm import integers, vector_math
from lxc.targets.llvm.storage import computed, is_half, shortened
from lxc.targets.tvm_api import (
    Expr,
    both,
    cast,
    constant,
    differs,
    either,
    extern,
    intrinsic,
    is_at_most,
    is_equal,
    is_less,
    negation,
    select,
)


@dataclass(frozen=True)
class Step:
    """One node being lowered on one vector; `hold` keeps a value in registers."""

    node: Node
    hold: Callable[[Expr, str], Expr]

    @property
    def operand(self) -> DType:
        """The element type of the last operand."""
        return self.node.operands[-1].type.dtype

    @property
    def name(self) -> str:
        """The type that the last operand is computed in."""
        return computed(self.operand)

    def number(self, value: float) -> Expr:
        """Return a constant of the operand's type."""
        return constant(value, self.name)

    def call(self, name: str, *arguments: Expr) -> Expr:
        """Return the result of a function of the C mathematics library."""
        suffix = "" if self.operand is DType.F64 else "f"
        return extern(self.name, name + suffix, *arguments)


Rule = Callable[..., Expr]


def library(name: str) -> Rule:
    """Return the rule that calls a function of the C mathematics library."""

    def rule(step: Step, *operands: Expr) -> Expr:
        return step.call(name, *operands)

    return rule


def direct(name: str) -> Rule:
    """Return the rule that is one intrinsic."""

    def rule(step: Step, *operands: Expr) -> Expr:
        return intrinsic(name, *operands)

    return rule


def exp(step: Step, x: Expr) -> Expr:
    """Return e to the power x."""
    wide = step.operand is DType.F64
    return step.call("exp", x) if wide else vector_math.exp(x, step.hold)


def tanh(step: Step, x: Expr) -> Expr:
    """Return the hyperbolic tangent."""
    wide = step.operand is DType.F64
    return step.call("tanh", x) if wide else vector_math.tanh(x, step.hold)


def logistic(step: Step, x: Expr) -> Expr:
    """Return 1 / (1 + exp(-x))."""
    if step.operand is not DType.F64:
        return vector_math.logistic(x, step.hold)
    small = step.hold(step.call("exp", step.number(0) - intrinsic("abs", x)), step.name)
    return select(x < step.number(0), small, step.number(1)) / (step.number(1) + small)


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


def rsqrt(step: Step, x: Expr) -> Expr:
    """Return 1 / sqrt(x)."""
    return step.number(1) / intrinsic("sqrt", x)


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
    rest = step.hold(step.call("fmod", x, y), step.name)
    exact = step.hold((x - rest) / y, step.name)
    apart = both(differs(rest, zero), signs_differ(step, y, rest))
    exact = step.hold(select(apart, exact - step.number(1), exact), step.name)
    down = step.hold(intrinsic("floor", exact), step.name)
    near = select(step.number(0.5) < exact - down, down + step.number(1), down)
    plain = step.hold(x / y, step.name)
    near = select(is_equal(exact, zero), step.call("copysign", zero, plain), near)
    return select(is_equal(y, zero), plain, near)


def remainder(step: Step, x: Expr, y: Expr) -> Expr:
    """Return x - y * floor(x / y), with the sign of y, even if it is zero."""
    if not step.operand.is_float:
        return integers.remainder(x, y, step.name, step.hold)
    zero = step.number(0)
    rest = step.hold(step.call("fmod", x, y), step.name)
    apart = both(differs(rest, zero), signs_differ(step, y, rest))
    none = step.call("copysign", zero, y)
    return select(apart, rest + y, select(is_equal(rest, zero), none, rest))


def maximum(step: Step, x: Expr, y: Expr) -> Expr:
    """Return the larger; NaN if either is."""
    if step.operand is DType.BOOL:
        return either(x, y)
    larger = is_less(y, x)
    if step.operand.is_float:
        larger = either(larger, intrinsic("isnan", x))
    return select(larger, x, y)


def minimum(step: Step, x: Expr, y: Expr) -> Expr:
    """Return the smaller; NaN if either is."""
    if step.operand is DType.BOOL:
        return both(x, y)
    smaller = is_less(x, y)
    if step.operand.is_float:
        smaller = either(smaller, intrinsic("isnan", x))
    return select(smaller, x, y)


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


RULES: Mapping[str, Rule] = {
    "negate": negate,
    "absolute": absolute,
    "sign": sign,
    "exp": exp,
    "expm1": library("expm1"),
    "log": library("log"),
    "log1p": library("log1p"),
    "sqrt": direct("sqrt"),
    "rsqrt": rsqrt,
    "sin": library("sin"),
    "cos": library("cos"),
    "erf": library("erf"),
    "tanh": tanh,
    "logistic": logistic,
    "floor": direct("floor"),
    "ceil": direct("ceil"),
    "round": direct("nearbyint"),
    "add": arithmetic("add", lambda x, y: x + y),
    "subtract": arithmetic("subtract", lambda x, y: x - y),
    "multiply": arithmetic("multiply", lambda x, y: x * y),
    "divide": lambda step, x, y: x / y,
    "floor_divide": floor_divide,
    "remainder": remainder,
    "power": library("pow"),
    "maximum": maximum,
    "minimum": minimum,
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
"""The rule of every elementwise op."""
