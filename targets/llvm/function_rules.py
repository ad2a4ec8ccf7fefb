"""What the functions of floats do to one element: our own code, or the C library's."""

from collections.abc import Mapping

from lxc.ir.types import DType
from lxc.targets.llvm import vector_math
from lxc.targets.llvm.step import Rule, Step, direct, library
from lxc.targets.tvm_api import Expr, intrinsic, select


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


def rsqrt(step: Step, x: Expr) -> Expr:
    """Return 1 / sqrt(x)."""
    return step.number(1) / intrinsic("sqrt", x)


FUNCTIONS: Mapping[str, Rule] = {
    "exp": exp,
    "expm1": library("expm1"),
    "exp2": library("exp2"),
    "log": library("log"),
    "log1p": library("log1p"),
    "log2": library("log2"),
    "log10": library("log10"),
    "sqrt": direct("sqrt"),
    "rsqrt": rsqrt,
    "cbrt": library("cbrt"),
    "sin": library("sin"),
    "cos": library("cos"),
    "tan": library("tan"),
    "arcsin": library("asin"),
    "arccos": library("acos"),
    "arctan": library("atan"),
    "arctan2": library("atan2"),
    "sinh": library("sinh"),
    "cosh": library("cosh"),
    "arcsinh": library("asinh"),
    "arccosh": library("acosh"),
    "arctanh": library("atanh"),
    "hypot": library("hypot"),
    "erf": library("erf"),
    "tanh": tanh,
    "logistic": logistic,
    "floor": direct("floor"),
    "ceil": direct("ceil"),
    "round": direct("nearbyint"),
    "power": library("pow"),
}
"""The rule of every function of floats."""
