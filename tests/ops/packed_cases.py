"""Products of operands in blocks of lanes, or with channels last, of odd and even sizes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.ir.types import Array
from tests.ops.cases import Case

Drawn = Callable[[tuple[int, ...], np.dtype[Any], int], Array]
Shape = tuple[int, ...]


def packed_cases(dtype: np.dtype[Any], drawn: Drawn) -> list[Case]:
    """Return one case per kind of shape, with operands from `drawn`."""

    def case(op: str, x: Shape, weight: Shape, **given: Any) -> Case:
        operands = (drawn(x, dtype, 5), drawn(weight, dtype, 6))
        return Case(f"{op} {x} {weight} {given}", op, operands, given)

    def dot(x: Shape, panels: Shape, columns: int, batch: Shape, depth: Shape) -> Case:
        axes = {"lhs_batch": batch, "lhs_contract": depth}
        return case("packed_dot", x, panels, **axes, columns=columns)

    def conv(x: Shape, weight: Shape, groups: int = 1, plain: bool = False) -> Case:
        moves = moves_of(len(weight) - (3 if plain else 4))
        given = {"groups": groups, "plain": plain}
        return case("blocked_conv", x, weight, **moves, **given)

    def each(x: Shape, weight: Shape) -> Case:
        return case("depthwise_conv", x, weight, **moves_of(len(weight) - 2))

    def last(x: Shape, weight: Shape, groups: int) -> Case:
        rank = len(x) - 2
        given = {"padding": ((0, 0),) * rank, "groups": groups}
        return case("channels_last_conv", x, weight, **moves_of(rank), **given)

    return [
        last((2, 9, 7, 6), (4, 2, 3, 3), 2),
        last((1, 9, 17), (17, 3, 1), 17),
        dot((7, 33), (2, 33, 16), 32, (), (1,)),
        dot((13, 5), (3, 5, 8), 17, (), (1,)),
        dot((1, 65), (3, 65, 4), 9, (), (1,)),
        dot((3, 6, 9), (3, 2, 9, 16), 21, (0,), (2,)),
        dot((4, 3, 5, 6), (2, 6, 3, 8), 9, (), (3, 1)),
        dot((5, 2, 3), (2, 3, 1, 5, 4), 3, (1, 2), (0,)),
        dot((0, 3), (1, 3, 4), 4, (), (1,)),
        conv((2, 3, 17), (2, 3, 4, 8), plain=True),
        conv((1, 3, 9, 11), (2, 3, 3, 3, 16), plain=True),
        conv((2, 2, 9, 10, 8), (3, 2, 3, 2, 8, 8)),
        conv((1, 2, 8, 33, 16), (2, 1, 1, 1, 16, 16), groups=2),
        conv((1, 4, 6, 4), (6, 2, 3, 4, 4), groups=2),
        conv((2, 1, 4, 5, 6, 4), (1, 1, 2, 3, 2, 4, 4)),
        each((2, 3, 9, 16), (3, 4, 16)),
        each((1, 2, 9, 31, 8), (2, 3, 3, 8)),
        each((1, 1, 4, 5, 6, 4), (1, 2, 2, 3, 4)),
    ]


def moves_of(rank: int) -> dict[str, Shape]:
    """Return a stride along the first axis and a dilation along the others."""
    rest = rank - 1
    return {"strides": (2,) + (1,) * rest, "rhs_dilation": (1,) + (2,) * rest}
