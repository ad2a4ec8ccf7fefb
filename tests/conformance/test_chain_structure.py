"""What the passes make of a chain, whose structure stays."""

from collections import Counter
from typing import Any

import numpy as np
import torch

import lxc
from lxc import nn
from lxc.ir.graph import Graph
from lxc.ir.node import walk
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.tree import flatten
from tests.conformance.columns import Column, close_sums, draw, same
from tests.conformance.rows import row


def parts() -> tuple[Any, ...]:
    """Return layers with no-ops and a chain, of which the compiler removes all."""
    inner = nn.Chain(np.tanh, nn.identity, nn.Dense(3, 2), disable_optimizations=True)
    return nn.Dense(2, 3), nn.NoOpLayer(), nn.Chain(inner, nn.BatchNorm(2))


def optimised(model: Any, ps: Any, st: Any) -> Graph:
    """Return the graph of a model after all passes for all targets."""
    graph = lxc.trace(model, lxc.TensorSpec((4, 2)), ps, st, mode="test")
    done = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(done, Graph)
    return done


def counted(graph: Graph) -> Counter[str]:
    return Counter(node.op.name for node in walk(graph.nodes))


@row("CHN-16")
def test_a_chain_as_given_compiles_to_the_same_under_its_own_keys(column: Column) -> None:
    models = [
        nn.Chain(parts()[0], parts()[1], parts()[2], disable_optimizations=True),
        nn.Chain(*parts()),
    ]
    trees = [lxc.setup(0, model) for model in models]
    # The inner chain as given is spliced into the one around it, its no-op included.
    assert [list(ps) for ps, _ in trees] == [
        ["layer_1", "layer_2", "layer_3"],
        ["layer_1", "layer_2", "layer_3", "layer_4", "layer_5"],
    ]
    graphs = [optimised(model, *tree) for model, tree in zip(models, trees, strict=True)]
    assert counted(graphs[0]) == counted(graphs[1])
    assert "noop" not in counted(graphs[0])
    names = [[value.name for value in graph.params] for graph in graphs]
    assert [name for name in names[0] if name.endswith("weight")] == [
        "@layer_1.weight",
        "@layer_3.layer_3.weight",
    ]
    assert [name for name in names[1] if name.endswith("weight")] == [
        "@layer_1.weight",
        "@layer_4.weight",
    ]
    x = draw(4, 2)
    results = [
        column(model, x, *tree, mode="test")
        for model, tree in zip(models, trees, strict=True)
    ]
    same(np.asarray(results[0][0]), np.asarray(results[1][0]))
    for (_, after), (_, before) in zip(results, trees, strict=True):
        assert list(after) == list(before)
    first, second = (torch.tensor(leaf) for leaf in flatten(trees[0][0])[0][0:4:2])
    expected = torch.tanh(torch.tensor(x) @ first.T) @ second.T / (1 + 1e-5) ** 0.5
    close_sums(results[0][0], expected.numpy())
