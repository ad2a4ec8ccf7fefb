"""Kaun's layers while they are traced: signatures, names, paths and contexts."""

from typing import Any

import numpy as np
import pytest

from lxc import kaun
from lxc.errors import LxcError
from lxc.frontend.kaun import trace_kaun
from lxc.ir import TensorSpec
from tests.frontend.kaun_layers import Shifted, counting, masked
from tests.frontend.modes import Mode, f32, same

NO_LAYER: Any = np.tanh


def key(first: int, second: int) -> Any:
    return np.array([first, second], np.uint32)


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


def residual(size: int) -> kaun.Layer:
    inner = kaun.sequential([kaun.linear(size, size), kaun.relu(), kaun.linear(size, size)])

    def apply(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        y, state = inner.apply(params, state, dtype, training, rngs, ctx, x)
        return x + y, state

    return kaun.Layer(inner.init, apply)


def test_kn_14_layers_inside_a_user_s_layer_have_nodes_and_paths() -> None:
    model = kaun.sequential([residual(3), Shifted(3)])
    graph = trace_kaun(model, TensorSpec((2, 3)), kaun.init(model))
    text = str(graph)
    for path, kind in (
        ("0", "Layer"),
        ("0", "sequential"),
        ("0.2", "linear"),
        ("1", "Shifted"),
    ):
        assert f'kind = "{kind}"' in text
        assert f"}} at {path} " in text


def test_ctx_05_context_tensors_are_named_inputs() -> None:
    model = kaun.sequential([masked(), kaun.dropout(0.5)])
    ctx = kaun.Context.empty.set("mask", TensorSpec((2,)))
    rngs = TensorSpec((2,), np.uint32)
    vars = kaun.init(model)
    graph = trace_kaun(model, TensorSpec((3, 2)), vars, training=True, rngs=rngs, ctx=ctx)
    assert [value.name for value in graph.inputs] == ["%x", "%rngs", "%ctx.mask"]
    assert graph.calling == "kaun"
    bare = trace_kaun(model, TensorSpec((3, 2)), vars)
    assert [value.name for value in bare.inputs] == ["%x"]
    assert str(bare.input_tree) == "{x: *}"
