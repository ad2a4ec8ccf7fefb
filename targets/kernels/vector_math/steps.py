"""Roughly how many instructions elementwise ops spend on one vector of float32."""

from collections.abc import Iterable, Mapping

from lxc.ir.node import Node

STEPS: Mapping[str, int] = {
    "exp": 23,
    "exp2": 20,
    "expm1": 20,
    "log": 28,
    "log1p": 28,
    "log2": 59,
    "log10": 61,
    "tanh": 24,
    "logistic": 20,
    "erf": 29,
    "cbrt": 91,
    "sin": 40,
    "cos": 37,
    "tan": 60,
    "arcsin": 33,
    "arccos": 39,
    "arctan": 37,
    "arctan2": 49,
    "sinh": 59,
    "cosh": 43,
    "arcsinh": 73,
    "arccosh": 64,
    "arctanh": 75,
    "hypot": 14,
    "power": 101,
    "fmod": 190,
    "remainder": 200,
    "floor_divide": 200,
}
"""Of ops that take more than a few; instructions on float64 count twice.

What hardly any number needs is left out.
"""


def steps_of(nodes: Iterable[Node]) -> int:
    """Return roughly how many instructions nodes spend on one vector."""
    return sum(
        STEPS.get(node.op.name, 1) for node in nodes if node.op.kind == "elementwise"
    )
