"""Set-up, modes and edits of the state."""

from typing import Any

import numpy as np
import pytest

from lxc import kaun, nn
from lxc.errors import LxcError
from lxc.frontend import setup
from lxc.frontend.setup import with_mode
from lxc.tracing import trace
from lxc.tree import flatten
from tests.frontend.modes import draw


def model() -> Any:
    body = nn.Parallel(None, nn.Chain(nn.Dense(4, 3), nn.BatchNorm(3)), nn.Dropout(0.5))
    return nn.Chain(nn.Dense(4, 4), nn.BranchLayer(body, nn.BatchNorm(4)))


def test_trees_are_read_only() -> None:
    for tree in setup(0, model()):
        for leaf in flatten(tree)[0]:
            with pytest.raises(ValueError, match="read-only"):
                leaf[...] = 0


def test_functions_are_models_like_layers() -> None:
    assert setup(0, np.tanh) == ({}, {})
    assert setup(0, lambda x, ps, st: (x, st)) == ({}, {})
    graph = trace(np.tanh, draw(2, 2), *setup(0, np.tanh))
    assert "tanh" in str(graph)


@pytest.mark.parametrize("seed", ["a", -1, 1.5])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    for make in (lambda: setup(seed, model()), lambda: kaun.init(kaun.relu(), rng=seed)):
        with pytest.raises(LxcError, match="come from a seed") as error:
            make()
        assert error.value.code == "LXC-E0001"
        assert error.value.actual == repr(seed)


def test_with_mode_knows_two_modes() -> None:
    st = {"training": True}
    assert with_mode(st, "test") == {"training": False}
    assert with_mode(st, "train") == {"training": True}
    assert with_mode(st, None) is st
    with pytest.raises(LxcError, match="no mode 'eval'"):
        with_mode(st, "eval")
