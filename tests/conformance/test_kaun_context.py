"""Tensors that a call hands to every layer of Kaun by name."""

from typing import Any

import numpy as np
import pytest
import torch

from lxc import kaun
from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from tests.conformance.columns import Column, close, close_sums, draw, f32, i32, same
from tests.conformance.rows import row
from tests.frontend.kaun_layers import layer_of, masked


@row("CTX-01", eager_because="a context is a value of Python")
@row("CTX-02", eager_because="a context is a value of Python")
def test_setting_makes_a_new_context() -> None:
    empty = kaun.Context.empty
    first = empty.set("mask", f32([1]))
    second = first.set("mask", f32([2])).set("ids", f32([3]))
    assert dict(empty.bindings) == {}
    same(first.get("mask"), f32([1]))
    same(second.get("mask"), f32([2]))
    assert list(second.bindings) == ["mask", "ids"]
    with pytest.raises(TypeError):
        first.bindings["mask"] = 3  # type: ignore[index]
    with pytest.raises(AttributeError):
        empty.bindings = {"mask": f32([1])}  # type: ignore[misc]


@row("CTX-03", eager_because="a context is a value of Python")
def test_a_look_up_finds_none_or_fails() -> None:
    ctx = kaun.Context.empty.set("mask", f32([1]))
    assert ctx.find("ids") is None
    same(ctx.find("mask"), f32([1]))
    same(ctx.get("mask", np.float32), f32([1]))
    for name, dtype, words in (
        ("ids", None, "no tensor called ids"),
        ("mask", "int32", "another element type"),
    ):
        with pytest.raises(LxcError, match=words) as caught:
            ctx.get(name, dtype)
        assert caught.value.code == "LXC-E0112"


@row("CTX-04")
def test_every_layer_is_given_the_context(column: Column) -> None:
    attention = kaun.multi_head_attention(2, 1)
    model = kaun.sequential(
        [kaun.relu(), kaun.compose(kaun.tanh(), kaun.sequential([attention, masked()]))]
    )
    vars, x = kaun.init(model), draw(3, 4, 2)
    seen = np.array([[1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 0]], np.int32)
    ctx = kaun.Context.empty.set("attention_mask", seen)
    ctx = ctx.set("mask", f32([3, 5])).set("unknown", f32([7]))
    y, _ = column.kaun(model, x, vars, ctx=ctx)
    inner = vars.params[1]["right"][0]
    hidden = torch.from_numpy(np.tanh(np.maximum(x, 0)))
    q, k, v, out = (
        torch.tensor(inner[name]) for name in ("q_proj", "k_proj", "v_proj", "out_proj")
    )
    oracle = torch.nn.functional.scaled_dot_product_attention(
        hidden @ q, hidden @ k, hidden @ v, torch.from_numpy(seen != 0)[:, None, :]
    )
    close_sums(y, oracle @ out * torch.tensor([3, 5]))


@row("CTX-05")
def test_tensors_of_a_context_are_inputs_of_an_artifact(column: Column) -> None:
    layer = kaun.multi_head_attention(2, 1)
    vars, x = kaun.init(layer), draw(1, 2, 2)
    first, second = (
        kaun.Context.empty.set("attention_mask", np.array([seen]))
        for seen in ([1, 0], [0, 1])
    )
    call = column.built_kaun(layer, x, vars, ctx=first)
    value = x @ vars.params["v_proj"] @ vars.params["out_proj"]
    for ctx, place in ((first, 0), (second, 1)):
        y, _ = call(x, vars, None, ctx)
        close_sums(y, np.stack([value[0, place]] * 2)[None])
    if not column.name.endswith("level"):
        return
    assert isinstance(call, CompiledModel)
    names = [leaf.name for leaf in call.signature.inputs.leaves]
    assert names == ["x", "ctx.attention_mask"]
    for wrong in (None, kaun.Context.empty, kaun.Context.empty.set("mask", f32([1]))):
        with pytest.raises(LxcError) as caught:
            call(x, vars, None, wrong)
        assert caught.value.code in ("LXC-E0505", "LXC-E0501")
        assert "ctx" in str(caught.value)
    bare = column.built_kaun(layer, x, vars)
    with pytest.raises(LxcError) as caught:
        bare(x, vars, None, first)
    assert caught.value.code == "LXC-E0505"
    same(bare(x, vars, None, kaun.Context.empty)[0], bare(x, vars, None, None)[0])


@row("CTX-06")
def test_predict_is_apply_outside_of_training(column: Column) -> None:
    model = kaun.sequential([kaun.batch_norm(2), kaun.dropout(0.5), masked()])
    vars, x = kaun.init(model), draw(4, 2)
    ctx = kaun.Context.empty.set("mask", f32([2, 3]))
    y, after = column.kaun(model, x, vars, ctx=ctx)
    close(y, kaun.predict(model, vars, x, ctx))
    close(y, x / np.sqrt(f32(1 + 1e-5)) * f32([2, 3]))
    same(after.state, vars.state)
    same(kaun.predict(model, vars, x), kaun.apply(model, vars, x)[0])


@row("CTX-07")
def test_names_of_the_page(column: Column) -> None:
    assert kaun.attention_mask_key == "attention_mask"

    def typed(ctx: Any, training: Any, rngs: Any, x: Any) -> Any:
        return x + ctx.get("token_type_ids", "int32").astype(np.float32)

    model = kaun.sequential([layer_of(typed), kaun.multi_head_attention(1, 1)])
    ctx = kaun.Context.empty.set("attention_mask", np.array([[False, True]]))
    ctx = ctx.set("token_type_ids", i32([[[4], [6]]]))
    vars = kaun.init(model)
    y, _ = column.kaun(model, f32([[[1], [2]]]), vars, ctx=ctx)
    attention = vars.params[1]
    close(y, np.full((1, 2, 1), 8 * attention["v_proj"] * attention["out_proj"]))
    with pytest.raises(LxcError, match="no tensor called token_type_ids"):
        column.kaun(model, f32([[[1], [2]]]), vars, ctx=kaun.Context.empty)
