"""One artifact for every batch size: each layer with a named batch, run for many N."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn, ops
from lxc.frontend.setup import with_mode
from lxc.ir.agreement import relative_error
from lxc.tree import flatten
from tests.conformance.columns import Column, ends
from tests.conformance.feeds import Feed, arrays, floats, specs
from tests.conformance.models import KAUN_RUNS, LUX_RUNS, kaun_model, lux_model

HIGHEST = {"N": lxc.Dim("N", 1, 64)}
LOWEST_LEVEL, HIGHEST_LEVEL = ends()
NUMBERS = [
    pytest.param(LOWEST_LEVEL, (1, 5, 64), id="lowest-level"),
    pytest.param(HIGHEST_LEVEL, (1, 2, 3, 7, 8, 64), id="highest-level"),
]
KEY = np.array([3, 4], np.uint32)
numbered = pytest.mark.parametrize(("column", "numbers"), NUMBERS)


def agree(actual: Any, expected: Any, message: str) -> None:
    """Assert that two trees are the same but for the last digits of floats."""
    leaves, structure = flatten(actual)
    others, other = flatten(expected)
    assert structure == other
    for number, (one, two) in enumerate(zip(leaves, others, strict=True)):
        assert one.dtype == two.dtype
        if two.dtype.kind == "f":
            error = relative_error(np.asarray(one), np.asarray(two))
            assert error <= 2e-5, f"{message}, leaf {number}: {error:.2e}"
        else:
            np.testing.assert_array_equal(one, two, strict=True)


@numbered
@pytest.mark.parametrize(("group", "mode"), LUX_RUNS)
def test_lux_layers_keep_the_batch_open(
    group: str, mode: str, column: Column, numbers: Sequence[int]
) -> None:
    model, feeds = lux_model(group)
    ps, st = lxc.setup(0, model)
    st = with_mode(st, mode)
    call = column.built(model, specs(feeds, HIGHEST, "float32"), ps, st)
    for n in numbers:
        x = arrays(feeds, {"N": n}, np.float32, seed=n)
        agree(call(x, ps, st), model(x, ps, st), f"N = {n}")


@numbered
@pytest.mark.parametrize(("group", "training"), KAUN_RUNS)
def test_kaun_layers_keep_the_batch_open(
    group: str, training: bool, column: Column, numbers: Sequence[int]
) -> None:
    model, feeds = kaun_model(group)
    vars, rngs = kaun.init(model), KEY if training else None
    x = specs(feeds, HIGHEST, "float32")
    call = column.built_kaun(model, x, vars, training, rngs)
    for n in numbers:
        x = arrays(feeds, {"N": n}, np.float32, seed=n)
        y, after = call(x, vars, rngs, None)
        expected, state = kaun.apply(model, vars, x, training, rngs)
        agree((y, after.state), (expected, state.state), f"N = {n}")


@numbered
def test_attention_keeps_batch_and_length_open_beside_a_mask(
    column: Column, numbers: Sequence[int]
) -> None:
    layer = kaun.multi_head_attention(8, 4, 2, is_causal=True, rope=True)
    vars = kaun.init(layer)
    tokens, mask = floats("N", "L", 8), Feed(("N", "L"), "bool")
    dims = {**HIGHEST, "L": lxc.Dim("L", 1, 9)}

    def context(made: Any) -> kaun.Context:
        return kaun.Context.empty.set(kaun.attention_mask_key, made)

    first = specs((tokens, mask), dims, "float32")
    call = column.built_kaun(layer, first[0], vars, ctx=context(first[1]))
    for n in numbers:
        sizes = {"N": n, "L": n % 9 + 1}
        x, seen = arrays((tokens, mask), sizes, np.float32, seed=n)
        y, _ = call(x, vars, None, context(seen))
        agree(y, kaun.apply(layer, vars, x, ctx=context(seen))[0], str(sizes))


IMAGE, STEPS = floats("N", 4, "H", "W"), floats("N", "T", 6)
AROUND: dict[str, Any] = {"stride": (2, 1), "pad": (1, 0, 2, 1), "dilation": (1, 2)}
OPEN: dict[str, tuple[Any, Feed]] = {
    "conv": (nn.Conv((3, 2), 4, 6, nn.relu, **AROUND), IMAGE),
    "strided": (nn.Conv((3, 3), 4, 6, pad=nn.SamePad(), stride=2), IMAGE),
    "line": (nn.Conv((3,), 6, 17, pad=nn.SamePad()), floats("N", 6, "T")),
    "volume": (nn.Conv((2, 2, 2), 2, 3), floats("N", 2, "H", 5, "W")),
    "depthwise": (nn.Conv((3, 3), 4, 8, groups=4), IMAGE),
    "transposed": (nn.ConvTranspose((4, 4), 4, 5, stride=2, pad=nn.SamePad()), IMAGE),
    "shuffle": (nn.PixelShuffle(2), IMAGE),
    "nearest": (nn.Upsample("nearest", scale=2), IMAGE),
    "linear": (nn.Upsample("bilinear", size=(9, 11)), IMAGE),
    "max": (nn.MaxPool((2, 2), pad=1), IMAGE),
    "mean": (nn.MeanPool((3, 2), stride=(1, 2)), IMAGE),
    "global": (nn.GlobalMeanPool(), IMAGE),
    "batch_norm": (nn.BatchNorm(4), IMAGE),
    "group_norm": (nn.GroupNorm(4, 2), IMAGE),
    "instance_norm": (nn.InstanceNorm(4), IMAGE),
    "dropout": (nn.Dropout(0.5), IMAGE),
    "hidden": (nn.VariationalHiddenDropout(0.5), STEPS),
    "flatten": (nn.FlattenLayer(), IMAGE),
    "dense": (nn.Dense(6, 5, nn.tanh), STEPS),
    "recurrence": (nn.Recurrence(nn.LSTMCell(6, 5)), STEPS),
    "embedding": (nn.Embedding(9, 4), Feed(("N", "T"), "int32", 9)),
}
SEVERAL = {
    "N": lxc.Dim("N", 1, 8),
    "H": lxc.Dim("H", 4, 24),
    "W": lxc.Dim("W", 4, 24),
    "T": lxc.Dim("T", 1, 20),
}
CHOSEN = [(1, 4, 4, 1), (8, 24, 24, 20), (3, 7, 5, 6), (2, 16, 9, 13)]


def check_open(column: Column, layers: Any, feeds: tuple[Feed, ...]) -> None:
    """Assert that layers side by side are right for several sizes of all dimensions."""
    model = nn.Parallel(None, **layers)
    ps, st = lxc.setup(0, model)
    call = column.built(model, specs(feeds, SEVERAL, "float32"), ps, st)
    for numbers in CHOSEN:
        x = arrays(feeds, dict(zip(SEVERAL, numbers, strict=True)), np.float32)
        agree(call(x, ps, st), model(x, ps, st), f"sizes {numbers}")


def test_space_and_time_stay_open_where_they_can(column: Column) -> None:
    layers = {name: layer for name, (layer, _) in OPEN.items()}
    check_open(column, layers, tuple(feed for _, feed in OPEN.values()))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "joined": lambda x: ops.reshape(x, (x.shape[0] * x.shape[1], 6)),
    "turned": lambda x: ops.reshape(x, (x.shape[1], x.shape[0], 6)),
    "flat": lambda x: ops.reshape(x, (-1,)),
    "there_and_back": lambda x: ops.reshape(ops.reshape(x, (-1, 3)) + 1, x.shape),
    "doubled": lambda x: ops.concatenate([x, x * 2], 0),
    "longer": lambda x: ops.concatenate([x, x[:, :1]], 1),
    "backward": lambda x: x[:, ::-1],
    "steps": lambda x: ops.mean(x[:, 1:] + x[:, :-1], 2),
    "products": lambda x: ops.matmul(x, ops.swapaxes(x, 1, 2)),
    "over_the_batch": lambda x: ops.tensordot(x, x, ((0,), (0,))),
    "statistics": lambda x: ops.mean(x, 0) + ops.var(x, 0),
    "unbiased": lambda x: ops.var(x, (1, 2), ddof=1),
    "softmax": lambda x: ops.softmax(x, 1),
    "sums": lambda x: ops.cumsum(x, 1),
    "largest": lambda x: ops.argmax(x, 1),
    "divided_by_the_batch": lambda x: ops.sum(x, 0) / x.shape[0],
    "divided_by_all": lambda x: ops.sum(x) / (x.shape[0] * x.shape[1] * 6 + 1),
    "half_the_steps": lambda x: ops.sum(x, 1) * (x.shape[1] // 2),
    "odd": lambda x: ops.where(x > 0, x.shape[1] % 2, x),
    "positions": lambda x: x + ops.arange(x.shape[1], like=x)[:, None],
    "ends": lambda x: ops.concatenate([x[:, 0], x[:, -1]], 1),
}


def test_functions_keep_sizes_open(column: Column) -> None:
    layers = {name: nn.WrappedFunction(made) for name, made in FUNCTIONS.items()}
    check_open(column, layers, (STEPS,) * len(layers))


def test_sizes_are_compared_where_one_answer_holds_for_all() -> None:
    n = lxc.TensorSpec((lxc.Dim("N", 2, 8), 4)).type.shape[0]
    assert n > 1
    assert n >= 2
    assert n < 9
    assert n <= 8
    assert n + 1 > n
    assert not n < 2
    assert not n > 8
    questions: tuple[Callable[[], object], ...] = (
        lambda: n > 2,
        lambda: n < 8,
        lambda: n >= 3,
        lambda: min(n, 4),
    )
    for question in questions:
        with pytest.raises(lxc.LxcError, match=r"whether N .* while the model is traced"):
            question()


NUMBERS_NEEDED: dict[str, Callable[[Any], Any]] = {
    "loop": lambda x: sum(x[i] for i in range(x.shape[0])),
    "number": lambda x: x / float(x.shape[0]),
    "array": lambda x: x + np.zeros((x.shape[0], 4), np.float32),
    "fraction": lambda x: x * (1 / x.shape[0]),
    "root": lambda x: x * ops.sqrt(x.shape[0]),
}


@pytest.mark.parametrize("name", NUMBERS_NEEDED)
def test_a_size_that_is_needed_as_a_number_is_refused_by_layer_path(name: str) -> None:
    model = nn.Chain(nn.Dense(4, 4), nn.WrappedFunction(NUMBERS_NEEDED[name]))
    with pytest.raises(lxc.LxcError, match="number of N is not known") as caught:
        lxc.trace(model, lxc.TensorSpec((HIGHEST["N"], 4)), *lxc.setup(0, model))
    assert caught.value.code == "LXC-E0104"
    assert str(caught.value.layer).startswith("layer_2")
