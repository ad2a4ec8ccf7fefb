"""Copies and pickles of layers."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from lxc import kaun, nn
from lxc.frontend import setup, trace_layer
from lxc.frontend.kaun import trace_kaun
from lxc.ir import TensorSpec
from lxc.ir import functions as ops
from tests.frontend.modes import same

MODELS: dict[str, Any] = {
    "chain": lambda: nn.Chain(
        nn.Dense(4, 3, nn.relu), nn.BatchNorm(3), nn.Dropout(0.5, dims=1)
    ),
    "kept chain": lambda: nn.Chain(nn.Dense(4, 3), disable_optimizations=True),
    "named chain": lambda: nn.Chain(a=nn.Dense(4, 3), b=np.tanh),
    "conv": lambda: nn.Conv((2, 2), 1, 2, nn.tanh, stride=2, pad=(0, 1, 1, 0)),
    "branch": lambda: nn.BranchLayer(nn.Dense(4, 2), np.tanh),
    "skip": lambda: nn.SkipConnection(nn.Dense(4, 4), ops.add),
    "norms": lambda: nn.Chain(
        nn.LayerNorm(4, nn.tanh, dims=-1, affine=True),
        nn.WeightNorm(nn.Scale(4, init_bias=nn.ones32), ("weight", "bias"), (0, None)),
        nn.GroupNorm(4, 2),
    ),
    "dropouts": lambda: nn.Maxout(nn.AlphaDropout(0.5), nn.AlphaDropout(1)),
    "bilinear": lambda: nn.Maxout(lambda: nn.Bilinear(4, 3), 2),
    "kaun": lambda: kaun.sequential(
        [kaun.linear(4, 2), kaun.compose(kaun.relu(), kaun.tanh())]
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_are_the_same_layer(name: str, again: Any) -> None:
    model = MODELS[name]()
    other = again(model)
    assert type(other) is type(model)
    if isinstance(model, kaun.Layer):
        vars = kaun.init(model)
        texts = [str(trace_kaun(one, TensorSpec((2, 4)), vars)) for one in (model, other)]
    else:
        ps, st = setup(0, model)
        same(setup(0, other), (ps, st))
        x = TensorSpec((2, 1, 4, 4) if name == "conv" else (2, 4))
        texts = [str(trace_layer(one, x, ps, st)) for one in (model, other)]
    assert texts[0] == texts[1]
