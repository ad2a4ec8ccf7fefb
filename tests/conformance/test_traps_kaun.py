"""What is easily got wrong where Kaun differs from others, one short test each."""

import numpy as np
import pytest
import torch

from lxc import kaun, nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, i32, same
from tests.conformance.rows import row


@row("T01")
def test_kernels_of_kaun_are_not_flipped(column: Column) -> None:
    layer = kaun.conv1d(1, 1, padding="valid")
    weight = f32([[[1, 2, 3]]])
    vars = kaun.init(layer).with_params({"weight": weight, "bias": f32([0])})
    y, _ = column.kaun(layer, f32([[[1, 2, 3, 4, 5, 6]]]), vars)
    close(y, [[[14, 20, 26, 32]]])


@row("T35")
def test_every_rate_of_kaun_leaves_finite_numbers(column: Column) -> None:
    layer, key = kaun.dropout(0.999), np.array([1, 2], np.uint32)
    y, _ = column.kaun(layer, draw(50, 50), kaun.init(layer), training=True, rngs=key)
    assert np.isfinite(y).all()
    assert 0 < (y != 0).sum() < 25


@row("T37")
def test_rows_are_scaled_in_kaun_and_not_in_lux(column: Column) -> None:
    layer, model = kaun.embedding(5, 4), nn.Embedding(5, 4)
    table = draw(5, 4)
    vars = kaun.init(layer).with_params({"embedding": table})
    ids = i32([3, 0])
    y, _ = column.kaun(layer, ids, vars)
    same(y, table[ids] * 2)
    same(column(model, ids, {"weight": table}, {})[0] * 2, y)
    same(column(model, ids.astype(np.int64), {"weight": table}, {})[0] * 2, y)
    with pytest.raises(LxcError, match="int64"):
        column.kaun(layer, ids.astype(np.int64), vars)


@row("T38")
def test_gelu_of_kaun_is_not_that_of_tanh(column: Column) -> None:
    layer = kaun.gelu()
    close(column.kaun(layer, f32([1]), kaun.init(layer))[0], [0.841345])
    close(column.fresh(nn.WrappedFunction(nn.gelu), f32([1])), [0.841192])


@row("T39")
def test_values_do_not_turn(column: Column) -> None:
    layer = kaun.multi_head_attention(4, 1, rope=True)
    unit = np.eye(4, dtype=np.float32)
    params = {"q_proj": unit * 0, "k_proj": unit, "v_proj": unit, "out_proj": unit}
    x = draw(1, 3, 4)
    y, _ = column.kaun(layer, x, kaun.init(layer).with_params(params))
    # Without queries all scores are equal.
    close(y, np.broadcast_to(x.mean(1, keepdims=True), x.shape))


@row("T40")
def test_the_first_heads_take_the_first_keys(column: Column) -> None:
    layer = kaun.multi_head_attention(4, 4, num_kv_heads=2)
    unit = np.eye(4, dtype=np.float32)
    projection = f32([[1, 0], [0, 1], [0, 0], [0, 0]])
    params = {"q_proj": unit * 0, "k_proj": projection, "v_proj": projection}
    vars = kaun.init(layer).with_params({**params, "out_proj": unit})
    y, _ = column.kaun(layer, f32([[[1, 2, 3, 4]]]), vars)
    close(y, [[[1, 1, 2, 2]]])


@row("T41")
def test_torch_has_no_answer_where_nothing_is_seen(column: Column) -> None:
    layer = kaun.multi_head_attention(2, 1)
    unit = np.eye(2, dtype=np.float32)
    vars = kaun.init(layer)
    vars = vars.with_params(dict.fromkeys(vars.params, unit))
    ctx = kaun.Context.empty.set("attention_mask", np.zeros((1, 2), np.bool_))
    y, _ = column.kaun(layer, unit[None], vars, ctx=ctx)
    close(y, np.full((1, 2, 2), 0.5))
    eye, nothing = torch.eye(2)[None], torch.zeros(1, 2, 2, dtype=torch.bool)
    there = torch.nn.functional.scaled_dot_product_attention(eye, eye, eye, nothing)
    assert not np.allclose(y, there)


@row("T45")
def test_nothing_is_cast_between_layers(column: Column) -> None:
    model = kaun.compose(kaun.linear(2, 2), kaun.relu())
    message = "input dtype float64 does not match model dtype float32"
    with pytest.raises(LxcError, match=message) as caught:
        column.kaun(model, np.ones((1, 2)), kaun.init(model))
    assert "left (linear)" in str(caught.value.layer)
