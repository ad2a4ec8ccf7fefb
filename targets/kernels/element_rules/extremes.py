"""The larger and the smaller of two numbers; NaN if either is."""

from collections.abc import Callable

from lxc.targets.tvm_api import Expr, is_equal, is_less, select

Hold = Callable[[Expr, str], Expr]


def largest(x: Expr, y: Expr, name: str, hold: Hold) -> Expr:
    """Return the larger of two elements of the type `name`."""
    return or_nan(select(is_less(y, x), x, y), x, name, hold)


def smallest(x: Expr, y: Expr, name: str, hold: Hold) -> Expr:
    """Return the smaller of two elements of the type `name`."""
    return or_nan(select(is_less(x, y), x, y), x, name, hold)


def or_nan(chosen: Expr, x: Expr, name: str, hold: Hold) -> Expr:
    """Return what was chosen, or `x` if that is NaN.

    A comparison with NaN is false, so where the other one is NaN, it was chosen. The copy
    keeps TVM from taking x == x for true.
    """
    if not name.startswith("float"):
        return chosen
    return select(is_equal(x, hold(x, name)), chosen, x)
