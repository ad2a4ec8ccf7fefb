"""Compiled elementwise functions give what they give on arrays, edge values included.

Their ops are tried on every back end; of those for processors, here it is two.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.ir import functions as ops
from lxc.ir.builder import Builder
from lxc.ir.node import Value
from lxc.ir.tensor import Tensor
from lxc.ir.types import Array, type_of_array
from tests.ir.elementwise_cases import Case, elementwise_cases
from tests.ops.cases import spacing
from tests.ops.graphs import graph_from
from tests.targets.backends import Library, few

TYPES = ("float32", "float64", "float16", "bfloat16", "int32", "int64", "uint8", "bool")
EVERY = elementwise_cases()
CASES = {
    kind: [
        case
        for case in EVERY
        if case.arrays[0].dtype.name == kind
        and getattr(ops, case.name).__name__ == case.name
    ]
    for kind in TYPES
}
"""The cases of each type, without other names of the same functions."""


def as_list(results: Any) -> list[Any]:
    return list(results) if isinstance(results, tuple) else [results]


def results_of(case: Case, builder: Builder, values: Sequence[Value]) -> list[Value]:
    """Return the values of a case's results, traced."""
    tensors = [Tensor(value, builder) for value in values]
    return [result.value for result in as_list(case.call(ops, *tensors))]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("target", few())
def test_compiled_functions_give_what_they_give_on_arrays(
    kind: str, target: Library, tmp_path: Path
) -> None:
    cases = CASES[kind]
    arrays = [array for case in cases for array in case.arrays]

    def write(builder: Builder, *inputs: Value) -> Sequence[Value]:
        left, outputs = iter(inputs), list[Value]()
        for case in cases:
            outputs += results_of(case, builder, [next(left) for _ in case.arrays])
        return outputs

    graph = graph_from(f"functions_{kind}", tuple(map(type_of_array, arrays)), write)
    found = iter(target.load(graph, tmp_path).run(arrays)[0])
    for case in cases:
        for wanted in as_list(case.call(ops, *case.arrays)):
            check(case, next(found), np.asarray(wanted))


def check(case: Case, found: Array, wanted: Array) -> None:
    """Fail unless results are equal, but for the last places of functions that round.

    A step before the last one may round the other way, so what is near to NumPy's result
    is only near to another back end's as well.
    """
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), case.label
    if wanted.dtype.kind in "iub":
        np.testing.assert_array_equal(found, wanted, case.label)
        return
    wide, exact = found.astype(np.float64), wanted.astype(np.float64)
    zeros = (exact == 0) & (wide == 0) & case.signed
    np.testing.assert_array_equal(
        np.signbit(wide[zeros]), np.signbit(exact[zeros]), case.label
    )
    finite = np.isfinite(exact)
    np.testing.assert_array_equal(wide[~finite], exact[~finite], case.label)
    one = float(spacing(np.array(1.0), wanted.dtype))
    allowed = 2 * case.near * spacing(exact[finite], wanted.dtype) + case.floor * one
    apart = np.abs(wide[finite] - exact[finite])
    assert np.all(apart <= allowed), f"{case.label}: {np.max(apart - allowed)}"
