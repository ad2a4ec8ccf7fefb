"""What the functions of floats do to one element: our own code, or the C library's."""

from collections.abc import Callable, Mapping

from lxc.ir.types import DType
from lxc.targets.llvm.step import Rule, Step, direct
from lxc.targets.llvm.vector_math import (
    circle,
    exponential,
    hyperbolic,
    inverse,
    logarithm,
    power,
    saturating,
)
from lxc.targets.llvm.vector_math.numbers import Number
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


def falling_exp(step: Step, x: Expr) -> Expr:
    """Return exp(x) of a float32 that is not above zero."""
    return exponential.falling_exp(Number(x, "float32", step.hold)).value


def nearly_falling_exp(step: Step, x: Expr) -> Expr:
    """Return exp(x) of a float32 that stands for a number not above zero."""
    return exponential.falling_exp(Number(x, "float32", step.hold).at_most(0.0)).value


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
    "sin": function("sin", circle.sin),
    "cos": function("cos", circle.cos),
    "tan": function("tan", circle.tan),
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
    "erf": function("erf", saturating.erf),
    "tanh": function("tanh", saturating.tanh),
    "logistic": logistic,
    "floor": direct("floor"),
    "ceil": direct("ceil"),
    "round": direct("nearbyint"),
    "power": function("pow", power.power),
}
"""The rule of every function of floats."""
