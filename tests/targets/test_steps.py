"""The steps that are told of functions are those that their code takes."""

from collections.abc import Sequence

import pytest

from lxc.ir.builder import make_node
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.types import DType, TensorType
from lxc.targets.kernels.element_rules.table import RULES
from lxc.targets.kernels.step import Step
from lxc.targets.kernels.vector_math.steps import STEPS, steps_of
from lxc.targets.tvm_api import Expr, variable
from tests.targets.accuracy import FUNCTIONS

FEW = 2


def written(name: str) -> int:
    """Return how many values the code of an op keeps, those of 64 bits counted twice.

    What is rarely computed does not count.
    """
    kept: list[int] = []

    def hold(value: Expr, dtype: str) -> Expr:
        kept.append(2 if dtype.endswith("64") else 1)
        return variable(f"t{len(kept)}", dtype)

    def rarely(
        needed: Expr, usual: Sequence[tuple[Expr, str]], other: object
    ) -> list[Expr]:
        return [value for value, _ in usual]

    count = FUNCTIONS[name].operands if name in FUNCTIONS else 2
    values = tuple(Value(TensorType(DType.F32, (4,)), f"%x.{n}") for n in range(count))
    node = make_node(OPS[name], values, {}, ())
    step = Step(node, hold, rarely, look_up=None)
    RULES[name](step, *(variable(f"x{n}", "float32") for n in range(count)))
    return sum(kept)


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, *STEPS}))
def test_the_steps_of_a_function_are_told(name: str) -> None:
    if name not in STEPS:
        assert written(name) <= FEW
    else:
        assert 0.8 * STEPS[name] <= written(name) <= 1.25 * STEPS[name]


def test_steps_of_nodes_add_up() -> None:
    x = Value(TensorType(DType.F32, (4,)), "%x")
    nodes = [make_node(OPS[name], (x,), {}, ()) for name in ("exp", "negate")]
    assert steps_of(nodes) == STEPS["exp"] + 1
