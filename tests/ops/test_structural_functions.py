"""Compiled structural functions give what they give on arrays."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.ir import functions as ops
from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, expression
from lxc.ir.node import Value
from lxc.ir.tensor import Tensor
from lxc.ir.types import Array, type_of_array
from tests.ir import product_cases
from tests.ir import structural_cases as table
from tests.ir.function_cases import Case, Table
from tests.ir.test_structural_edges import SYMBOLIC, X
from tests.ops.graphs import graph_from
from tests.targets.backends import Library, libraries

SUBJECTS = {
    "gather": table.gather_cases,
    "axes": table.axis_cases,
    "joining": table.joining_cases,
    "repeating": table.repeating_cases,
    "creation": table.creation_cases,
    "searching": table.search_cases,
    "reducing": table.reduction_cases,
    "cumulating": table.cumulative_cases,
    "products": product_cases.product_cases,
}
SERVED = SYMBOLIC[1:]
"""Calls that have a result for one row, where the first one has no entry to take."""
TARGETS = pytest.mark.parametrize("target", libraries())


def as_list(results: Any) -> list[Any]:
    return list(results) if isinstance(results, list | tuple) else [results]


def chosen(cases: Sequence[Case]) -> list[Case]:
    """Return the first, the middle and the last call of every function."""
    names = dict.fromkeys(name for name, _, _ in cases)
    kept: list[Case] = []
    for name in names:
        own = [case for case in cases if case[0] == name]
        kept += [own[place] for place in sorted({0, len(own) // 2, len(own) - 1})]
    return kept


def run(cases: Sequence[Case], name: str, target: Library, folder: Path) -> list[Array]:
    """Return the results of all cases, compiled into one artifact."""
    arrays = [np.asarray(array) for _, arrays, _ in cases for array in arrays]

    def write(builder: Builder, *inputs: Value) -> Sequence[Value]:
        left, outputs = iter(inputs), list[Value]()
        for _, own, call in cases:
            tensors = [Tensor(next(left), builder) for _ in own]
            outputs += [result.value for result in as_list(call(ops, *tensors))]
        return outputs

    graph = graph_from(name, tuple(map(type_of_array, arrays)), write)
    return list(target.load(graph, folder).run(arrays)[0])


def check(name: str, found: Array, wanted: Array) -> None:
    """Fail unless results are equal, but for the order of sums of floats."""
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), name
    if wanted.dtype.kind in "iub":
        np.testing.assert_array_equal(found, wanted, name)
        return
    tolerance = {2: 2e-3, 4: 5e-6, 8: 1e-13}[wanted.dtype.itemsize]
    wide, exact = found.astype(np.float64), wanted.astype(np.float64)
    np.testing.assert_allclose(wide, exact, tolerance, tolerance, err_msg=name)


@pytest.mark.parametrize("subject", SUBJECTS)
@TARGETS
def test_compiled_functions_give_what_they_give_on_arrays(
    subject: str, target: Library, tmp_path: Path
) -> None:
    listed = Table()
    SUBJECTS[subject](listed)
    cases = chosen(listed.cases)
    found = iter(run(cases, subject, target, tmp_path))
    for name, arrays, call in cases:
        for wanted in as_list(call(ops, *arrays)):
            check(name, next(found), np.asarray(wanted))


@TARGETS
def test_compiled_einsums_give_what_they_give_on_arrays(
    target: Library, tmp_path: Path
) -> None:
    listed = Table()
    product_cases.einsum_cases(listed)
    found = iter(run(listed.cases, "einsum", target, tmp_path))
    for name, arrays, call in listed.cases:
        check(name, next(found), np.asarray(call(ops, *arrays)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@TARGETS
def test_one_artifact_serves_every_size(target: Library, tmp_path: Path) -> None:
    kind = type_of_array(X).with_shape((expression(Dim("N", 1, 40)), *X.shape[1:]))

    def write(builder: Builder, value: Value) -> Sequence[Value]:
        tensor = Tensor(value, builder)
        return [call(ops, tensor).value for call in SERVED]

    graph = graph_from("sizes", (kind,), write, (Dim("N", 1, 40),))
    runner = target.load(graph, tmp_path)
    for rows in (1, 3, 40):
        x = np.random.default_rng(rows).normal(size=(rows, *X.shape[1:]))
        x = x.astype(np.float32)
        for call, found in zip(SERVED, runner.run([x])[0], strict=True):
            with np.errstate(all="ignore"):
                check("sizes", found, np.asarray(call(np, x)))
