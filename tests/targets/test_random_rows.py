"""Random work on rows, as it comes out of fusion, agrees with the references."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

import lxc
from lxc import ops
from tests.targets.backends import Compiled, compiled
from tests.targets.test_programs import check
from tests.targets.test_rows import drawn, graph_of

GRAPHS = 8
PAIRS = (ops.add, ops.subtract, ops.multiply, ops.maximum)
ALONE = (ops.tanh, ops.abs, ops.negative, lambda x: ops.exp(-ops.abs(x)))
REDUCTIONS = (
    ops.mean,
    ops.max,
    ops.min,
    lambda x, *axes, **how: ops.sum(x / 8, *axes, **how),
)


def random_rows(source: Random, x: Any, vector: Any, column: Any) -> Any:
    """Return what some random steps make of rows, with a vector along and a number each."""
    rows, numbers = [x], [column]

    def step(kind: str) -> None:
        row, number = source.choice(rows[-3:]), source.choice(numbers[-2:])
        pair, alone = source.choice(PAIRS), source.choice(ALONE)
        if kind == "reduce":
            numbers.append(source.choice(REDUCTIONS)(row, -1, keepdims=True))
        elif kind == "spread":
            rows.append(pair(row, number))
        elif kind == "divide":
            rows.append(row / (1 + ops.abs(number)))
        elif kind == "pair":
            rows.append(pair(row, source.choice(rows)))
        elif kind == "vector":
            rows.append(pair(row, vector))
        elif kind == "number":
            numbers.append(pair(number, alone(numbers[0])))
        else:
            rows.append(alone(row))

    kinds = ("reduce", "spread", "divide", "pair", "vector", "number", "alone")
    for kind in ("reduce", "spread", *source.choices(kinds, k=source.randint(3, 9))):
        step(kind)
    if source.random() < 0.2:
        return numbers[-1]
    return ops.reshape(rows[-1], (-1,)) if source.random() < 0.2 else rows[-1]


@pytest.mark.parametrize("length", [5, 53, lxc.Dim("L", 1, 99)], ids=str)
@pytest.mark.parametrize("level", compiled())
def test_random_work_on_rows(level: Compiled, length: Any, tmp_path: Path) -> None:
    size = length if isinstance(length, int) else 61
    for seed in range(2):
        graph = graph_of(
            lambda *xs, seed=seed: [
                random_rows(Random(GRAPHS * seed + number), *xs) for number in range(GRAPHS)
            ],
            *(lxc.TensorSpec(shape) for shape in ((3, length), (length,), (3, 1))),
        )
        call = [drawn(3, size), drawn(size, seed=1), drawn(3, 1, seed=2)]
        check(graph, level, tmp_path, [call])
