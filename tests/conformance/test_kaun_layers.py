"""Kaun's linear layer, embedding, dropout, activations and pools."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import lxc
from lxc import kaun, ops
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, i32, same
from tests.conformance.rows import row

HOST = "initial values are drawn in Python"
KEY = np.array([1, 2], np.uint32)


def tensor(array: Any) -> torch.Tensor:
    """Return a copy of an array as torch takes it."""
    return torch.from_numpy(np.array(array))


def batches(*shape: Any, dtype: str = "float32") -> lxc.TensorSpec:
    """Return a spec with a batch of 1 to 8."""
    return lxc.TensorSpec((lxc.Dim("N", 1, 8), *shape), dtype)


def with_bias(layer: kaun.Layer) -> kaun.Vars:
    """Return fresh variables whose bias is not zero."""
    vars = kaun.init(layer)
    bias = draw(*vars.params["bias"].shape, seed=9)
    return vars.with_params({**vars.params, "bias": bias})


@row("KL-01")
def test_linear_is_an_affine_map_of_the_last_axis(column: Column) -> None:
    layer = kaun.linear(2, 2)
    known = kaun.init(layer).with_params(
        {"weight": f32(np.eye(2)), "bias": f32([0.5, -0.5])}
    )
    close(column.kaun(layer, f32([3, 4]), known)[0], [3.5, 3.5])
    layer = kaun.linear(in_features=10, out_features=5)
    vars = with_bias(layer)
    assert vars.params["weight"].shape == (10, 5)
    assert sum(leaf.size for leaf in vars.params.values()) == 55
    weight, bias = tensor(vars.params["weight"].T), tensor(vars.params["bias"])
    call = column.built_kaun(layer, batches(3, 10), vars)
    for count in (1, 4, 8):
        x = draw(count, 3, 10)
        close_sums(call(x, vars, None, None)[0], functional.linear(tensor(x), weight, bias))
    with pytest.raises(LxcError, match="in_features is 10"):
        column.kaun(layer, draw(3, 9), vars)


@row("KL-02a", eager_because=HOST)
def test_weights_of_linear_are_glorot_uniform_or_as_told() -> None:
    weight = kaun.init(kaun.linear(200, 300)).params["weight"]
    bound = (6 / 500) ** 0.5
    assert 0.98 * bound < np.abs(weight).max() <= bound
    layer = kaun.linear(128, 64, weight_init=kaun.he_normal(), bias_init=kaun.zeros)
    weight = kaun.init(layer).params["weight"]
    assert weight.std() == pytest.approx((2 / 128) ** 0.5, rel=0.03)


@row("KL-02b", eager_because=HOST)
def test_linear_always_has_a_bias_of_zeros_or_as_told() -> None:
    same(kaun.init(kaun.linear(2, 3)).params["bias"], np.zeros(3, np.float32))
    layer = kaun.linear(2, 3, bias_init=kaun.constant(7))
    same(kaun.init(layer, "float64").params["bias"], np.full(3, 7.0))


@row("KL-13")
def test_embedding_scales_rows_by_the_root_of_their_length(column: Column) -> None:
    layer = kaun.embedding(vocab_size=7, embed_dim=4)
    vars = kaun.init(layer)
    assert list(vars.params) == ["embedding"]
    table = tensor(vars.params["embedding"])
    for ids in (i32(6), i32([0, 3, 3]), i32([[[5], [1]], [[2], [0]]])):
        found, _ = column.kaun(layer, ids, vars)
        close(found, functional.embedding(tensor(ids).long(), table) * 2)
    bare = kaun.embedding(7, 4, scale=False)
    call = column.built_kaun(bare, batches(3, dtype="int32"), vars)
    for count in (1, 8):
        ids = np.random.default_rng(0).integers(0, 7, (count, 3), np.int32)
        same(call(ids, vars, None, None)[0], vars.params["embedding"][ids])


@row("KL-13")
def test_embedding_takes_int32_of_its_table_only(column: Column) -> None:
    layer = kaun.embedding(7, 4)
    vars = kaun.init(layer)
    for dtype in ("int64", "uint8", "float32", "bool"):
        with pytest.raises(LxcError, match=f"input dtype {dtype} .* int32") as caught:
            column.kaun(layer, np.zeros(3, dtype), vars)
        assert caught.value.code == "LXC-E0103"
    call = column.built_kaun(layer, i32([0, 1]), vars)
    if column.name == "interpreter":
        return
    for wrong in (7, -1):
        with pytest.raises(LxcError):
            call(i32([0, wrong]), vars, None, None)


@row("KL-13")
def test_the_table_is_drawn_with_a_deviation_of_a_fiftieth() -> None:
    table = kaun.init(kaun.embedding(500, 40)).params["embedding"]
    assert table.shape == (500, 40)
    assert table.std() == pytest.approx(0.02, rel=0.02)
    assert abs(table.mean()) < 0.001


@row("KL-14")
def test_dropout_scales_what_it_keeps(column: Column) -> None:
    layer = kaun.dropout(0.2)
    vars = kaun.init(layer)
    assert vars.params == vars.state == []
    x = np.full((100, 100), 2, np.float32)
    y, after = column.kaun(layer, x, vars, training=True, rngs=KEY)
    close(np.unique(y), [0, 2.5])
    assert abs((y > 0).mean() - 0.8) < 0.02
    assert after.state == []
    same(y, kaun.apply(layer, vars, x, training=True, rngs=KEY)[0])
    same(column.kaun(layer, x, vars)[0], x)


@row("KL-14")
def test_the_mask_of_dropout_is_where_u_is_below_the_share_kept(column: Column) -> None:
    layer = kaun.dropout(0.5)
    vars, key = kaun.init(layer), np.array([9, 10], np.uint32)
    call = column.built_kaun(layer, batches(6), vars, training=True, rngs=key)
    y, _ = call(np.ones((2, 6), np.float32), vars, key, None)
    same(y != 0, ops.random_uniform(key, (2, 6)) < 0.5)
    assert "".join("x" if cell else "." for cell in y.ravel()) == "x.xx...xx..x"


@row("KL-14")
@row("T35")
def test_a_rate_of_one_is_an_error() -> None:
    for rate in (-0.1, 1, 1.5, float("nan")):
        with pytest.raises(LxcError, match="below 1") as caught:
            kaun.dropout(rate)
        assert caught.value.code == "LXC-E0101"


POINTS = f32([-100, -20, -2, -0.5, -1e-20, 0, 0.5, 1, 3, 20, 100, np.nan])


@pytest.mark.parametrize(
    ("layer", "oracle", "x", "y"),
    [
        pytest.param(
            kaun.relu(),
            functional.relu,
            [-2, -0.5, 0, 3],
            [0, 0, 0, 3],
            marks=row("KL-15a"),
        ),
        pytest.param(
            kaun.gelu(), functional.gelu, [1], [0.841345], marks=[row("KL-15b"), row("T38")]
        ),
        pytest.param(kaun.silu(), functional.silu, [1], [0.731059], marks=row("KL-15c")),
        pytest.param(kaun.tanh(), torch.tanh, [1], [0.761594], marks=row("KL-15d")),
        pytest.param(
            kaun.sigmoid(), torch.sigmoid, [-100, 100], [0, 1], marks=row("KL-15e")
        ),
    ],
    ids=["relu", "gelu", "silu", "tanh", "sigmoid"],
)
def test_activations_are_those_of_torch(
    layer: kaun.Layer, oracle: Any, x: Any, y: Any, column: Column
) -> None:
    vars = kaun.init(layer)
    assert vars.params == vars.state == []
    call = column.built_kaun(layer, batches(), vars)
    close(call(f32(x), vars, None, None)[0], y)
    for part in (POINTS[:6], POINTS[6:]):
        close(call(part, vars, None, None)[0], oracle(tensor(part)), rtol=2e-6, atol=2e-6)
    with pytest.raises(
        LxcError, match="input dtype int32 does not match model dtype float32"
    ):
        column.kaun(layer, i32([1]), vars)


@row("KL-16")
@row("KL-17")
@pytest.mark.parametrize("options", [(2,), ((2, 3),), (2, 1), ((3, 2), (1, 2))])
def test_pools_are_those_of_torch(options: Any, column: Column) -> None:
    for make, oracle in (
        (kaun.max_pool2d, functional.max_pool2d),
        (kaun.avg_pool2d, functional.avg_pool2d),
    ):
        layer = make(*options)
        vars = kaun.init(layer)
        assert vars.params == vars.state == []
        call = column.built_kaun(layer, batches(3, 6, 7), vars)
        for count in (1, 8):
            x = draw(count, 3, 6, 7)
            close(call(x, vars, None, None)[0], oracle(tensor(x), *options))


@row("KL-16")
@row("KL-17")
def test_windows_of_pools_do_not_overlap_unless_told(column: Column) -> None:
    for layer, size, wanted in (
        (kaun.max_pool2d(kernel_size=(2, 2)), 4, 2),
        (kaun.max_pool2d(kernel_size=(2, 2), stride=(1, 1)), 4, 3),
        (kaun.avg_pool2d((2, 2)), 6, 3),
        (kaun.avg_pool2d(2), 7, 3),
    ):
        y, _ = column.kaun(layer, draw(1, 1, size, size), kaun.init(layer))
        assert y.shape == (1, 1, wanted, wanted)
    with pytest.raises(LxcError, match=r"\[B, C, H, W\]"):
        column.kaun(layer, draw(2, 3, 4), kaun.init(layer))


@row("KL-17")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_windows_of_half_types_add_up_in_float32(dtype: str, column: Column) -> None:
    layer = kaun.avg_pool2d(20, stride=10)
    vars = kaun.init(layer, dtype)
    x = (draw(2, 1, 30, 40) + 300).astype(vars.dtype)
    y, _ = column.kaun(layer, x, vars)
    assert y.dtype == vars.dtype
    expected = functional.avg_pool2d(tensor(x.astype(np.float64)), 20, 10)
    step = {"float16": 2**-11, "bfloat16": 2**-8}[dtype]
    close(y.astype(np.float64), expected, rtol=1.01 * step)


@row("KL-16")
def test_a_maximum_of_nothing_but_nan_and_infinity(column: Column) -> None:
    layer = kaun.max_pool2d(2)
    x = f32([[[[-np.inf, -np.inf, 1, np.nan], [-np.inf, -np.inf, 2, 3]]]])
    y, _ = column.kaun(layer, x, kaun.init(layer))
    close(y, functional.max_pool2d(tensor(x), 2))


@row("KL-18")
def test_flatten_keeps_the_batch(column: Column) -> None:
    layer = kaun.flatten()
    vars = kaun.init(layer)
    assert vars.params == vars.state == []
    call = column.built_kaun(layer, batches(3, 4), vars)
    for count in (1, 2, 8):
        x = draw(count, 3, 4)
        same(call(x, vars, None, None)[0], x.reshape(count, 12))
    same(column.kaun(layer, draw(5), vars)[0], draw(5)[:, None])
    with pytest.raises(LxcError, match="no batch axis"):
        column.kaun(layer, f32(1), vars)
    with pytest.raises(LxcError, match="input dtype int32 does not match"):
        column.kaun(layer, np.zeros((2, 2), np.int32), vars)
