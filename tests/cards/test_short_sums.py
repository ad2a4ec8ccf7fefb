"""Products too short for tiles keep the precision that was asked for."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.tree import map_leaves
from tests.emulation.machines import cards

SHORT: dict[str, tuple[Any, tuple[int, ...]]] = {
    "3 terms": (nn.Dense(3, 16), (5, 3)),
    "7 terms": (nn.Dense(7, 8), (9, 7)),
    "4 taps": (nn.Conv((2, 2), 1, 16, pad=1), (2, 1, 5, 5)),
    "narrow groups": (nn.Conv((1, 1), 16, 8, groups=2), (2, 16, 3, 3)),
}


def rounded(leaf: Any) -> Any:
    """Return an array with the numbers of bfloat16."""
    return np.asarray(leaf).astype(ml_dtypes.bfloat16).astype(np.float32)


@pytest.mark.parametrize("name", list(SHORT))
def test_factors_are_rounded_to_bfloat16_and_summed_up_in_float32(name: str) -> None:
    model, shape = SHORT[name]
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    params, state = lxc.setup(0, model)
    with cards():
        net = lxc.compile(model, x, params, state, target="cuda", precision="bf16")
    y, _ = net(x, params, state)
    expected, _ = model(rounded(x), map_leaves(rounded, params), state)
    exact, _ = model(x, params, state)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-6 * np.abs(exact).max())
    assert np.abs(y - exact).max() > 1e-4 * np.abs(exact).max()
