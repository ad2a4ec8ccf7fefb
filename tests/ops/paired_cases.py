"""Products of pairs of bfloat16: odd and even sums, joined rows and rows that lie apart."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from lxc.ir.types import Array
from tests.ops.cases import Case
from tests.ops.packed_cases import moves_of

Drawn = Callable[[tuple[int, ...], np.dtype[Any], int], Array]
Shape = tuple[int, ...]
BF16 = np.dtype(ml_dtypes.bfloat16)


def paired_cases(drawn: Drawn) -> list[Case]:
    """Return one case per kind of shape, with operands from `drawn`."""

    def case(op: str, x: Shape, weight: Shape, **given: Any) -> Case:
        operands = (drawn(x, BF16, 5), drawn(weight, BF16, 6))
        return Case(f"{op} {x} {weight} {given}", op, operands, given)

    def dot(x: Shape, panels: Shape, columns: int, batch: Shape, depth: Shape) -> Case:
        axes = {"lhs_batch": batch, "lhs_contract": depth}
        return case("paired_dot", x, panels, **axes, columns=columns)

    def conv(x: Shape, weight: Shape, groups: int = 1) -> Case:
        return case("paired_conv", x, weight, **moves_of(len(weight) - 5), groups=groups)

    return [
        dot((7, 33), (2, 17, 16, 2), 32, (), (1,)),
        dot((45, 84), (5, 42, 16, 2), 77, (), (1,)),
        dot((13, 5), (3, 3, 8, 2), 17, (), (1,)),
        dot((1, 64), (3, 32, 4, 2), 9, (), (1,)),
        dot((2, 1), (1, 1, 16, 2), 3, (), (1,)),
        dot((3, 6, 9), (3, 2, 5, 16, 2), 21, (0,), (2,)),
        dot((3, 16, 24), (3, 2, 12, 16, 2), 20, (0,), (2,)),
        dot((4, 3, 5, 6), (2, 9, 8, 2), 9, (), (3, 1)),
        dot((4, 5, 3, 6), (2, 9, 16, 2), 19, (), (2, 3)),
        dot((5, 2, 3), (2, 3, 1, 3, 4, 2), 3, (1, 2), (0,)),
        dot((0, 3), (1, 2, 4, 2), 4, (), (1,)),
        conv((2, 2, 9, 10, 8), (3, 2, 3, 2, 4, 8, 2)),
        conv((2, 2, 5, 37, 16), (3, 2, 3, 2, 8, 16, 2)),
        conv((1, 2, 8, 33, 16), (2, 1, 1, 1, 8, 16, 2), groups=2),
        conv((1, 4, 6, 4), (6, 2, 3, 2, 4, 2), groups=2),
        conv((2, 1, 4, 5, 6, 4), (1, 1, 2, 3, 2, 2, 4, 2)),
    ]
