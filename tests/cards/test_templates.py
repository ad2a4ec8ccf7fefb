"""Programs for cards agree with the references, kernel by kernel and without a fault."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import lxc
from lxc import ops
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.types import Array
from lxc.targets import TARGETS
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates import table
from lxc.targets.cuda.templates.table import Template
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.variants import Variants
from tests.cards.emulator.block import Block
from tests.cards.emulator.faults import Fault
from tests.cards.emulator.programs import emulate, kernel_of, kernels_of, planned
from tests.targets.test_rows import drawn, graph_of

MACHINE = TARGETS["cuda"].machine
BF16, F16 = ml_dtypes.bfloat16, np.float16
ROUNDING = {"float32": 3e-6, "float16": 2e-3, "bfloat16": 1.6e-2, "int64": 0.0}
"""How far results may be from the exact ones, relative to the largest."""


@dataclass(frozen=True)
class Case:
    """A function of some arrays, and how a kernel of it must compute."""

    algorithm: str
    function: Callable[..., Any]
    arrays: tuple[Array, ...]


def product(x: Any, y: Any) -> Any:
    """Return a product with something behind it in the same kernel."""
    return ops.maximum(ops.matmul(x, y), 0.25)


def softmax(x: Any) -> Any:
    """Return the shares of the elements of each row."""
    return ops.softmax(x, -1)


def attention(x: Any, y: Any, z: Any) -> Any:
    """Return rows of `z` in the shares that products of `x` and `y` have."""
    scores = ops.matmul(x, ops.transpose(y, (0, 2, 1)))
    return ops.matmul(ops.softmax(scores * 0.5, -1), z)


def layer(x: Any, weight: Any, scale: Any) -> Any:
    """Return a product, rows of which have mean 0 and variance 1, and what is in front."""
    y = ops.matmul(x, weight)
    centred = y - ops.mean(y, -1, keepdims=True)
    variance = ops.mean(ops.square(centred), -1, keepdims=True)
    return ops.tanh(centred / ops.sqrt(variance + 1e-5) * scale) + x


def steps(carry: Any, xs: Any, weight: Any) -> Any:
    """Return what is left of a row after a product for each step."""

    def step(before: Any, x: Any) -> Any:
        return ops.tanh(ops.matmul(before, weight) + x), None

    return ops.scan(step, carry, xs)[0]


def convolution(x: Any, weight: Any) -> Any:
    """Return an image seen through a small window."""
    return ops.conv(x, weight, strides=(1, 1), padding=((1, 1), (0, 0)))


CASES = {
    "elements": Case("pointwise", lambda x, y: x * y + 1.0, (drawn(9, 31), drawn(9, 31))),
    "few rows": Case("rows by warps", softmax, (drawn(5, 70),)),
    "long rows": Case("rows by blocks", softmax, (drawn(2, 1100),)),
    "sums": Case("reduce by warps", lambda x: ops.sum(x, -1), (drawn(5, 130),)),
    "sums across": Case("reduce by tiles", lambda x: ops.sum(x, 0), (drawn(20, 30),)),
    "places": Case("rows by warps", lambda x: ops.argmax(x, -1), (drawn(3, 90),)),
    "float32": Case(
        "dot_general by tiles of threads", product, (drawn(19, 20), drawn(20, 24))
    ),
    "bfloat16": Case(
        "dot_general by matrix units",
        product,
        (drawn(37, 40).astype(BF16), drawn(40, 24).astype(BF16)),
    ),
    "attention": Case(
        "attention by tiles", attention, (drawn(2, 5, 8), drawn(2, 9, 8), drawn(2, 9, 6))
    ),
    "layer": Case(
        "rows by warps", layer, (drawn(5, 40), drawn(40, 40, seed=1), drawn(40, seed=2))
    ),
    "steps": Case(
        "scan by rows",
        steps,
        (drawn(3, 16), drawn(3, 3, 16, seed=1), drawn(16, 16, seed=2)),
    ),
    "convolution": Case(
        "conv by tiles of threads", convolution, (drawn(1, 3, 6, 7), drawn(10, 3, 3, 3))
    ),
    "float16": Case(
        "dot_general by matrix units",
        product,
        (drawn(33, 20).astype(F16), drawn(20, 7).astype(F16)),
    ),
}


def test_every_template_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Template] = []

    def noted(template: Template) -> Template:
        def write(writer: GridWriter, work: NodeWork, variants: Variants) -> str | None:
            algorithm = template(writer, work, variants)
            used.extend([template] if algorithm else [])
            return algorithm

        return write

    templates = table.TEMPLATES
    monkeypatch.setattr(table, "TEMPLATES", tuple(map(noted, templates)))
    for case in CASES.values():
        graph = planned(traced(case), MACHINE).run
        for node in kernels_of(graph.nodes):
            kernel_of(node, graph.dims, MACHINE)
    assert set(used) == set(templates)


def traced(case: Case) -> Graph:
    """Return the graph of a case."""
    specs = [lxc.TensorSpec(one.shape, one.dtype) for one in case.arrays]
    return graph_of(case.function, *specs)


@pytest.mark.parametrize("name", CASES)
def test_kernels_for_cards_agree_with_the_references(name: str) -> None:
    case = CASES[name]
    graph = traced(case)
    outputs, algorithms = emulate(planned(graph, MACHINE), MACHINE, case.arrays)
    assert case.algorithm in algorithms
    expected, _ = evaluate(graph, case.arrays, wide=True)
    for found, exact in zip(outputs, expected, strict=True):
        bound = ROUNDING[str(found.dtype)] * np.max(np.abs(exact))
        np.testing.assert_allclose(found.astype("f8"), exact, rtol=0, atol=bound)


@pytest.mark.parametrize("name", ["long rows", "float32", "bfloat16", "attention"])
def test_kernels_whose_threads_do_not_wait_race(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Block, "meet", lambda block, name: None)
    case = CASES[name]
    with pytest.raises(Fault) as raised:
        emulate(planned(traced(case), MACHINE), MACHINE, case.arrays)
    assert raised.value.kind == "race"
