"""Compiling with `exact` leaves out what is faster and less exact."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.evaluate import evaluate
from lxc.tree import flatten

LEVEL = "x86-64-v2"
SHAPE = (2, 8, 13, 18)


def model() -> Any:
    return nn.Chain(
        nn.Conv((3, 3), 8, 12, nn.relu, pad=1),
        nn.SkipConnection(nn.Conv((3, 3), 12, 12, pad=(1, 1)), lambda x, y: x + y),
        nn.Conv((3, 3), 12, 8),
    )


@pytest.mark.parametrize("exact", [False, True])
def test_exact_models_have_no_kernel_by_tiles_and_all_agree(exact: bool) -> None:
    net = model()
    ps, st = lxc.setup(5, net)
    x = np.random.default_rng(6).standard_normal(SHAPE).astype(np.float32)
    graph = lxc.trace(net, x, ps, st)
    compiled = lxc.compile(net, x, ps, st, target=LEVEL, exact=exact)
    kernels = compiled.target.kernels
    tiled = [one for one in kernels if one["algorithm"].startswith("winograd")]
    assert len(tiled) == (0 if exact else 3)
    assert len([one for one in kernels if "conv" in one["ops"]]) == 3
    y, _ = compiled(x, ps, st)
    leaves = flatten(ps)[0], flatten(st)[0]
    (narrow,), _ = evaluate(graph, [x], *leaves)
    (wide,), _ = evaluate(graph, [x], *leaves, wide=True)
    close = agreement(np.asarray(y), narrow, wide, longest_sum(graph))
    assert close.holds, close
