"""How many operations a node counts as."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from lxc import nn
from lxc.frontend import setup, trace_layer
from lxc.ir import OPS, Dim, DType, Graph, TensorSpec, TensorType, make_node
from lxc.ir import functions as ops
from lxc.ir.dim import evaluate_size
from lxc.ir.flops import COUNTS, flops_of, total_flops
from lxc.ir.node import Node, Value, walk
from lxc.tracing import trace

PLAIN: dict[str, Any] = {"padding": ((0, 0),), "lhs_dilation": (1,)}


def graph_of(function: Any, *shapes: tuple[Any, ...]) -> Graph:
    """Trace a function of arrays."""
    return trace(lambda xs: function(*xs), tuple(map(TensorSpec, shapes)), {}, {})


def count(function: Any, *shapes: tuple[Any, ...]) -> object:
    return total_flops(graph_of(function, *shapes).nodes)


def counted_by_torch(module: torch.nn.Module, *shape: int) -> int:
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(shape))
    return int(counter.get_total_flops())


@pytest.mark.parametrize(
    ("layer", "module", "shape"),
    [
        (
            nn.Dense(7, 5, use_bias=False),
            torch.nn.Linear(7, 5, bias=False),
            (3, 2, 7),
        ),
        (
            nn.CrossCor((3, 2), 4, 6, stride=(2, 1), pad=1, groups=2, use_bias=False),
            torch.nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=1, groups=2, bias=False),
            (2, 4, 9, 8),
        ),
        (
            nn.CrossCor((5,), 2, 3, dilation=2, use_bias=False),
            torch.nn.Conv1d(2, 3, 5, dilation=2, bias=False),
            (2, 2, 20),
        ),
        (
            nn.ConvTranspose((3, 3), 4, 6, stride=2, groups=2, use_bias=False),
            torch.nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, bias=False),
            (2, 4, 5, 5),
        ),
    ],
    ids=["dense", "grouped convolution", "dilated convolution", "transposed convolution"],
)
def test_products_count_as_torch_counts_them(
    layer: nn.Layer, module: torch.nn.Module, shape: tuple[int, ...]
) -> None:
    graph = trace_layer(layer, TensorSpec(shape), *setup(0, layer))
    assert total_flops(graph.nodes) == counted_by_torch(module, *shape)


def test_elementwise_ops_count_the_elements_of_their_results() -> None:
    assert count(lambda x: ops.exp(x) * x, (3, 4)) == 24


def test_a_reduction_counts_what_it_combines() -> None:
    assert count(lambda x: ops.sum(x, 1), (3, 4)) == 12
    assert count(ops.max, (3, 4)) == 12


def test_windows_count_every_element_of_every_window() -> None:
    pooled = nn.MaxPool((2, 3), stride=(1, 1))
    graph = trace_layer(pooled, TensorSpec((2, 3, 5, 6)), {}, {})
    assert total_flops(graph.nodes) == 2 * 3 * (4 * 4) * 6


def test_blocks_count_like_the_channels_that_they_hold() -> None:
    def product(op: str, x: tuple[int, ...], weight: tuple[int, ...], **given: Any) -> Node:
        types = (TensorType(DType.F32, shape) for shape in (x, weight))
        return make_node(OPS[op], tuple(map(Value, types)), given)

    moves: dict[str, Any] = {"strides": (2,), "rhs_dilation": (1,)}
    conv = product("conv", (3, 16, 9), (24, 8, 3), **moves, **PLAIN, groups=2)
    blocks: dict[str, Any] = {"groups": 2, "plain": False}
    blocked = product("blocked_conv", (3, 4, 9, 4), (6, 2, 3, 4, 4), **moves, **blocks)
    assert flops_of(blocked) == flops_of(conv) == 3 * 24 * 4 * (8 * 3) * 2
    plain: dict[str, Any] = {"groups": 1, "plain": True}
    stem = product("blocked_conv", (3, 5, 9), (6, 5, 3, 4), **moves, **plain)
    assert flops_of(stem) == 3 * 24 * 4 * (5 * 3) * 2
    own = product("depthwise_conv", (3, 4, 9, 4), (4, 3, 4), **moves)
    assert flops_of(own) == 3 * 16 * 4 * 3 * 2
    axes: dict[str, Any] = {"lhs_batch": (), "lhs_contract": (1,), "columns": 7}
    assert flops_of(product("packed_dot", (3, 5), (2, 5, 4), **axes)) == 3 * 7 * 5 * 2


def test_views_and_constants_count_nothing() -> None:
    assert count(lambda x: ops.flip(ops.reshape(x, (4, 3))[1:], (0,)), (3, 4)) == 0
    assert count(lambda x: ops.concatenate([x, x]), (3, 4)) == 0


def test_symbolic_sizes_give_expressions() -> None:
    rows = Dim("N", 1, 8)
    dense = nn.Dense(7, 5)
    ps, st = setup(0, dense)
    symbolic = total_flops(trace_layer(dense, TensorSpec((rows, 7)), ps, st).nodes)
    for number in (1, 3, 8):
        graph = trace_layer(dense, TensorSpec((number, 7)), ps, st)
        assert evaluate_size(symbolic, {"N": number}) == total_flops(graph.nodes)


def test_a_layer_counts_what_is_inside_of_it() -> None:
    model = nn.Chain(nn.Dense(7, 5, nn.relu), nn.SkipConnection(nn.Dense(5, 5), np.add))
    graph = trace_layer(model, TensorSpec((3, 7)), *setup(0, model))
    plain = [node for node in walk(graph.nodes) if not node.bodies]
    inner = [node for node in walk(graph.nodes) if node.op.name == "layer"]
    assert total_flops(graph.nodes) == total_flops(plain)
    assert total_flops(graph.nodes) == 3 * (5 * 15 + 5 + 5 * 11 + 5)
    assert flops_of(inner[0]) == 3 * (5 * 15 + 5)


def test_a_loop_counts_all_of_its_steps() -> None:
    cell = nn.RNNCell(4, 5)
    counts = []
    for steps in (2, 6):
        model = nn.Recurrence(cell)
        graph = trace_layer(model, TensorSpec((3, steps, 4)), *setup(0, model))
        scans = [node for node in walk(graph.nodes) if node.op.name == "scan"]
        counts.append(sum(int(str(flops_of(node))) for node in scans))
    assert counts[0] > 0
    assert counts[1] % counts[0] == 0


def test_what_is_counted_apart_is_an_op() -> None:
    assert {op.name for op in COUNTS} <= set(OPS)
