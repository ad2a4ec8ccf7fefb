"""What the functions of floats do to one element: our own code, or the C library's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lxc.ir.types import DType
from lxc.targets.kernels.step import Rule, Step, direct
from lxc.targets.kernels.vector_math import (
    circle,
    exponential,
    hyperbolic,
    inverse,
    logarithm,
    pieces,
    power,
    saturating,
)
from lxc.targets.kernels.vector_math.numbers import Number
from lxc.targets.tvm_api import Expr, intrinsic, select


def function(name: str, ours: Callable[..., Number]) -> Rule:
    """Return the rule of a function: our own code, in float64 the C library's."""

    def rule(step: Step, *operands: Expr) -> Expr:
        if step.operand is DType.F64:
            return step.call(name, *operands)
        return ours(*(Number(x, "float32", step.hold) for x in operands)).value

    return rule


def logistic(step: Step, x: Expr) -> Expr:
    """Return 1 / (1 + exp(-x))."""
    if step.operand is not DType.F64:
        return saturating.logistic(Number(x, "float32", step.hold)).value
    small = step.hold(step.call("exp", step.number(0) - intrinsic("abs", x)), step.name)
    return select(x < step.number(0), small, step.number(1)) / (step.number(1) + small)


def of_angle(name: str, ours: Callable[[Number, circle.Rarely], Number]) -> Rule:
    """Return the rule of a function of an angle, which is hardly ever huge."""

    def rule(step: Step, x: Expr) -> Expr:
        if step.operand is DType.F64:
            return step.call(name, x)

        def rarely(
            needed: Expr, usual: Sequence[Number], other: Callable[[], Sequence[Number]]
        ) -> list[Number]:
            typed = [(one.value, one.dtype) for one in usual]
            found = step.rarely(needed, typed, lambda: [one.value for one in other()])
            return [
                replace(one, value=value) for one, value in zip(usual, found, strict=True)
            ]

        return ours(Number(x, "float32", step.hold), rarely).value

    return rule


def in_pieces(name: str, whole: Callable[[Number], Number], cut: pieces.Pieces) -> Rule:
    """Return the rule of a function that is cut up where the machine has tables."""

    def rule(step: Step, x: Expr) -> Expr:
        if step.operand is DType.F64:
            return step.call(name, x)
        number, look_up = Number(x, "float32", step.hold), step.look_up
        if look_up is None:
            return whole(number).value
        return pieces.odd(
            number, cut, lambda table, piece: number.made(look_up(table, piece.value))
        ).value

    return rule


def falling_exp(step: Step, x: Expr) -> Expr:
    """Return exp(x) of a float32 that is not above zero."""
    return exponential.falling_exp(Number(x, "float32", step.hold)).value


def rsqrt(step: Step, x: Expr) -> Expr:
    """Return 1 / sqrt(x)."""
    return step.number(1) / intrinsic("sqrt", x)


FUNCTIONS: Mapping[str, Rule] = {
    "exp": function("exp", exponential.exp),
    "expm1": function("expm1", exponential.expm1),
    "exp2": function("exp2", exponential.exp2),
    "log": function("log", logarithm.log),
    "log1p": function("log1p", logarithm.log1p),
    "log2": function("log2", power.log2),
    "log10": function("log10", power.log10),
    "sqrt": direct("sqrt"),
    "rsqrt": rsqrt,
    "cbrt": function("cbrt", power.cbrt),
    "sin": of_angle("sin", circle.sin),
    "cos": of_angle("cos", circle.cos),
    "tan": of_angle("tan", circle.tan),
    "arcsin": function("asin", inverse.arcsin),
    "arccos": function("acos", inverse.arccos),
    "arctan": function("atan", inverse.arctan),
    "arctan2": function("atan2", inverse.arctan2),
    "sinh": function("sinh", hyperbolic.sinh),
    "cosh": function("cosh", hyperbolic.cosh),
    "arcsinh": function("asinh", hyperbolic.arcsinh),
    "arccosh": function("acosh", hyperbolic.arccosh),
    "arctanh": function("atanh", hyperbolic.arctanh),
    "hypot": function("hypot", hyperbolic.hypot),
    "erf": in_pieces("erf", saturating.erf, pieces.ERF),
    "tanh": in_pieces("tanh", saturating.tanh, pieces.TANH),
    "logistic": logistic,
    "floor": direct("floor"),
    "ceil": direct("ceil"),
    "round": direct("nearbyint"),
    "power": function("pow", power.power),
}
"""The rule of every function of floats."""
