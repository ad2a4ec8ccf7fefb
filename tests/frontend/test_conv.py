"""What a convolution becomes in the graph."""

from typing import Any

from lxc import nn
from lxc.frontend import setup, trace_layer
from lxc.ir import TensorSpec
from tests.frontend.modes import ops_of


def test_a_fast_activation_is_used_only_where_allowed() -> None:
    def fast(layer: Any) -> bool:
        graph = trace_layer(layer, TensorSpec((1, 1, 4)), *setup(0, layer))
        return "fast = true" in str(graph)

    assert fast(nn.Conv(1, 1, 1, nn.tanh))
    assert not fast(nn.Conv(1, 1, 1, nn.tanh, allow_fast_activation=False))
    assert fast(nn.ConvTranspose(1, 1, 1, nn.sigmoid))


def test_the_kernel_is_reversed_once_and_not_the_input() -> None:
    layer = nn.Conv((3, 3), 1, 1, use_bias=False)
    graph = trace_layer(layer, TensorSpec((1, 1, 8, 8)), *setup(0, layer))
    assert list(ops_of(graph)) == ["reverse", "conv"]
