"""A sum is fused with the same product, whatever the batch and whatever is beside it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn, ops
from tests.targets.backends import Compiled, compiled

MOST = 9

MODELS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "one cell of a state": (lambda: nn.Recurrence(nn.LSTMCell(8, 1)), (2, 8)),
    "a vector and one cell": (lambda: nn.Recurrence(nn.LSTMCell(5, 17)), (3, 5)),
    "squares of a few": (
        lambda: nn.WrappedFunction(lambda x: ops.std(x, axis=1)),
        (3, 7, 9),
    ),
    # A tile of one row is written without a loop, a taller one with it.
    "squares of two dozen": (
        lambda: nn.WrappedFunction(lambda x: ops.sum(x * x, axis=1)),
        (24, 4),
    ),
}
"""Layers whose sums have two products each, and the shape of a sample."""


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("target", compiled())
def test_products_and_sums_have_the_same_bits_in_every_batch(
    target: Compiled, name: str
) -> None:
    make, shape = MODELS[name]
    model = make()
    ps, st = lxc.setup(1, model)
    x = np.random.default_rng(1).standard_normal((MOST, *shape)).astype(np.float32)

    def compiled_for(size: Any) -> Any:
        spec = lxc.TensorSpec((size, *shape))
        return lxc.compile(model, spec, ps, st, target=target.name, mode="test")

    any_batch, alone = compiled_for(lxc.Dim("N", 1, MOST)), compiled_for(1)
    whole, _ = any_batch(x, ps, lxc.testmode(st))
    for made, count in ((any_batch, 4), (any_batch, 1), (alone, 1)):
        part, _ = made(x[:count], ps, lxc.testmode(st))
        np.testing.assert_array_equal(part, whole[:count])
