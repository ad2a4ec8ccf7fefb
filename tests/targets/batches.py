"""One check of kernels: right for the largest batch, and the same bits in smaller ones."""

from collections.abc import Sequence

import numpy as np

from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.types import Array
from tests.targets.backends import Runner


def check_batches(
    graph: Graph,
    runner: Runner,
    inputs: Sequence[Array],
    params: Sequence[Array],
    counts: Sequence[int],
) -> None:
    """Fail unless results agree with the reference, and no bit depends on the company.

    `inputs` are of the largest of all `counts`; three threads must give the same, too.
    """
    whole, _ = runner.run(inputs, params)
    narrow, _ = evaluate(graph, inputs, params)
    wide, _ = evaluate(graph, inputs, params, wide=True)
    for found, own, exact in zip(whole, narrow, wide, strict=True):
        close = agreement(found, own, exact, longest_sum(graph))
        assert close.holds, close
    shared, _ = runner.run(inputs, params, threads=3)
    for count in counts:
        part, _ = runner.run([x[:count] for x in inputs], params)
        for found, same, few in zip(whole, shared, part, strict=True):
            np.testing.assert_array_equal(found, same)
            np.testing.assert_array_equal(found[:count], few)
