"""e to powers that are not above zero, as the weights of scores need them."""

from collections.abc import Callable

from lxc.targets.kernels.vector_math.exponential import falling_exp
from lxc.targets.kernels.vector_math.numbers import Number
from lxc.targets.tvm_api import Expr

Hold = Callable[[Expr, str], Expr]


def falling_power(x: Expr, hold: Hold) -> Expr:
    """Return e to the power x, which is at most 0, within 1.5 ULP; NaN gives NaN.

    `x` is repeated in the result, so it should be a load.
    """
    return falling_exp(Number(x, "float32", hold)).value
