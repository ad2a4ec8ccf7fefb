"""Kaun's layer protocol: variables, composition, keys and contexts."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, ops
from lxc.errors import LxcError
from lxc.tree import flatten
from tests.conformance.columns import Column, close, close_sums, draw, f32, i32, same
from tests.conformance.kaun_kinds import LAYERS, kind
from tests.conformance.rows import row
from tests.frontend.kaun_layers import Doubled, Shifted, counting, layer_of

HOST = "variables are made and taken apart in Python"
DTYPES = ("float16", "bfloat16", "float32", "float64")


def key(first: int, second: int) -> Any:
    """Return a key."""
    return np.array([first, second], np.uint32)


def pattern(y: Any) -> list[str]:
    """Return where the rows of an array are not zero."""
    return ["".join("x" if cell else "." for cell in line) for line in y]


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
        # Where there is a graph, making it is enough.
        attempt = column.kaun if column.name == "eager" else column.built_kaun
        with pytest.raises(LxcError, match=words) as caught:
            attempt(wrong, x, kaun.init(wrong))
        assert caught.value.layer


@row("KN-03", eager_because=HOST)
def test_one_seed_gives_one_set_of_variables() -> None:
    model = kaun.sequential([kaun.linear(3, 2), kaun.multi_head_attention(2, 1)])
    first, second = kaun.init(model, rng=5), kaun.init(model, rng=5)
    same(first.params, second.params)
    assert {leaf.dtype.name for leaf in flatten(first.params)[0]} == {"float32"}
    twins = kaun.init(kaun.sequential([kaun.linear(3, 2), kaun.linear(3, 2)])).params
    assert not np.array_equal(twins[0]["weight"], twins[1]["weight"])
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
    assert modes_differ(layer) == (kind(layer) in ("dropout", "batch_norm"))


@row("KN-09")
def test_the_mode_changes_dropout_of_attention() -> None:
    assert modes_differ(kaun.multi_head_attention(4, 2, dropout=0.1))


def modes_differ(layer: kaun.Layer) -> bool:
    """Return whether a layer has another graph in training."""
    vars = kaun.init(layer)
    rank = {"multi_head_attention": 3, "conv1d": 3}.get(kind(layer), 4)
    given = {"rngs": key(0, 0)}
    graphs = [
        lxc.trace(layer, draw(*(4,) * rank), vars, training=training, **given)
        for training in (True, False)
    ]
    assert [graph.mode for graph in graphs] == ["train", "test"]
    first, second = (str(graph.replaced(mode="test")) for graph in graphs)
    return first != second


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
    for name in ("", "a.b", "a[0", "a]", "."):
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
