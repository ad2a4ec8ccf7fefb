"""NVIDIA's compiler takes what the C++ compiler of the emulation takes."""

from collections.abc import Sequence

import numpy as np
import pytest

from lxc.ir import functions as ops
from lxc.ir.builder import Builder
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.tensor import Tensor
from lxc.ir.types import type_of_array
from lxc.targets import TARGETS
from lxc.targets.compile import emit
from lxc.targets.cuda.architectures import SM_80, SM_90, Architecture
from lxc.targets.cuda.toolchain import find_device_compiler
from tests.ir import structural_cases as table
from tests.ir.elementwise_cases import elementwise_cases
from tests.ir.function_cases import Case, Table
from tests.ops.graphs import graph_from

SUBJECTS = (
    table.gather_cases,
    table.creation_cases,
    table.cumulative_cases,
)
FUNCTIONS = ("cos", "sign")


def sample() -> list[Case]:
    """Return a call of every function of some subjects, and some of half types."""
    listed = Table()
    for subject in SUBJECTS:
        subject(listed)
    calls = {name: (name, arrays, call) for name, arrays, call in listed.cases}
    for case in elementwise_cases():
        if case.name in FUNCTIONS and case.arrays[0].dtype.name in ("float16", "bfloat16"):
            calls[case.label] = (case.label, case.arrays, case.call)
    return list(calls.values())


def graph_of(cases: Sequence[Case]) -> Graph:
    """Return a graph whose outputs are the results of all calls."""
    arrays = [np.asarray(array) for _, own, _ in cases for array in own]

    def write(builder: Builder, *inputs: Value) -> Sequence[Value]:
        left, outputs = iter(inputs), list[Value]()
        for _, own, call in cases:
            result = call(ops, *(Tensor(next(left), builder) for _ in own))
            several = result if isinstance(result, list | tuple) else [result]
            outputs += [one.value for one in several]
        return outputs

    return graph_from("sample", tuple(map(type_of_array, arrays)), write)


@pytest.fixture(scope="module")
def source() -> str:
    return emit(graph_of(sample()), TARGETS["cuda"], "cuda").decode("ascii")


@pytest.mark.parametrize("architecture", [SM_80, SM_90], ids=lambda one: one.name)
def test_every_kind_of_kernel_compiles(source: str, architecture: Architecture) -> None:
    image, said = find_device_compiler().compile(source, architecture)
    assert image.startswith(b"\x7fELF")
    assert "error" not in said
