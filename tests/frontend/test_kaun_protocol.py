"""Kaun's layer protocol: variables, composition, keys and contexts."""

from typing import Any

import numpy as np
import pytest

from lxc import kaun
from lxc.errors import LxcError
from lxc.frontend.kaun import trace_kaun
from lxc.ir import TensorSpec
from lxc.tree import flatten
from tests.frontend.kaun_layers import Doubled, Shifted, counting
from tests.frontend.modes import SUMS, Mode, close, draw, f32, same

NO_LAYER: Any = np.tanh


def key(first: int, second: int) -> Any:
    return np.array([first, second], np.uint32)


def rows(y: Any) -> list[str]:
    return ["".join("x" if cell else "." for cell in row) for row in y]


def test_kn_01_a_record_of_two_functions_and_any_object_with_them_are_layers(
    run: Mode,
) -> None:
    model = kaun.sequential([counting(), Shifted(3), kaun.compose(Shifted(3), counting())])
    vars = kaun.init(model)
    y, after = run.kaun(model, vars, f32([1, 2, 3]))
    same(y, f32([3, 4, 5]))
    assert int(after.state[0]) == 1
    assert int(after.state[2]["right"]) == 1
    _, after = run.kaun(model, after, f32([1, 2, 3]))
    assert int(after.state[0]) == 2


def leaves_both_out(params: Any, state: Any, dtype: Any, training: Any, x: Any) -> Any:
    return x * 2, state


def leaves_ctx_out(
    params: Any, state: Any, dtype: Any, training: Any, rngs: Any, x: Any
) -> Any:
    return x * rngs.shape[0], state


def leaves_rngs_out(
    params: Any, state: Any, dtype: Any, training: Any, _ctx: Any, x: Any
) -> Any:
    return x * _ctx.get("factor"), state


def names_them_behind(
    params: Any, state: Any, dtype: Any, training: Any, x: Any, ctx: Any, *, rngs: Any
) -> Any:
    return x * ctx.get("factor") * (rngs.shape[0] // 2), state


def has_options_of_its_own(
    params: Any,
    state: Any,
    dtype: Any,
    training: Any,
    x: Any,
    factor: int = 2,
    add: int = 0,
) -> Any:
    return x * factor + add, state


def takes_any(*everything: Any) -> Any:
    _, state, _, _, _, ctx, x = everything
    return x * ctx.get("factor"), state


def has_other_names(p: Any, s: Any, d: Any, t: Any, key: Any, ctx: Any, x: Any) -> Any:
    return x * key.shape[0], s


@pytest.mark.parametrize(
    "apply",
    [
        leaves_both_out, leaves_ctx_out, leaves_rngs_out, names_them_behind,
        has_options_of_its_own, takes_any, has_other_names,
    ],
)  # fmt: skip
def test_kn_01_rngs_and_ctx_may_be_left_out(apply: Any, run: Mode) -> None:
    model = kaun.sequential([kaun.Layer(kaun.relu().init, apply), kaun.relu()])
    ctx = kaun.Context.empty.set("factor", f32(2))
    y, _ = run.kaun(model, kaun.init(model), f32([1, 2]), rngs=key(1, 2), ctx=ctx)
    same(y, f32([2, 4]))


def test_kn_01_an_object_s_own_apply_may_leave_them_out_too(run: Mode) -> None:
    y, _ = run.kaun(Doubled(), kaun.init(Doubled()), f32([1, 2]))
    same(y, f32([2, 4]))


def test_kn_01_another_signature_is_refused_where_the_layer_is_made() -> None:
    def short(params: Any, state: Any, x: Any) -> Any:
        return x, state

    def unnamed(p: Any, s: Any, d: Any, t: Any, key: Any, x: Any) -> Any:
        return x, s

    for apply in (short, unnamed):
        with pytest.raises(LxcError, match="cannot be called") as error:
            kaun.Layer(kaun.relu().init, apply)
        assert error.value.code == "LXC-E0101"
        assert "[rngs], [ctx], x)" in str(error.value.expected)


def test_kn_01_something_without_the_callables_is_refused() -> None:
    with pytest.raises(LxcError, match="is not a layer"):
        kaun.sequential([kaun.relu(), NO_LAYER])


def test_kn_02_neighbours_of_different_element_types_are_an_error(run: Mode) -> None:
    def halved(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        return x.astype(np.float16), state

    cast = kaun.Layer(kaun.relu().init, halved)
    model = kaun.compose(cast, kaun.linear(3, 2))
    with pytest.raises(LxcError, match="float16 does not match model dtype float32"):
        run.kaun(model, kaun.init(model), draw(2, 3))


def test_kn_03_one_seed_gives_one_set_of_variables() -> None:
    model = kaun.sequential([kaun.linear(3, 2), kaun.linear(2, 2)])
    first, second = kaun.init(model, rng=5), kaun.init(model, rng=5)
    same(first.params, second.params)
    generator = np.random.default_rng(5)
    same(kaun.init(model, rng=generator).params, first.params)
    other = kaun.init(model, rng=generator)
    assert not np.array_equal(other.params[0]["weight"], first.params[0]["weight"])


def test_kn_04_apply_replaces_the_state_only(run: Mode) -> None:
    model = kaun.batch_norm(2)
    vars = kaun.init(model)
    before = [leaf.copy() for leaf in flatten(vars.state)[0]]
    _, after = run.kaun(model, vars, draw(4, 2), training=True)
    assert after.params is vars.params
    assert after.dtype == np.float32
    for leaf, old in zip(flatten(vars.state)[0], before, strict=True):
        same(leaf, old)
    assert not np.array_equal(after.state["running_mean"], vars.state["running_mean"])


def test_kn_05_and_06_variables_have_parts_that_can_be_replaced() -> None:
    vars = kaun.init(kaun.batch_norm(2))
    assert list(vars.params) == ["scale", "bias"]
    assert list(vars.state) == ["running_mean", "running_var"]
    assert vars.dtype == np.float32
    assert vars.with_params([]).params == []
    assert vars.with_params([]).state is vars.state
    assert vars.with_state([]).state == []
    assert vars.with_state([]).params is vars.params


def test_kn_06_parts_that_do_not_fit_show_when_they_are_used(run: Mode) -> None:
    model = kaun.sequential([kaun.linear(2, 2), kaun.relu()])
    vars = kaun.init(model)
    with pytest.raises(LxcError, match="length mismatch"):
        run.kaun(model, vars.with_params(vars.params[:1]), draw(1, 2))
    pair = kaun.compose(kaun.relu(), kaun.relu())
    with pytest.raises(LxcError, match="field missing"):
        run.kaun(pair, kaun.init(pair).with_state({"left": []}), draw(1, 2))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_kn_07_every_parameter_has_the_model_s_type(dtype: str, run: Mode) -> None:
    model = kaun.sequential([kaun.conv2d(1, 2), kaun.batch_norm(2), kaun.relu()])
    vars = kaun.init(model, dtype=dtype)
    leaves = flatten([vars.params, vars.state])[0]
    assert {leaf.dtype for leaf in leaves} == {np.dtype(dtype)}
    y, after = run.kaun(model, vars, np.ones((1, 1, 4, 4), dtype), training=True)
    assert y.dtype == dtype
    assert {leaf.dtype for leaf in flatten(after.state)[0]} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    "layer",
    [
        kaun.linear(4, 2), kaun.conv2d(4, 2), kaun.batch_norm(4), kaun.dropout(0.5),
        kaun.relu(), kaun.gelu(), kaun.silu(), kaun.tanh(), kaun.sigmoid(),
        kaun.max_pool2d(2), kaun.avg_pool2d(2), kaun.flatten(),
    ],
)  # fmt: skip
def test_kn_07_an_input_of_another_type_is_refused_not_cast(layer: Any, run: Mode) -> None:
    message = "input dtype float64 does not match model dtype float32"
    with pytest.raises(LxcError, match=message):
        run.kaun(layer, kaun.init(layer), np.ones((4, 4, 4, 4)))


def test_kn_07_a_model_has_a_float_type() -> None:
    with pytest.raises(LxcError, match="float type"):
        kaun.init(kaun.relu(), dtype="int32")


def test_kn_08_make_vars_takes_any_name_of_a_type() -> None:
    for name in ("float32", "f32", np.float32, np.dtype(np.float32)):
        assert kaun.make_vars([], [], name).dtype == np.float32


def test_kn_09_the_mode_is_static_and_changes_batch_norm_and_dropout_only() -> None:
    model = kaun.sequential([kaun.linear(2, 2), kaun.gelu()])
    vars, x = kaun.init(model), TensorSpec((3, 2))
    graphs = [trace_kaun(model, x, vars, training=training) for training in (True, False)]
    assert [graph.mode for graph in graphs] == ["train", "test"]
    assert str(graphs[0].replaced(mode="test")) == str(graphs[1])


def test_kn_10_dropout_needs_a_key_in_training_only(run: Mode) -> None:
    model = kaun.sequential([kaun.linear(2, 2), kaun.dropout(0.5)])
    vars, x = kaun.init(model), draw(3, 2)
    with pytest.raises(LxcError, match="requires rngs during training") as error:
        run.kaun(model, vars, x, training=True)
    assert error.value.code == "LXC-E0108"
    y, _ = run.kaun(model, vars, x)
    close(y, x @ vars.params[0]["weight"], **SUMS)
    none = kaun.dropout(0)
    same(run.kaun(none, kaun.init(none), x, training=True)[0], x)


def test_kn_10_sequential_splits_the_key_into_layer_and_rest(run: Mode) -> None:
    model = kaun.sequential([kaun.relu(), kaun.dropout(0.3)])
    ones = np.ones((4, 6), np.float32)
    y, _ = run.kaun(model, kaun.init(model), ones, training=True, rngs=key(5, 6))
    assert rows(y) == ["x.xx.x", ".xxxxx", "..xx..", ".xxxx."]
    close(y.max(), 1 / 0.7)


def test_kn_10_compose_splits_the_key_in_two(run: Mode) -> None:
    model = kaun.compose(kaun.dropout(0.4), kaun.dropout(0.4))
    ones = np.ones((4, 6), np.float32)
    y, _ = run.kaun(model, kaun.init(model), ones, training=True, rngs=key(7, 8))
    assert rows(y) == ["x..x..", "...x.x", "..xx.x", "x.x..x"]


def test_kn_11_no_variables_are_an_empty_list_and_paths_are_dotted() -> None:
    model = kaun.sequential([kaun.relu(), kaun.compose(kaun.linear(2, 2), kaun.tanh())])
    vars = kaun.init(model)
    assert vars.params[0] == []
    assert vars.state == [[], {"left": [], "right": []}]
    graph = trace_kaun(model, TensorSpec((1, 2)), vars)
    assert [value.name for value in graph.params] == ["@1.left.weight", "@1.left.bias"]


def test_kn_11_a_tree_of_one_tensor_has_an_empty_path() -> None:
    model = counting()
    vars = kaun.init(model)
    graph = trace_kaun(model, TensorSpec((1, 2)), vars)
    assert [value.name for value in graph.state] == ["$"]
