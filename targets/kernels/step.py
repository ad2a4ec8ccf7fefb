"""One elementwise node being lowered, and the rules that are one call.

A rule gets the step it is part of (types, attributes, a way to hold a value) and the
operands' elements in the type they are computed in. Operands are loads or short
conditions, so a rule may repeat them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.targets.kernels.storage import computed
from lxc.targets.tvm_api import Expr, constant, extern, intrinsic, settled

Rarely = Callable[
    [Expr, Sequence[tuple[Expr, str]], Callable[[], Sequence[Expr]]], list[Expr]
]


@dataclass(frozen=True)
class Step:
    """One node being lowered on one vector; `hold` keeps a value in registers.

    `rarely` returns elements of several types, with others where a condition holds, which
    its last argument writes: they are computed if some lane of the vector needs them.
    `look_up` returns of 32 numbers the ones that the low bits of an int32 name; it is None
    if the machine has no instruction for it. `settled` returns a number as it is rounded.
    """

    node: Node
    hold: Callable[[Expr, str], Expr]
    rarely: Rarely
    look_up: Callable[[Sequence[float], Expr], Expr] | None
    settled: Callable[[str, Expr], Expr] = settled

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
