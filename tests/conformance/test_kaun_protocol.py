"""Kaun's layer protocol: variables, composition, keys and contexts."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import kaun, ops
from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from lxc.tree import flatten
from tests.conformance.columns import Column, close, close_sums, draw, f32, i32, same
from tests.conformance.rows import row
from tests.frontend.kaun_layers import Doubled, Shifted, counting, masked

HOST = "variables are made and taken apart in Python"
DTYPES = ("float16", "bfloat16", "float32", "float64")


def key(first: int, second: int) -> Any:
    """Return a key."""
    return np.array([first, second], np.uint32)


def pattern(y: Any) -> list[str]:
    """Return where the rows of an array are not zero."""
    return ["".join("x" if cell else "." for cell in line) for line in y]


def layer_of(function: Any) -> kaun.Layer:
    """Return a layer without variables from a function of (ctx, training, rngs, x)."""

    def apply(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        return function(ctx, training, rngs, x), state

    return kaun.Layer(kaun.relu().init, apply)


@row("KN-01")
def test_a_record_of_two_functions_and_any_object_with_them_are_layers(
    column: Column,
) -> None:
    model = kaun.sequential(
        [counting(), Shifted(3), Doubled(), kaun.compose(Shifted(3), counting())]
    )
    vars, x = kaun.init(model), f32([1, 2, 3])
    call = column.built_kaun(model, x, vars)
    for count in (1, 2, 3):
        y, vars = call(x, vars, None, None)
        same(y, f32([5, 7, 9]))
        assert int(vars.state[0]) == int(vars.state[3]["right"]) == count


@row("KN-02")
def test_neighbours_of_different_element_types_are_an_error(column: Column) -> None:
    model = kaun.compose(kaun.embedding(5, 3), kaun.linear(3, 2))
    vars = kaun.init(model)
    ids = i32([[0, 4], [2, 2]])
    table, last = vars.params["left"]["embedding"], vars.params["right"]
    y, _ = column.kaun(model, ids, vars)
    close_sums(y, table[ids] * 3**0.5 @ last["weight"] + last["bias"])
    halved = layer_of(lambda ctx, training, rngs, x: x.astype(np.float16))
    for wrong, words in (
        (kaun.compose(halved, kaun.linear(3, 2)), "float16 does not match .* float32"),
        (kaun.compose(kaun.relu(), kaun.embedding(3, 2)), "float32 is not that of indices"),
        (kaun.sequential([kaun.embedding(5, 3), kaun.relu()]), "int64 is not"),
    ):
        x = np.ones((2, 3), np.int64 if "int64" in words else np.float32)
        with pytest.raises(LxcError, match=words) as caught:
            column.built_kaun(wrong, x, kaun.init(wrong))(x, kaun.init(wrong), None, None)
        assert caught.value.layer


@row("KN-03", eager_because=HOST)
def test_one_seed_gives_one_set_of_variables() -> None:
    model = kaun.sequential([kaun.linear(3, 2), kaun.multi_head_attention(2, 1)])
    first, second = kaun.init(model, rng=5), kaun.init(model, rng=5)
    same(first.params, second.params)
    generator = np.random.default_rng(5)
    same(kaun.init(model, rng=generator).params, first.params)
    other = kaun.init(model, rng=generator)
    for leaf, drawn in zip(flatten(first.params)[0], flatten(other.params)[0], strict=True):
        assert not np.array_equal(leaf, drawn) or not leaf.any()
    assert not np.array_equal(
        kaun.init(model, rng=6).params[0]["weight"], first.params[0]["weight"]
    )


@row("KN-04")
def test_apply_replaces_the_state_only(column: Column) -> None:
    model = kaun.batch_norm(2)
    vars = kaun.init(model)
    before = [leaf.copy() for leaf in flatten([vars.params, vars.state])[0]]
    _, after = column.kaun(model, draw(4, 2), vars, training=True)
    assert after.params is vars.params
    assert after.dtype == np.float32
    same(flatten([vars.params, vars.state])[0], before)
    assert not np.array_equal(after.state["running_mean"], vars.state["running_mean"])


@row("KN-05", eager_because=HOST)
def test_variables_show_their_parts() -> None:
    vars = kaun.init(kaun.batch_norm(2))
    assert list(vars.params) == ["scale", "bias"]
    assert list(vars.state) == ["running_mean", "running_var"]
    assert vars.dtype == np.float32


@row("KN-06")
def test_parts_are_replaced_unseen_and_checked_when_used(column: Column) -> None:
    model = kaun.sequential([kaun.linear(2, 2), kaun.relu()])
    vars, x = kaun.init(model), draw(1, 2)
    short = vars.with_params(vars.params[:1])
    assert short.params == vars.params[:1]
    assert short.state is vars.state
    with pytest.raises(LxcError, match="length mismatch") as caught:
        column.kaun(model, x, short)
    assert caught.value.code == "LXC-E0105"
    pair = kaun.compose(kaun.relu(), kaun.relu())
    wrong = kaun.init(pair).with_state({"left": []})
    assert wrong.params == {"left": [], "right": []}
    with pytest.raises(LxcError, match="field missing") as caught:
        column.kaun(pair, x, wrong)
    assert caught.value.code == "LXC-E0105"
    doubled = [{name: leaf * 2 for name, leaf in vars.params[0].items()}, []]
    same(
        column.kaun(model, x, vars.with_params(doubled))[0],
        column.kaun(model, x, vars)[0] * 2,
    )


@row("KN-07")
@row("T45")
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_model_has_one_float_type(dtype: str, column: Column) -> None:
    model = kaun.sequential(
        [
            kaun.conv1d(1, 2),
            kaun.batch_norm(2),
            kaun.gelu(),
            kaun.flatten(),
            kaun.linear(8, 3),
        ]
    )
    vars = kaun.init(model, dtype)
    leaves = flatten([vars.params, vars.state])[0]
    assert {leaf.dtype.name for leaf in leaves} == {dtype}
    x = draw(3, 1, 4)
    call = column.built_kaun(model, x.astype(vars.dtype), vars, training=True)
    y, after = call(x.astype(vars.dtype), vars, None, None)
    assert y.dtype.name == dtype
    assert {leaf.dtype.name for leaf in flatten(after.state)[0]} == {dtype}
    wide = kaun.init(model, "float64")
    y64, after64 = kaun.apply(model, wide, x.astype(np.float64), training=True)
    tolerance = {"float16": 5e-3, "bfloat16": 5e-2, "float32": 1e-5, "float64": 1e-12}[
        dtype
    ]
    close(y.astype(np.float64), y64, rtol=tolerance, atol=tolerance)
    means = (at.state[1]["running_mean"].astype(np.float64) for at in (after, after64))
    close(*means, rtol=tolerance, atol=tolerance)


def kind(layer: Any) -> str:
    """Return the function of `lxc.kaun` that made a layer."""
    return str(layer.apply.kind)


LAYERS = [
    kaun.linear(4, 2), kaun.conv1d(4, 2), kaun.conv2d(4, 2), kaun.layer_norm(4),
    kaun.rms_norm(4), kaun.batch_norm(4), kaun.dropout(0.5), kaun.relu(), kaun.gelu(),
    kaun.silu(), kaun.tanh(), kaun.sigmoid(), kaun.max_pool2d(2), kaun.avg_pool2d(2),
    kaun.flatten(), kaun.multi_head_attention(4, 2),
]  # fmt: skip


@row("KN-07")
@row("T45")
@pytest.mark.parametrize("layer", LAYERS, ids=kind)
def test_an_input_of_another_type_is_refused_not_cast(
    layer: kaun.Layer, column: Column
) -> None:
    for given, model in (
        ("float64", "float32"),
        ("float32", "bfloat16"),
        ("int32", "float16"),
    ):
        vars = kaun.init(layer, model)
        message = f"input dtype {given} does not match model dtype {model}"
        with pytest.raises(LxcError, match=message) as caught:
            column.kaun(layer, np.ones((4, 4, 4, 4), given), vars)
        assert caught.value.code == "LXC-E0103"


@row("KN-07")
@row("T45")
def test_an_artifact_takes_no_other_type_either(column: Column) -> None:
    layer = kaun.linear(2, 2)
    vars = kaun.init(layer)
    call = column.built_kaun(layer, draw(3, 2), vars)
    if column.name != "interpreter":
        with pytest.raises(LxcError, match="float64") as caught:
            call(np.ones((3, 2)), vars, None, None)
        assert caught.value.code in ("LXC-E0103", "LXC-E0501")


@row("KN-07")
def test_a_model_is_of_floats() -> None:
    for dtype in ("int32", "bool"):
        with pytest.raises(LxcError, match="float type"):
            kaun.init(kaun.relu(), dtype)


@row("KN-08", eager_because=HOST)
def test_make_vars_takes_any_name_of_a_type() -> None:
    params = {"weight": f32([1])}
    for name in ("float32", "f32", np.float32, np.dtype(np.float32)):
        vars = kaun.make_vars(params, [], name)
        assert vars.dtype == np.float32
        assert vars.params is params
        assert vars.state == []


@row("KN-09")
def test_the_mode_is_a_bool_and_never_a_tensor(column: Column) -> None:
    seen = []

    def double_in_training(ctx: Any, training: Any, rngs: Any, x: Any) -> Any:
        seen.append(training)
        return x * 2 if training else x

    model = kaun.sequential([layer_of(double_in_training), kaun.tanh()])
    vars, x = kaun.init(model), f32([0.5])
    close(column.kaun(model, x, vars, training=True)[0], np.tanh(f32([1])))
    close(column.kaun(model, x, vars)[0], np.tanh(x))
    assert set(map(type, seen)) == {bool}


@row("KN-09")
@pytest.mark.parametrize("layer", LAYERS, ids=kind)
def test_the_mode_changes_dropout_and_batch_norm_only(layer: kaun.Layer) -> None:
    vars = kaun.init(layer)
    rank = {"multi_head_attention": 3, "conv1d": 3}.get(kind(layer), 4)
    given = {"rngs": key(0, 0)}
    graphs = [
        lxc.trace(layer, draw(*(4,) * rank), vars, training=training, **given)
        for training in (True, False)
    ]
    assert [graph.mode for graph in graphs] == ["train", "test"]
    texts = {str(graph.replaced(mode="test")) for graph in graphs}
    assert len(texts) == (2 if kind(layer) in ("dropout", "batch_norm") else 1)


@row("KN-10")
@row("D18")
def test_dropout_needs_a_key_in_training_only(column: Column) -> None:
    for layer in (kaun.dropout(0.5), kaun.multi_head_attention(2, 1, dropout=0.5)):
        model = kaun.sequential([kaun.relu(), layer])
        vars, x = kaun.init(model), draw(3, 2, 2)
        with pytest.raises(LxcError, match="requires rngs during training") as caught:
            column.kaun(model, x, vars, training=True)
        assert caught.value.code == "LXC-E0108"
        column.kaun(model, x, vars)
    for layer in (kaun.dropout(0), kaun.multi_head_attention(2, 1)):
        x, vars = draw(3, 2, 2), kaun.init(layer)
        close_sums(
            column.kaun(layer, x, vars, training=True)[0], kaun.predict(layer, vars, x)
        )


@row("KN-10")
def test_sequential_splits_the_key_into_that_of_the_layer_and_the_rest(
    column: Column,
) -> None:
    model = kaun.sequential([kaun.relu(), kaun.dropout(0.3)])
    ones, vars = np.ones((4, 6), np.float32), kaun.init(model)
    y, _ = column.kaun(model, ones, vars, training=True, rngs=key(5, 6))
    assert pattern(y) == ["x.xx.x", ".xxxxx", "..xx..", ".xxxx."]
    close(y.max(), 1 / 0.7)
    own, _ = ops.random_split(ops.random_split(key(5, 6))[1])
    alone = kaun.dropout(0.3)
    same(y, kaun.apply(alone, kaun.init(alone), ones, training=True, rngs=own)[0])


@row("KN-10")
def test_compose_splits_the_key_in_two(column: Column) -> None:
    model = kaun.compose(kaun.dropout(0.4), kaun.dropout(0.4))
    ones, vars = np.ones((4, 6), np.float32), kaun.init(model)
    y, _ = column.kaun(model, ones, vars, training=True, rngs=key(7, 8))
    assert pattern(y) == ["x..x..", "...x.x", "..xx.x", "x.x..x"]
    alone, x = kaun.dropout(0.4), ones
    for own in ops.random_split(key(7, 8)):
        x, _ = kaun.apply(alone, kaun.init(alone), x, training=True, rngs=own)
    same(y, x)


@row("KN-10")
def test_a_custom_layer_may_take_rngs_or_leave_them_out(column: Column) -> None:
    def with_rngs(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, x: Any
    ) -> Any:
        return (x if rngs is None else x * rngs[1].astype(dtype)), state

    model = kaun.sequential([Doubled(), kaun.Layer(kaun.relu().init, with_rngs)])
    vars, x = kaun.init(model), f32([1, 2])
    same(column.kaun(model, x, vars)[0], f32([2, 4]))
    y, _ = column.kaun(model, x, vars, rngs=key(5, 6))
    own, _ = ops.random_split(ops.random_split(key(5, 6))[1])
    same(y, f32([2, 4]) * own[1].astype(np.float32))


@row("KN-11")
def test_paths_are_dotted_and_no_variables_are_an_empty_list() -> None:
    model = kaun.sequential(
        [kaun.relu(), kaun.compose(kaun.embedding(2, 2), kaun.tanh()), kaun.linear(2, 2)]
    )
    vars = kaun.init(model)
    assert vars.params[0] == []
    assert vars.state == [[], {"left": [], "right": []}, []]
    assert flatten(vars.params)[1].paths() == ["1.left.embedding", "2.weight", "2.bias"]
    assert flatten(f32([1]))[1].paths() == [""]
    for name in ("", "a.b", "a[0]", "a]"):
        with pytest.raises(LxcError) as caught:
            flatten({name: f32([1])})
        assert caught.value.code == "LXC-E0102"


@row("KN-11")
def test_a_tree_may_be_one_tensor(column: Column) -> None:
    def scaled(params: Any, state: Any, dtype: Any, training: Any, x: Any) -> Any:
        return x * params, state

    def one(dtype: Any, rng: np.random.Generator) -> kaun.Vars:
        return kaun.make_vars(np.full((), 3, dtype), [], dtype)

    layer = kaun.Layer(one, scaled)
    y, after = column.kaun(layer, f32([1, 2]), kaun.init(layer))
    same(y, f32([3, 6]))
    assert after.state == []


@row("KN-12")
@row("T28")
def test_sequential_keeps_empty_entries(column: Column) -> None:
    model = kaun.sequential([kaun.linear(3, 4), kaun.relu(), kaun.linear(4, 2)])
    vars = kaun.init(model)
    assert vars.params[1] == []
    assert flatten(vars.params)[1].paths() == ["0.weight", "0.bias", "2.weight", "2.bias"]
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 3))
    call = column.built_kaun(model, spec, vars)
    first, _, last = (
        {name: torch.tensor(leaf) for name, leaf in entry.items()} if entry else entry
        for entry in vars.params
    )
    for count in (1, 5, 8):
        x = draw(count, 3)
        y, after = call(x, vars, None, None)
        hidden = torch.relu(torch.from_numpy(x) @ first["weight"] + first["bias"])
        close_sums(y, hidden @ last["weight"] + last["bias"])
    assert after.state == [[], [], []]


@row("KN-12")
def test_no_layers_are_the_identity(column: Column) -> None:
    model = kaun.sequential([])
    vars, x = kaun.init(model), draw(2, 3)
    assert (vars.params, vars.state) == ([], [])
    same(column.kaun(model, x, vars)[0], x)
    nested = kaun.sequential([model, kaun.tanh(), model])
    close(column.kaun(nested, x, kaun.init(nested))[0], np.tanh(x))


@row("KN-12")
def test_lists_have_one_entry_per_layer(column: Column) -> None:
    model = kaun.sequential([kaun.linear(2, 2), kaun.relu()])
    vars = kaun.init(model)
    for wrong in (
        vars.with_params([*vars.params, []]), vars.with_params({"first": vars.params[0]}),
        vars.with_state([[]]), vars.with_state([]),
    ):  # fmt: skip
        with pytest.raises(LxcError, match="length mismatch"):
            column.kaun(model, draw(1, 2), wrong)


@row("KN-13")
def test_compose_runs_left_then_right_and_nests(column: Column) -> None:
    model = kaun.compose(kaun.compose(kaun.embedding(5, 3), kaun.tanh()), kaun.linear(3, 2))
    vars = kaun.init(model)
    paths = flatten(vars.params)[1].paths()
    assert paths == ["left.left.embedding", "right.weight", "right.bias"]
    ids = i32([4, 0, 2])
    y, after = column.kaun(model, ids, vars)
    assert y.shape == (3, 2)
    table = torch.tensor(vars.params["left"]["left"]["embedding"])
    right = {name: torch.tensor(leaf) for name, leaf in vars.params["right"].items()}
    hidden = torch.tanh(table[torch.from_numpy(ids).long()] * 3**0.5)
    close_sums(y, hidden @ right["weight"] + right["bias"])
    assert after.state == {"left": {"left": [], "right": []}, "right": []}


def residual(size: int) -> kaun.Layer:
    """Return the page's example of a layer of one's own."""
    inner = kaun.sequential([kaun.linear(size, size), kaun.relu(), kaun.linear(size, size)])

    def apply(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        y, state = inner.apply(params, state, dtype, training, rngs, ctx, x)
        return x + y, state

    return kaun.Layer(inner.init, apply)


@row("KN-14")
def test_a_residual_block_adds_its_input(column: Column) -> None:
    model = residual(3)
    vars, x = kaun.init(model), draw(2, 3)
    assert flatten(vars.params)[1].paths() == ["0.weight", "0.bias", "2.weight", "2.bias"]
    call = column.built_kaun(model, x, vars)
    y, after = call(x, vars, None, None)
    first, _, last = vars.params
    close_sums(y, x + np.maximum(x @ first["weight"], 0) @ last["weight"])
    assert after.state == [[], [], []]
    zeros = [
        {name: leaf * 0 for name, leaf in entry.items()} if entry else []
        for entry in vars.params
    ]
    same(call(x, vars.with_params(zeros), None, None)[0], x)


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
