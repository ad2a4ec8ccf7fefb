"""Code for 64-bit Arm, in an emulator, agrees with float64 and gives the same bits again.

`python -m pytest tests/ops tests/targets tests/conformance --target aarch64-linux` runs the
other tests of compiled code there.
"""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.ir.evaluate import evaluate
from lxc.targets import TARGETS
from lxc.tree import flatten
from tests.emulation.machines import lacking

TARGET = "aarch64-linux"
LACKS = lacking(TARGETS[TARGET])
pytestmark = pytest.mark.xfail(
    bool(LACKS), reason=f"this machine lacks {', '.join(LACKS)}", strict=True
)
IMAGES = nn.Chain(
    nn.Conv((3, 3), 3, 24, nn.relu, pad=1, stride=2),
    nn.SkipConnection(nn.Conv((3, 3), 24, 24, nn.swish, pad=1), np.add),
    nn.Conv((3, 3), 24, 24, pad=1, groups=24),
    nn.BatchNorm(24, nn.relu),
    nn.MaxPool((2, 2)),
    nn.FlattenLayer(),
    nn.Dense(24 * 5 * 5, 13, nn.gelu),
    nn.WrappedFunction(lxc.ops.softmax),
)
SEQUENCES = nn.Recurrence(nn.LSTMCell(10, 18), return_sequence=True)


def images(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).standard_normal((count, 3, 20, 20), np.float32)


def steps(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(2).standard_normal((3, count, 10), np.float32)


def exact(graph: Any, x: Any, ps: Any, st: Any) -> Any:
    leaves = (flatten(tree)[0] for tree in (x, ps, st))
    return evaluate(graph, *leaves, wide=True)[0][0]


def test_images_in_any_number_agree_with_float64_on_any_number_of_threads() -> None:
    ps, st = lxc.setup(0, IMAGES)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 4), 3, 20, 20), "f32")
    graph = lxc.trace(IMAGES, spec, ps, st, mode="test")
    model = lxc.compile(graph, target=TARGET)
    x, still = images(3), lxc.testmode(st)
    together, _ = model(x, ps, still)
    wanted = exact(graph, x, ps, st)
    assert np.abs(together - wanted).max() <= 2e-5 * np.abs(wanted).max()
    threaded, _ = model(x, ps, still, threads=3)
    np.testing.assert_array_equal(threaded, together)
    alone = [model(x[i : i + 1], ps, still)[0] for i in range(3)]
    np.testing.assert_array_equal(np.concatenate(alone), together)


def test_sequences_of_any_length_agree_with_float64_and_begin_alike() -> None:
    ps, st = lxc.setup(0, SEQUENCES)
    spec = lxc.TensorSpec((3, lxc.Dim("T", 1, 9), 10), "f32")
    graph = lxc.trace(SEQUENCES, spec, ps, st)
    model = lxc.compile(graph, target=TARGET)
    x = steps(7)
    whole = np.asarray(model(x, ps, st)[0])
    wanted = exact(graph, x, ps, st)
    assert np.abs(np.swapaxes(whole, 0, 1) - wanted).max() <= 1e-5
    np.testing.assert_array_equal(np.asarray(model(x[:, :4], ps, st)[0]), whole[:4])
