"""Kaun's layers one after the other, and layers of one's own around them."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import kaun
from lxc.errors import LxcError
from lxc.tree import flatten
from tests.conformance.columns import Column, close, close_sums, draw, i32, same
from tests.conformance.rows import row


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


def residual(inner: kaun.Layer) -> kaun.Layer:
    """Return the page's example of a layer of one's own."""

    def apply(
        params: Any, state: Any, dtype: Any, training: Any, rngs: Any, ctx: Any, x: Any
    ) -> tuple[Any, Any]:
        y, state = inner.apply(params, state, dtype, training, rngs, ctx, x)
        return x + y, state

    return kaun.Layer(inner.init, apply)


@row("KN-14")
def test_a_residual_block_adds_its_input(column: Column) -> None:
    model = residual(kaun.sequential([kaun.linear(3, 3), kaun.relu(), kaun.linear(3, 3)]))
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
    norm = residual(kaun.batch_norm(3))
    vars = kaun.init(norm)
    _, after = column.kaun(norm, x, vars, training=True)
    close(after.state["running_mean"], 0.01 * x.mean(0))
