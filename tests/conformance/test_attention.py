"""Kaun's attention."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import lxc
from lxc import kaun, ops
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, same
from tests.conformance.rotations import rotated
from tests.conformance.rows import row

KEY = np.array([3, 4], np.uint32)
TRIANGLE = torch.ones(5, 5, dtype=torch.bool).tril()


def tensor(array: Any) -> torch.Tensor:
    """Return a copy of an array as torch takes it."""
    return torch.from_numpy(np.array(array))


def masked(mask: Any) -> kaun.Context:
    """Return a context with a mask, or with the spec of one."""
    return kaun.Context.empty.set(kaun.attention_mask_key, mask)


def in_torch(vars: kaun.Vars, x: Any, heads: int, groups: int, **options: Any) -> Any:
    """Return what torch's attention makes of the projections of `vars`, in float64."""
    q, k, v, out = (
        tensor(vars.params[name].astype(np.float64))
        for name in ("q_proj", "k_proj", "v_proj", "out_proj")
    )
    batch, length, size = x.shape
    wide = tensor(x.astype(np.float64))
    split = [
        (wide @ matrix).view(batch, length, count, -1).transpose(1, 2)
        for matrix, count in ((q, heads), (k, groups), (v, groups))
    ]
    turned = options.pop("turned", lambda rows: rows)
    seen = functional.scaled_dot_product_attention(
        turned(split[0]), turned(split[1]), split[2], enable_gqa=True, **options
    )
    return seen.transpose(1, 2).reshape(batch, length, size) @ out


def identity(**options: Any) -> tuple[kaun.Layer, kaun.Vars, Any]:
    """Return a layer of one head that projects nothing, its variables, and two units."""
    layer = kaun.multi_head_attention(2, 1, **options)
    vars = kaun.init(layer)
    unit = np.eye(2, dtype=np.float32)
    return layer, vars.with_params(dict.fromkeys(vars.params, unit)), unit[None]


@row("ATT-01")
def test_attention_weighs_values_by_the_softmax_of_products(column: Column) -> None:
    layer, vars, x = identity()
    expected = [[[0.669762, 0.330238], [0.330238, 0.669762]]]
    close(column.kaun(layer, x, vars)[0], expected)
    layer = kaun.multi_head_attention(embed_dim=12, num_heads=3)
    vars = kaun.init(layer)
    x = draw(2, 5, 12)
    y, after = column.kaun(layer, x, vars)
    close_sums(y, in_torch(vars, x, 3, 3).float())
    assert after.state == []


@row("ATT-01")
@row("ATT-02", eager_because="sizes are refused before there is a model")
def test_there_are_four_projections_and_sizes_that_divide() -> None:
    vars = kaun.init(kaun.multi_head_attention(120, 6, num_kv_heads=2))
    shapes = {name: leaf.shape for name, leaf in vars.params.items()}
    assert list(shapes) == ["q_proj", "k_proj", "v_proj", "out_proj"]
    assert shapes == {
        "q_proj": (120, 120), "k_proj": (120, 40), "v_proj": (120, 40),
        "out_proj": (120, 120),
    }  # fmt: skip
    assert vars.state == []
    for name, fans in zip(shapes, (240, 160, 160, 240), strict=True):
        bound = (6 / fans) ** 0.5
        assert 0.99 * bound < np.abs(vars.params[name]).max() <= bound
    for sizes in ((10, 4), (12, 4, 3), (12, 2, 4), (0, 1), (4, 0), (4, 2, 0)):
        with pytest.raises(LxcError) as caught:
            kaun.multi_head_attention(*sizes)
        assert caught.value.code == "LXC-E0101"


@row("ATT-03")
@row("T40")
@pytest.mark.parametrize("groups", [1, 2])
def test_groups_of_consecutive_heads_share_keys_and_values(
    groups: int, column: Column
) -> None:
    layer = kaun.multi_head_attention(16, 4, num_kv_heads=groups)
    vars, x = kaun.init(layer), draw(2, 5, 16)
    y, _ = column.kaun(layer, x, vars)
    close_sums(y, in_torch(vars, x, 4, groups).float())


@row("ATT-04")
def test_causal_attention_sees_nothing_behind(column: Column) -> None:
    layer, vars, x = identity(is_causal=True)
    y, _ = column.kaun(layer, x, vars)
    close(y[0, 0], [1, 0])
    close(y[0, 1], [0.330238, 0.669762])
    layer = kaun.multi_head_attention(8, 4, num_kv_heads=2, is_causal=True)
    vars, x = kaun.init(layer), draw(2, 5, 8)
    y, _ = column.kaun(layer, x, vars)
    close_sums(y, in_torch(vars, x, 4, 2, is_causal=True).float())


@row("ATT-05")
@row("T39")
def test_queries_and_keys_turn_and_values_do_not(column: Column) -> None:
    layer = kaun.multi_head_attention(16, 4, 2, rope=True, rope_theta=500.0)
    vars, x = kaun.init(layer), draw(2, 5, 16)
    y, _ = column.kaun(layer, x, vars)
    expected = in_torch(vars, x, 4, 2, turned=lambda rows: rotated(rows, 500.0))
    close_sums(y, expected.float())
    layer = kaun.multi_head_attention(4, 1, rope=True)
    vars = kaun.init(layer)
    close_sums(
        column.kaun(layer, x[..., :4], vars)[0],
        in_torch(vars, x[..., :4], 1, 1, turned=rotated).float(),
    )


@row("ATT-05")
@row("ATT-06")
def test_options_of_attention_that_make_no_sense_are_refused() -> None:
    for options in (
        {"embed_dim": 6, "rope": True}, {"rope_theta": 0.0}, {"rope_theta": float("nan")},
        {"dropout": 1.0}, {"dropout": -0.5}, {"dropout": float("nan")},
    ):  # fmt: skip
        given: dict[str, Any] = {"embed_dim": 8, "num_heads": 2, **options}
        with pytest.raises(LxcError) as caught:
            kaun.multi_head_attention(**given)
        assert caught.value.code == "LXC-E0101"


@row("ATT-06")
def test_dropout_is_on_the_weights_and_in_training_only(column: Column) -> None:
    layer = kaun.multi_head_attention(8, 2, dropout=0.4)
    bare = kaun.multi_head_attention(8, 2)
    vars, x = kaun.init(layer), draw(3, 5, 8)
    same(column.kaun(layer, x, vars)[0], column.kaun(bare, x, vars)[0])
    y, _ = column.kaun(layer, x, vars, training=True, rngs=KEY)
    kept = tensor(ops.random_uniform(KEY, (3, 2, 5, 5)) < np.float32(0.6))
    q, k, v = (
        tensor(x @ vars.params[name]).view(3, 5, 2, 4).transpose(1, 2)
        for name in ("q_proj", "k_proj", "v_proj")
    )
    weights = torch.softmax(q @ k.mT / 4**0.5, -1) * kept / 0.6
    joined = (weights @ v).transpose(1, 2).reshape(3, 5, 8)
    close_sums(y, joined @ tensor(vars.params["out_proj"]))
    with pytest.raises(LxcError, match="requires rngs during training") as caught:
        column.kaun(layer, x, vars, training=True)
    assert caught.value.code == "LXC-E0108"
    close_sums(
        column.kaun(bare, x, vars, training=True)[0], in_torch(vars, x, 2, 2).float()
    )


@row("ATT-06")
def test_weights_that_stay_grow_by_what_the_others_lose(column: Column) -> None:
    layer, vars, _ = identity(dropout=0.25)
    x = np.ones((40, 50, 2), np.float32)
    y, _ = column.kaun(layer, x, vars, training=True, rngs=KEY)
    # Every weight is 1/50, so an output counts the weights of its row that stayed.
    counts = np.rint(y[..., 0] * 0.75 * 50)
    close(y[..., 0], counts / 50 / 0.75, atol=1e-5)
    assert abs(counts.mean() / 50 - 0.75) < 0.01
    assert counts.std() == pytest.approx((50 * 0.25 * 0.75) ** 0.5, rel=0.1)


@row("ATT-07")
@row("T42")
@pytest.mark.parametrize("dtype", ["bool", "int32", "int64", "uint8"])
def test_what_is_not_zero_in_a_mask_is_seen(dtype: str, column: Column) -> None:
    layer, vars, x = identity()
    mask = np.array([[2, 0]]).astype(dtype)
    close(column.kaun(layer, x, vars, ctx=masked(mask))[0], [[[1, 0], [1, 0]]])
    layer = kaun.multi_head_attention(12, 3)
    vars, x = kaun.init(layer), draw(3, 5, 12)
    mask = np.array([[1, 0, 3, 0, 1], [0, 0, 0, 0, 9], [1, 1, 1, 1, 1]]).astype(dtype)
    y, _ = column.kaun(layer, x, vars, ctx=masked(mask))
    seen = tensor(mask != 0)[:, None, None, :]
    close_sums(y, in_torch(vars, x, 3, 3, attn_mask=seen).float())


@row("ATT-07")
def test_a_mask_of_floats_or_of_another_shape_is_refused(column: Column) -> None:
    layer = kaun.multi_head_attention(4, 2)
    vars, x = kaun.init(layer), draw(2, 3, 4)
    for mask in (
        np.ones((2, 3), np.float32), np.ones((2, 4), np.int32), np.ones((1, 3), np.bool_),
        np.ones((2, 1, 1, 3), np.bool_), np.ones(3, np.bool_),
    ):  # fmt: skip
        with pytest.raises(LxcError, match="attention_mask") as caught:
            column.kaun(layer, x, vars, ctx=masked(mask))
        assert caught.value.code == "LXC-E0103"
        assert "multi_head_attention" in str(caught.value.layer)


@row("ATT-08")
def test_mask_and_causality_both_hide(column: Column) -> None:
    layer = kaun.multi_head_attention(12, 3, is_causal=True)
    vars, x = kaun.init(layer), draw(2, 5, 12)
    mask = np.array([[1, 1, 0, 1, 1], [0, 0, 1, 1, 1]], np.int32)
    y, _ = column.kaun(layer, x, vars, ctx=masked(mask))
    seen = tensor(mask != 0)[:, None, None, :] & TRIANGLE
    expected = in_torch(vars, x, 3, 3, attn_mask=seen).float()
    close_sums(y[0], expected[0])
    close_sums(y[1, 2:], expected[1, 2:])
    # The first two positions of the second example see nothing: the mean of all values.
    mean = (x[1] @ vars.params["v_proj"]).mean(0) @ vars.params["out_proj"]
    close_sums(y[1, :2], np.stack([mean, mean]))


@row("ATT-09")
@row("T41")
def test_a_row_that_sees_nothing_is_the_mean_of_all_values(column: Column) -> None:
    for dtype in ("float32", "float16"):
        layer, vars, x = identity()
        params = {name: leaf.astype(dtype) for name, leaf in vars.params.items()}
        halves = kaun.make_vars(params, [], dtype)
        mask = np.zeros((1, 2), np.int32)
        y, _ = column.kaun(layer, x.astype(dtype), halves, ctx=masked(mask))
        assert y.dtype == dtype
        close(y, np.full((1, 2, 2), 0.5))


@row("ATT-09")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_scores_of_half_types_are_computed_in_float32(dtype: str, column: Column) -> None:
    layer = kaun.multi_head_attention(16, 2, num_kv_heads=1, is_causal=True, rope=True)
    vars = kaun.init(layer, dtype)
    # Products of 100 * 100 and more are beyond what float16 holds.
    large = {name: leaf * 40 for name, leaf in vars.params.items() if name[0] in "qk"}
    vars = vars.with_params({**vars.params, **large})
    x = (draw(2, 6, 16) * 4).astype(vars.dtype)
    y, _ = column.kaun(layer, x, vars)
    assert y.dtype == vars.dtype
    expected = in_torch(vars, x, 2, 1, is_causal=True, turned=rotated).numpy()
    error = np.abs(y.astype(np.float64) - expected).max() / np.abs(expected).max()
    assert error < {"float16": 2e-2, "bfloat16": 1e-1, "float64": 1e-12}[dtype]


@row("ATT-10")
def test_batch_and_length_may_be_symbolic(column: Column) -> None:
    layer = kaun.multi_head_attention(8, 4, num_kv_heads=2, is_causal=True, rope=True)
    vars = kaun.init(layer)
    sizes = (lxc.Dim("N", 1, 8), lxc.Dim("L", 1, 9))
    ctx = masked(lxc.TensorSpec(sizes, "bool"))
    call = column.built_kaun(layer, lxc.TensorSpec((*sizes, 8)), vars, ctx=ctx)
    for count, length in ((1, 1), (3, 5), (8, 9)):
        x = draw(count, length, 8)
        mask = np.arange(length) % 3 != 1
        given = masked(np.broadcast_to(mask, (count, length)))
        y, _ = call(x, vars, None, given)
        assert y.shape == x.shape
        seen = tensor(mask) & torch.ones(length, length, dtype=torch.bool).tril()
        expected = in_torch(vars, x, 4, 2, attn_mask=seen, turned=rotated)
        close_sums(y, expected.float())
    for shape in ((5, 8), (2, 5, 7), (1, 2, 5, 8)):
        with pytest.raises(LxcError, match=r"\[B, L, 8\]"):
            column.kaun(layer, draw(*shape), vars)


@row("ATT-10")
def test_dropout_of_a_symbolic_length_is_that_of_the_length(column: Column) -> None:
    layer = kaun.multi_head_attention(8, 2, dropout=0.5)
    vars = kaun.init(layer)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 4), lxc.Dim("L", 1, 9), 8))
    call = column.built_kaun(layer, spec, vars, training=True, rngs=KEY)
    for count, length in ((1, 2), (3, 7)):
        x = draw(count, length, 8)
        y, _ = call(x, vars, KEY, None)
        close_sums(y, kaun.apply(layer, vars, x, training=True, rngs=KEY)[0])
