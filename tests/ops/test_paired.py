"""Sums of products of bfloat16 stay float32, on every target that has a way to do them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.agreement import relative_error
from lxc.ir.ops.contract import dot_general
from lxc.ir.types import Array, DType, TensorType
from tests.ops.cases import Case, results
from tests.ops.paired_cases import BF16, paired_cases
from tests.targets.backends import Backend, Card, everything, extended

BACK_ENDS = [*everything(), *extended()]
EVERY = pytest.mark.parametrize("target", BACK_ENDS)
# Passes for cards leave half types as they lie: no kernel for a card takes them in pairs.
IN_PAIRS = pytest.mark.parametrize(
    "target", [one for one in BACK_ENDS if not isinstance(one.values[0], Card)]
)
ERROR = 1e-6
"""Rounding of float32 in sums of a few hundred exact products."""


def drawn(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def unpacked() -> list[Case]:
    """Return products in plain order, of factors that are no weights."""
    axes = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (1,), "rhs_contract": (0,)}
    moves = {"strides": (1,), "padding": ((0, 0),), "lhs_dilation": (1,)}
    rest = {"rhs_dilation": (1,), "groups": 1, "weight_order": "oi", "result": DType.F32}
    return [
        Case(
            "dot",
            "dot_general",
            (drawn((7, 33), BF16), drawn((33, 5), BF16)),
            {**axes, "result": DType.F32},
        ),
        Case(
            "conv",
            "conv",
            (drawn((2, 3, 20), BF16), drawn((5, 3, 4), BF16)),
            {**moves, **rest},
        ),
    ]


@EVERY
def test_sums_of_half_types_are_those_of_float32(target: Backend, tmp_path: Path) -> None:
    check("halves", unpacked(), target, tmp_path)


@IN_PAIRS
def test_sums_of_pairs_are_those_of_float32(target: Backend, tmp_path: Path) -> None:
    check("pairs", paired_cases(drawn), target, tmp_path)


def check(name: str, cases: Sequence[Case], target: Backend, folder: Path) -> None:
    """Fail unless all results are float32, and near to the exact ones."""
    for case, (_, actual, exact) in results(name, cases, target, folder).items():
        assert actual[0].dtype.itemsize >= 4
        assert relative_error(actual[0], exact[0]) <= ERROR, case


@IN_PAIRS
def test_what_is_no_number_reaches_its_own_results_alone(
    target: Backend, tmp_path: Path
) -> None:
    cases = []
    for terms in (37, 64):
        for column in (0, 1, terms - 2, terms - 1):
            for number in (np.nan, np.inf, -np.inf):
                x = drawn((18, terms), BF16)
                x[1, column] = number
                weight = drawn((2, (terms + 1) // 2, 16, 2), BF16)
                if terms % 2:
                    weight[:, -1, :, 1] = 0
                axes = {"lhs_batch": (), "lhs_contract": (1,), "columns": 20}
                name = f"{terms} {column} {number}"
                cases.append(Case(name, "paired_dot", (x, weight), axes))
    for name, (_, actual, exact) in results("odd", cases, target, tmp_path).items():
        assert relative_error(actual[0], exact[0]) <= ERROR, name
        assert np.isfinite(actual[0][[0, *range(2, 18)]]).all(), name
        assert not np.isfinite(actual[0][1]).any(), name


def test_only_half_types_have_results_in_float32() -> None:
    axes = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (1,), "rhs_contract": (0,)}
    for dtype, wanted in ((DType.F32, DType.F64), (DType.BF16, DType.F16)):
        kind = TensorType(dtype, (2, 2))
        with pytest.raises(LxcError, match=f"products of {dtype} have no results"):
            dot_general.infer((kind, kind), {**axes, "result": wanted})
