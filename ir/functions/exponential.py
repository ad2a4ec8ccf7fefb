"""NumPy's exponentials, logarithms, roots and what is built from them."""

from typing import Any

import numpy as np

from lxc.ir.dispatch import implements
from lxc.ir.functions.arithmetic import absolute, add, maximum, multiply, negative, subtract
from lxc.ir.functions.comparison import equal, where
from lxc.ir.functions.promotion import as_near_float, near_float_type
from lxc.ir.functions.ufunc import rounded_once, unary
from lxc.ir.ops import functions
from lxc.ir.tensor import apply

exp = unary(functions.exp, np.exp, meeting=near_float_type)
exp2 = unary(functions.exp2, np.exp2, meeting=near_float_type)
expm1 = unary(functions.expm1, np.expm1, meeting=near_float_type)
log = unary(functions.log, np.log, meeting=near_float_type)
log2 = unary(functions.log2, np.log2, meeting=near_float_type)
log10 = unary(functions.log10, np.log10, meeting=near_float_type)
log1p = unary(functions.log1p, np.log1p, meeting=near_float_type)
sqrt = unary(functions.sqrt, np.sqrt, meeting=near_float_type)
rsqrt = unary(functions.rsqrt, meeting=near_float_type)
cbrt = unary(functions.cbrt, np.cbrt, meeting=near_float_type)
erf = unary(functions.erf, meeting=near_float_type)


@implements(np.tanh)
def tanh(x: Any, *, fast: bool = False) -> Any:
    """Return the hyperbolic tangent; `fast` allows 8 ULP instead of 2."""
    return apply(functions.tanh, as_near_float(x), fast=fast)


def sigmoid(x: Any, *, fast: bool = False) -> Any:
    """Return 1 / (1 + exp(-x)) without overflow; `fast` allows 8 ULP instead of 2."""
    return apply(functions.logistic, as_near_float(x), fast=fast)


@implements(np.logaddexp)
@rounded_once
def logaddexp(x: Any, y: Any) -> Any:
    """Return log(exp(x) + exp(y)) without overflow."""
    smaller = log1p(exp(negative(absolute(subtract(x, y)))))
    return where(equal(x, y), add(x, float(np.log(2))), add(maximum(x, y), smaller))


@implements(np.logaddexp2)
@rounded_once
def logaddexp2(x: Any, y: Any) -> Any:
    """Return log2(2**x + 2**y) without overflow."""
    smaller = log1p(exp2(negative(absolute(subtract(x, y)))))
    scaled = multiply(smaller, float(np.log2(np.e)))
    return where(equal(x, y), add(x, 1.0), add(maximum(x, y), scaled))
