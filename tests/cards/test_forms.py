"""Every form that a card computes large models in, each in a whole call.

`tests/targets/test_card.py` runs all of them on a card. Where there is none, only those
whose emulation is cheap run by default: the others have tests of their own with sizes that
are made for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.types import DType
from lxc.passes.choices import Choices
from lxc.passes.precision import plan_of
from lxc.runtime.artifact import read
from lxc.runtime.load import load
from lxc.targets import TARGETS, Target
from lxc.targets.compile import build_artifact
from tests.cards.test_attention_by_matrices import halves, heads_of
from tests.emulation import machines
from tests.targets.test_recurrent import parameters, tensor_graph
from tests.targets.test_rows import drawn

BOUNDS = {"tf32": 1e-2, "bf16": 3e-2}
"""The largest error of a result that is rounded, relative to the largest one."""

Case = tuple[Graph, Any, tuple[Any, Any]]
"""A graph, what its model is called with, and its parameters and state."""


@dataclass(frozen=True)
class Form:
    """A case that is computed in a form, by the name of its algorithm."""

    algorithm: str
    make: Callable[[], Case]
    precision: str = "float32"


def layer_form(
    algorithm: str, model: Any, *shape: int, precision: str = "float32", most: int = 0
) -> Form:
    """Return a form for a layer; a call may have up to `most` rows, if it is given."""

    def make() -> Case:
        trees = (
            parameters(model) if isinstance(model, nn.Recurrence) else lxc.setup(3, model)
        )
        rows = lxc.Dim("N", 1, most) if most else shape[0]
        graph = tensor_graph(model, lxc.TensorSpec((rows, *shape[1:])), *trees)
        return graph, drawn(*shape), trees

    return Form(algorithm, make, precision)


def attention() -> Case:
    """Return attention of bfloat16 with keys of several tiles."""
    graph = heads_of(DType.BF16, 4, 2, 64, 64, causal=True, offset=0)
    return graph, halves(DType.BF16, 2, 4, 2, 150, 150, 64, 64), ([], [])


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree, in order."""
    if isinstance(tree, dict | list):
        children = tree.values() if isinstance(tree, dict) else tree
        return [leaf for child in children for leaf in leaves(child)]
    return [tree]


FORMS = {
    "parts": layer_form("in parts", nn.Dense(1100, 40), 9, 1100),
    "blocks": layer_form(
        "scan by 5 blocks", nn.Recurrence(nn.RNNCell(8, 260)), 5, 7, 8, most=64
    ),
    "lstm": layer_form("scan by 32 blocks", nn.Recurrence(nn.LSTMCell(40, 512)), 3, 20, 40),
    "rows": layer_form("scan by 4 rows", nn.Recurrence(nn.GRUCell(24, 96)), 400, 9, 24),
    "channels": layer_form(
        "conv by tiles",
        nn.Chain(nn.Conv((3, 3), 8, 24), nn.Conv((3, 3), 24, 70)),
        3,
        8,
        15,
        17,
    ),
    "units": layer_form("by tiles of threads", nn.Dense(300, 2000), 150, 300, most=1024),
    "few": layer_form("by tiles of threads", nn.Dense(300, 2000), 7, 300),
    "tf32": layer_form(
        "by matrix units", nn.Dense(72, 2000), 150, 72, precision="tf32", most=1024
    ),
    "bf16": layer_form(
        "by matrix units", nn.Dense(136, 2000), 150, 136, precision="bf16", most=1024
    ),
    "long": layer_form("in parts", nn.Dense(4000, 70), 100, 4000, precision="bf16"),
    "attention": Form("attention by matrix units", attention, "bf16"),
}
CHEAP = ("parts",)


def card() -> Target:
    """Return the target that is tested, or that for all cards."""
    for one in machines.tested():
        if machines.is_for_cards(one):
            return TARGETS[one.name]
    return TARGETS["cuda"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in CHEAP else [pytest.mark.slow])
        for name in FORMS
    ],
)
def test_a_card_computes_every_form(name: str) -> None:
    form = FORMS[name]
    graph, given, trees = form.make()
    # Attention has no weights that a precision would be for.
    plan = plan_of("float32" if name == "attention" else form.precision)
    with machines.cards():
        options: dict[str, Any] = {"name": "form", "choices": Choices(precision=plan)}
        packed = build_artifact(graph, [card()], **options)
        (record,) = read(packed).manifest.targets
        algorithms = [str(one["algorithm"]) for one in record.kernels]
        assert any(form.algorithm in one for one in algorithms), algorithms
        model = load(packed)
        first, second = (leaves(model(given, *trees)[0]) for _ in range(2))
    arrays = leaves(given), *map(leaves, trees)
    narrow, _ = evaluate(graph, *arrays)
    exact, _ = evaluate(graph, *arrays, wide=True)
    for y, again, near, want in zip(first, second, narrow, exact, strict=True):
        close = agreement(np.asarray(y), near, want, longest_sum(graph))
        assert close.error <= BOUNDS.get(form.precision, close.bound)
        np.testing.assert_array_equal(y, again)
