"""What calls of the Kaun family refuse: inputs, variables, modes and contexts."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun
from lxc.errors import LxcError
from tests.conformance.columns import Column, draw, f32
from tests.conformance.rows import row

KEY = np.array([1, 2], np.uint32)


@row("KN-07")
@pytest.mark.parametrize("x", [[[1.0, 2.0]], [f32([1, 2])], (f32([1, 2]),), 3.0, None, "x"])
def test_an_input_that_is_no_array_is_named(x: Any, column: Column) -> None:
    for layer, dtype in (
        (kaun.linear(2, 2), "float32"),
        (kaun.flatten(), "float32"),
        (kaun.sequential([kaun.relu()]), "float32"),
        (kaun.embedding(3, 2), "int32"),
    ):
        with pytest.raises(LxcError) as caught:
            column.kaun(layer, x, kaun.init(layer))
        assert caught.value.code == "LXC-E0103"
        words = str(caught.value)
        assert f"of type {type(x).__name__}" in words
        assert f"an array of {dtype}" in words
    with pytest.raises(LxcError, match=f"of type {type(x).__name__}"):
        kaun.rope(x)


LAYERS: list[tuple[kaun.Layer, tuple[int, ...]]] = [
    (kaun.linear(4, 2), (2, 4)), (kaun.conv1d(4, 2), (2, 4, 5)),
    (kaun.conv2d(4, 2), (2, 4, 3, 3)), (kaun.layer_norm(4), (4,)),
    (kaun.rms_norm(4), (4,)), (kaun.batch_norm(4), (3, 4)),
    (kaun.embedding(4, 2), (3,)), (kaun.multi_head_attention(4, 2), (2, 3, 4)),
]  # fmt: skip


def kind(given: Any) -> str:
    """Return the function of `lxc.kaun` that made a layer."""
    return str(getattr(given.apply, "kind", "")) if isinstance(given, kaun.Layer) else ""


@row("KN-06")
@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=kind)
def test_a_missing_tensor_is_named(
    layer: kaun.Layer, shape: tuple[int, ...], column: Column
) -> None:
    model = kaun.sequential([layer])
    vars = kaun.init(model)
    x = np.zeros(shape, np.int32 if kind(layer) == "embedding" else np.float32)
    wrong = [(name, vars.with_params([without(vars, name)])) for name in vars.params[0]]
    wrong += [(next(iter(vars.params[0])), vars.with_params([[]]))]
    if vars.state[0]:
        wrong += [("running_mean", vars.with_state([[]]))]
    for name, incomplete in wrong:
        with pytest.raises(LxcError, match=rf"entry {name} \(field missing\)") as caught:
            column.kaun(model, x, incomplete)
        assert caught.value.code == "LXC-E0105"
        assert f"0 ({kind(layer)})" in str(caught.value.layer)


def without(vars: kaun.Vars, name: str) -> dict[str, Any]:
    """Return the parameters of the only layer of a sequence, one left out."""
    return {other: leaf for other, leaf in vars.params[0].items() if other != name}


@row("KN-07")
@row("T45")
@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=kind)
def test_variables_of_another_type_are_refused_not_mixed(
    layer: kaun.Layer, shape: tuple[int, ...], column: Column
) -> None:
    vars = kaun.init(layer)
    wide = kaun.init(layer, "float64")
    x = np.zeros(shape, np.int32 if kind(layer) == "embedding" else np.float32)
    wrong = [vars.with_params(wide.params)]
    if vars.state:
        wrong += [vars.with_state(wide.state)]
    for mixed in wrong:
        with pytest.raises(LxcError, match="not of the model's dtype float32") as caught:
            column.kaun(layer, x, mixed)
        assert caught.value.code == "LXC-E0105"


@row("KN-09")
def test_a_mode_that_is_no_bool_is_refused(column: Column) -> None:
    layer, x = kaun.dropout(0.5), draw(3)
    vars = kaun.init(layer)
    wrong: list[Any] = [np.array(True), 1, "train"]
    for training in wrong:
        with pytest.raises(LxcError, match="True or False") as caught:
            column.kaun(layer, x, vars, training=training, rngs=KEY)
        assert caught.value.code == "LXC-E0103"
    taken: Any = np.bool_(True)
    y, _ = column.kaun(layer, np.ones(99, np.float32), vars, training=taken, rngs=KEY)
    assert set(y) == {0.0, 2.0}


@row("KN-09")
def test_the_mode_cannot_be_a_tensor() -> None:
    def apply(params: Any, state: Any, dtype: Any, training: bool, x: Any) -> Any:
        inner = kaun.relu()
        y, _ = kaun.apply(inner, kaun.init(inner), x, training=x.sum() > 0)
        return y, state

    layer = kaun.Layer(kaun.relu().init, apply)
    with pytest.raises(LxcError, match="known before they run") as caught:
        lxc.trace(layer, draw(3), kaun.init(layer))
    assert caught.value.code == "LXC-E0103"


@row("CTX-05")
def test_a_dict_is_no_context(column: Column) -> None:
    layer = kaun.multi_head_attention(2, 1)
    ctx: Any = {kaun.attention_mask_key: np.ones((1, 2), np.bool_)}
    with pytest.raises(LxcError, match=r"kaun\.Context") as caught:
        column.kaun(layer, draw(1, 2, 2), kaun.init(layer), ctx=ctx)
    assert caught.value.code == "LXC-E0103"


@row("KN-12")
def test_sequential_takes_a_list() -> None:
    layers: Any = kaun.relu()
    with pytest.raises(LxcError, match="not a list of layers") as caught:
        kaun.sequential(layers)
    assert caught.value.code == "LXC-E0101"
    assert kaun.init(kaun.sequential(iter([layers, layers]))).params == [[], []]  # type: ignore[arg-type]
