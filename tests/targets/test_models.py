"""Whole models on every back end: each layer, both modes, state threaded through calls."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn
from lxc.ir import Dim, Graph, TensorSpec, evaluate
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.types import Array
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.tree import flatten, unflatten
from tests.targets.backends import Backend, Interpreter

BATCH = Dim("N", 1, 6)


@dataclasses.dataclass(frozen=True)
class Gate(nn.Layer):
    """A layer of the user's own: another layer inside, an operator, a NumPy function."""

    inner: nn.Dense

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"inner": self.inner.init_params(rng), "power": np.ones(6, np.float32)}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        y, _ = self.inner(x, ps["inner"], {})
        return np.tanh(y) * ps["power"] + x / 2, st


MODELS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "convolutions in one dimension": (
        lambda: nn.Chain(
            nn.Conv((3,), 2, 6, nn.relu, stride=2, pad=nn.SamePad()),
            nn.CrossCor((2,), 6, 4, dilation=2, groups=2, use_bias=False),
            nn.BatchNorm(4, nn.sigmoid),
            nn.GlobalMeanPool(),
        ),
        (2, 11),
    ),
    "convolutions, norms and pools in two": (
        lambda: nn.Chain(
            nn.Conv((3, 3), 2, 17, pad=(1, 2, 0, 1)),
            nn.BatchNorm(17, nn.relu),
            nn.MaxPool((2, 2), pad=1),
            nn.Dropout(0.4, dims=(0, 1)),
            nn.Conv((2, 3), 17, 8, nn.gelu),
            nn.MeanPool((2, 2), stride=1, pad=nn.SamePad()),
            nn.FlattenLayer(),
            nn.Dense(8 * 5 * 2, 5),
        ),
        (2, 9, 7),
    ),
    "depthwise in three": (
        lambda: nn.Chain(
            nn.Conv((2, 2, 2), 3, 6, np.tanh, groups=3),
            nn.GlobalMaxPool(),
            nn.ReshapeLayer(3, 2),
        ),
        (3, 3, 4, 3),
    ),
    "branches and skips": (
        lambda: nn.Chain(
            nn.Parallel(np.subtract, nn.Dense(6, 6, nn.swish), nn.Dense(6, 6)),
            nn.SkipConnection(nn.Chain(nn.Dense(6, 33, nn.elu), nn.Dense(33, 6)), np.add),
            Gate(nn.Dense(6, 6)),
            nn.BranchLayer(nn.NoOpLayer(), nn.Dense(6, 3), lxc.ops.softmax),
        ),
        (6,),
    ),
    "random masks in shared memory": (
        lambda: nn.Chain(
            nn.MaxPool((2, 2)), nn.Dropout(0.5), lambda x: x + 1, nn.Dropout(0.3)
        ),
        (1, 4, 4),
    ),
    "norms without parameters or statistics": (
        lambda: nn.Chain(
            nn.BatchNorm(3, affine=False),
            nn.Dense(3, 5),
            nn.BatchNorm(5, np.tanh, track_stats=False),
        ),
        (3,),
    ),
}


def run(backend: Backend, graph: Graph) -> Callable[[Any, Any, Any], tuple[Any, Any]]:
    """Return the graph as a function of trees, run by a back end after the passes."""
    if not isinstance(backend, Interpreter):
        return lxc.compile(graph, target=backend.name)
    flat = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program

    def interpret(x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        leaves = (flatten(tree)[0] for tree in (x, ps, st))
        outputs, updates = evaluate(flat, *leaves, wide=backend.wide)
        return unflatten(graph.output_tree, outputs), unflatten(graph.state_tree, updates)

    return interpret


def check(graph: Graph, x: Any, trees: tuple[Any, Any], y: Any, eager_y: Any) -> None:
    """Hold outputs against the float64 meaning of the traced graph."""
    leaves = (flatten(tree)[0] for tree in (x, *trees))
    exact, _ = evaluate(graph, *leaves, wide=True)
    for own, narrow, wide in zip(flatten(y)[0], flatten(eager_y)[0], exact, strict=True):
        close = agreement(np.asarray(own), narrow, wide, longest_sum(graph))
        assert close.holds, close


def same_state(st: Any, eager: Any) -> None:
    """Compare states: keys to the bit, statistics closely, structure exactly."""
    (leaves, structure), (expected, eager_structure) = flatten(st), flatten(eager)
    assert structure == eager_structure
    for path, leaf, wanted in zip(structure.paths(), leaves, expected, strict=True):
        if np.issubdtype(wanted.dtype, np.unsignedinteger):
            np.testing.assert_array_equal(leaf, wanted, err_msg=path)
        np.testing.assert_allclose(leaf, wanted, rtol=2e-5, atol=1e-6, err_msg=path)


@pytest.mark.parametrize("mode", ["test", "train"])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_its_eager_self(name: str, mode: str, target: Backend) -> None:
    make, shape = MODELS[name]
    model = make()
    ps, st = lxc.setup(3, model)
    spec = TensorSpec((BATCH, *shape))
    graph = lxc.trace(model, spec, ps, st, mode=mode)
    st = eager_st = lxc.testmode(st) if mode == "test" else lxc.trainmode(st)
    call = run(target, graph)
    rng = np.random.default_rng(5)
    for count in (4, 6, 2):
        x = rng.standard_normal((count, *shape)).astype(np.float32)
        before = eager_st
        y, st = call(x, ps, st)
        eager_y, eager_st = model(x, ps, eager_st)
        check(graph, x, (ps, before), y, eager_y)
        same_state(st, eager_st)
        # Rounding differs; the next call starts from one state for both.
        st = eager_st


@pytest.mark.parametrize("training", [False, True])
def test_a_kaun_model_is_its_eager_self(training: bool, target: Backend) -> None:
    layer = kaun.sequential(
        [
            kaun.conv2d(in_channels=1, out_channels=4),
            kaun.batch_norm(num_features=4),
            kaun.gelu(),
            kaun.max_pool2d(kernel_size=(2, 2)),
            kaun.dropout(rate=0.5),
            kaun.flatten(),
            kaun.compose(kaun.linear(in_features=16, out_features=7), kaun.silu()),
        ]
    )
    variables = kaun.init(layer, rng=1)
    key = np.array([7, 8], np.uint32) if training else None
    x = np.random.default_rng(2).standard_normal((5, 1, 4, 4)).astype(np.float32)
    graph = lxc.trace(layer, x, variables, training=training, rngs=key)
    expected, after = kaun.apply(layer, variables, x, training=training, rngs=key)
    inputs = {"x": x} | ({"rngs": key} if training else {})
    trees = (variables.params, variables.state)
    if isinstance(target, Interpreter):
        y, state = run(target, graph)(inputs, *trees)
    else:
        y, new = lxc.compile(graph, target=target.name)(x, variables, rngs=key)
        state = new.state
    check(graph, inputs, trees, y, expected)
    same_state(state, after.state)


def test_not_a_number_stays_one(target: Backend) -> None:
    model = nn.Chain(nn.MaxPool((2,)), nn.relu, lambda x: np.clip(x, -1, 1))
    ps, st = lxc.setup(0, model)
    x: Array = np.array([[[1, np.nan, -3, 5, np.nan, np.nan, 0.5, 0.25]]], np.float32)
    y, _ = run(target, lxc.trace(model, x, ps, st))(x, ps, st)
    np.testing.assert_array_equal(y, [[[np.nan, 1, np.nan, 0.5]]])


def test_values_that_follow_each_other_in_memory_are_kept_apart(target: Backend) -> None:
    # The random bits take the place in the arena where another value lay before.
    layer = kaun.sequential([kaun.max_pool2d(kernel_size=(2, 2)), kaun.dropout(rate=0.5)])
    variables = kaun.init(layer, rng=0)
    key = np.array([7, 8], np.uint32)
    x = np.random.default_rng(0).standard_normal((3, 1, 4, 4)).astype(np.float32)
    graph = lxc.trace(layer, x, variables, training=True, rngs=key)
    expected, _ = kaun.apply(layer, variables, x, training=True, rngs=key)
    if isinstance(target, Interpreter):
        trees = (variables.params, variables.state)
        y, _ = run(target, graph)({"x": x, "rngs": key}, *trees)
    else:
        y, _ = lxc.compile(graph, target=target.name)(x, variables, rngs=key)
    np.testing.assert_array_equal(y == 0, expected == 0)
    np.testing.assert_allclose(y, expected, rtol=1e-6)
