"""Kaun's sequential, compose, custom layers and contexts."""

from typing import Any

import numpy as np
import pytest

from lxc import kaun
from lxc.errors import LxcError
from lxc.frontend.kaun import trace_kaun
from lxc.ir import TensorSpec
from lxc.tree import flatten
from tests.frontend.kaun_layers import Shifted, masked
from tests.frontend.modes import SUMS, Mode, close, draw, f32, same


def test_kn_12_sequential_keeps_empty_entries(run: Mode) -> None:
    model = kaun.sequential([kaun.linear(3, 4), kaun.relu(), kaun.linear(4, 2)])
    vars = kaun.init(model)
    assert vars.params[1] == []
    _, structure = flatten(vars.params)
    assert structure.paths() == ["0.weight", "0.bias", "2.weight", "2.bias"]
    x = draw(5, 3)
    y, after = run.kaun(model, vars, x)
    first, _, last = vars.params
    hidden = np.maximum(x @ first["weight"] + first["bias"], 0)
    close(y, hidden @ last["weight"] + last["bias"], **SUMS)
    assert after.state == [[], [], []]


def test_kn_12_no_layers_are_the_identity(run: Mode) -> None:
    model = kaun.sequential([])
    vars = kaun.init(model)
    assert (vars.params, vars.state) == ([], [])
    x = draw(2, 3)
    same(run.kaun(model, vars, x)[0], x)


def test_kn_13_compose_runs_left_then_right_and_nests(run: Mode) -> None:
    inner = kaun.compose(kaun.linear(2, 3), kaun.relu())
    model = kaun.compose(inner, kaun.linear(3, 1))
    vars = kaun.init(model)
    assert list(vars.params) == ["left", "right"]
    x = draw(4, 2)
    left, right = vars.params["left"]["left"], vars.params["right"]
    hidden = np.maximum(x @ left["weight"] + left["bias"], 0)
    y, after = run.kaun(model, vars, x)
    close(y, hidden @ right["weight"] + right["bias"], **SUMS)
    assert after.state == {"left": {"left": [], "right": []}, "right": []}


def test_kn_13_compose_may_change_the_element_type(run: Mode) -> None:
    def widened(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        return x.astype(dtype), state

    cast = kaun.Layer(kaun.relu().init, widened)
    model = kaun.compose(cast, kaun.linear(3, 2))
    vars = kaun.init(model)
    y, _ = run.kaun(model, vars, np.arange(3, dtype=np.int32))
    close(y, f32([0, 1, 2]) @ vars.params["right"]["weight"], **SUMS)


def residual(size: int) -> kaun.Layer:
    inner = kaun.sequential([kaun.linear(size, size), kaun.relu(), kaun.linear(size, size)])

    def apply(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        y, state = inner.apply(params, state, dtype, training, rngs, ctx, x)
        return x + y, state

    return kaun.Layer(inner.init, apply)


def test_kn_14_a_residual_block_of_zero_weights_is_the_identity(run: Mode) -> None:
    model = kaun.sequential([residual(3), kaun.relu()])
    vars = kaun.init(model)
    leaves, _ = flatten(vars.params)
    assert len(leaves) == 4
    zeros = [
        [
            {name: leaf * 0 for name, leaf in entry.items()} if entry else []
            for entry in vars.params[0]
        ],
        [],
    ]
    x = np.abs(draw(2, 3))
    same(run.kaun(model, vars.with_params(zeros), x)[0], x)


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


def test_ctx_01_and_02_setting_makes_a_new_context() -> None:
    empty = kaun.Context.empty
    first = empty.set("mask", f32([1]))
    second = first.set("mask", f32([2])).set("ids", f32([3]))
    assert dict(empty.bindings) == {}
    same(first.get("mask"), f32([1]))
    same(second.get("mask"), f32([2]))
    assert list(second.bindings) == ["mask", "ids"]
    with pytest.raises(TypeError):
        first.bindings["mask"] = 3  # type: ignore[index]


def test_ctx_03_a_look_up_finds_none_or_fails() -> None:
    ctx = kaun.Context.empty.set("mask", f32([1]))
    assert ctx.find("ids") is None
    same(ctx.get("mask", np.float32), f32([1]))
    with pytest.raises(LxcError, match="no tensor called ids") as error:
        ctx.get("ids")
    assert error.value.code == "LXC-E0112"
    with pytest.raises(LxcError, match="another element type"):
        ctx.get("mask", "int32")
    with pytest.raises(LxcError, match="cannot be a name"):
        ctx.set("a.b", f32([1]))


def test_ctx_04_every_layer_sees_the_context(run: Mode) -> None:
    model = kaun.sequential([kaun.relu(), kaun.compose(kaun.tanh(), masked())])
    ctx = kaun.Context.empty.set("mask", f32([0, 1])).set("unknown", f32([7]))
    y, _ = run.kaun(model, kaun.init(model), f32([2, 2]), ctx=ctx)
    close(y, [0, np.tanh(2)])


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
