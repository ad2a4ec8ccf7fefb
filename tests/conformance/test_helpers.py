"""Layers without parameters, and Maxout."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row

BATCH = lxc.Dim("N", 1, 8)


@row("HLP-01")
def test_a_no_op_returns_what_it_gets(column: Column) -> None:
    x = draw(2, 3)
    for tree in (x, (x, x + 1), {"a": x, "b": (x + 1, [x])}, [x]):
        y, st = column(nn.NoOpLayer(), tree, {}, {})
        same(y, tree)
        assert st == {}


@row("HLP-01")
def test_a_no_op_keeps_none_inside_of_a_tree(column: Column) -> None:
    def with_none(x: Any) -> Any:
        return x, None, {"a": None, "b": x + 1}

    def sides(tree: Any) -> Any:
        assert tree[1] is tree[2]["a"] is None
        return tree[0] - tree[2]["b"]

    x = draw(2, 3)
    model = nn.Chain(with_none, nn.NoOpLayer(), sides, disable_optimizations=True)
    close(column.fresh(model, x), x - (x + 1))


@row("HLP-01", eager_because="without an array there is nothing to compile")
def test_a_no_op_returns_none() -> None:
    assert nn.NoOpLayer()(None, {}, {}) == (None, {})
    assert lxc.setup(0, nn.NoOpLayer()) == ({}, {})


@row("HLP-02")
def test_a_wrapped_function_gets_x_alone(column: Column) -> None:
    shapes = []

    def doubled(x: Any) -> Any:
        shapes.append(x.shape)
        return x * 2

    model = nn.WrappedFunction(doubled)
    assert lxc.setup(0, model) == ({}, {})
    x = draw(2, 3)
    call = column.built(model, x, {}, {})
    for _ in range(3):
        y, st = call(x, {}, {})
        close(y, x + x)
        assert st == {}
    assert shapes == [(2, 3)] * (3 if column.name == "eager" else 1)


@row("HLP-02", eager_because="the function is checked when the layer is made")
def test_what_is_wrapped_is_a_function() -> None:
    refused: tuple[Any, ...] = (3, "tanh", None)
    for wrong in refused:
        with pytest.raises(LxcError, match="neither a layer nor a function") as caught:
            nn.WrappedFunction(wrong)
        assert caught.value.code == "LXC-E0101"


@row("HLP-03")
def test_an_activation_function_is_a_wrapped_function_by_an_older_name(
    column: Column,
) -> None:
    with pytest.warns(DeprecationWarning, match="older name of WrappedFunction"):
        model = nn.ActivationFunction(nn.tanh)
    assert model == nn.WrappedFunction(nn.tanh)
    x = draw(2, 3)
    close(column.fresh(model, x), torch.tanh(torch.tensor(x)).numpy())


@row("HLP-04")
@row("T46")
def test_flatten_keeps_the_batch_and_c_order(column: Column) -> None:
    model = nn.FlattenLayer()
    same(column.fresh(model, f32([[[1, 2], [3, 4]]])), f32([[1, 2, 3, 4]]))
    same(column.fresh(model, f32([1, 2])), f32([[1], [2]]))
    call = column.built(model, lxc.TensorSpec((BATCH, 3, 4, 5), "float32"), {}, {})
    for count in (1, 3, 8):
        x = draw(count, 3, 4, 5)
        same(call(x, {}, {})[0], torch.flatten(torch.tensor(x), 1).numpy())
    with pytest.raises(LxcError, match="no batch axis"):
        column.fresh(model, f32(1))


@row("HLP-05")
@row("T46")
def test_reshape_keeps_the_first_axis(column: Column) -> None:
    model = nn.ReshapeLayer((3, 2))
    assert model == nn.ReshapeLayer(3, 2) == nn.ReshapeLayer([3, 2])
    call = column.built(model, lxc.TensorSpec((BATCH, 6), "float32"), {}, {})
    for count in (3, 8):
        x = draw(count, 6)
        y = call(x, {}, {})[0]
        assert y.shape == (count, 3, 2)
        assert y[0, 1, 0] == x[0, 2]
        same(y, torch.unflatten(torch.tensor(x), 1, (3, 2)).numpy())
    with pytest.raises(LxcError, match="reshape") as caught:
        column.fresh(nn.ReshapeLayer((4, 2)), draw(3, 6))
    assert caught.value.code == "LXC-E0103"


@row("HLP-05", eager_because="sizes are checked when the layer is made")
def test_the_sizes_of_a_reshape_are_whole_numbers() -> None:
    sizes: Any = np.array([3, 2])
    assert nn.ReshapeLayer(*sizes) == nn.ReshapeLayer(sizes) == nn.ReshapeLayer((3, 2))
    wrong: tuple[tuple[Any, ...], ...] = ((2.0, 3), ("ab",), (None,), (-1, -1), (-2, 3))
    for dims in wrong:
        with pytest.raises(LxcError, match="dims") as caught:
            nn.ReshapeLayer(*dims)
        assert caught.value.code == "LXC-E0101"


@row("HLP-05")
def test_one_size_of_a_reshape_may_follow_from_the_others(column: Column) -> None:
    model = nn.ReshapeLayer(-1, 2)
    call = column.built(model, lxc.TensorSpec((BATCH, 6), "float32"), {}, {})
    for count in (1, 8):
        x = draw(count, 6)
        same(call(x, {}, {})[0], torch.unflatten(torch.tensor(x), 1, (-1, 2)).numpy())
    with pytest.raises(LxcError, match="no batch axis"):
        column.fresh(model, f32(1))


@row("HLP-06", eager_because="the places are checked when the layer is made")
def test_places_to_select_are_whole_numbers() -> None:
    places: Any = np.array([1, 0])
    assert nn.SelectDim(*places) == nn.SelectDim(1, 0)
    wrong: tuple[tuple[Any, Any], ...] = (("a", 0), (1, 0.0), (1, None), (1.0, 0))
    for dim, index in wrong:
        with pytest.raises(LxcError, match="whole numbers") as caught:
            nn.SelectDim(dim, index)
        assert caught.value.code == "LXC-E0101"


@row("HLP-06")
def test_select_takes_one_entry_of_an_axis(column: Column) -> None:
    specs = lxc.TensorSpec((BATCH, 3, 4, 5), "float32")
    for dim, index in ((1, 0), (-1, 4), (2, -1), (0, 0)):
        call = column.built(nn.SelectDim(dim, index), specs, {}, {})
        x = draw(2, 3, 4, 5)
        same(call(x, {}, {})[0], torch.select(torch.tensor(x), dim, index).numpy())
    same(column.fresh(nn.SelectDim(0, 1), f32([1, 2])), f32(2))


@row("HLP-06")
@pytest.mark.parametrize(("dim", "index"), [(1, 3), (1, -4), (3, 0), (-4, 0)])
def test_select_refuses_what_is_not_there(column: Column, dim: int, index: int) -> None:
    with pytest.raises(LxcError) as caught:
        column.fresh(nn.SelectDim(dim, index), draw(2, 3, 4))
    assert caught.value.code == "LXC-E0103"


@row("HLP-06")
def test_select_refuses_an_entry_that_a_small_batch_lacks(column: Column) -> None:
    model = nn.SelectDim(0, 3)
    x = draw(2, 3)
    with pytest.raises(LxcError, match="outside of an axis"):
        column.built(model, lxc.TensorSpec((BATCH, 3), "float32"), {}, {})(x, {}, {})


@row("HLP-07")
def test_maxout_is_the_largest_output(column: Column) -> None:
    model = nn.Maxout(nn.NoOpLayer(), lambda x: 2 * x, lambda x: 0.5 * x)
    ps, st = lxc.setup(0, model)
    assert ps == st == {"layer_1": {}, "layer_2": {}, "layer_3": {}}
    x = np.arange(1, 41, dtype=np.float32)
    same(column(model, x, ps, st)[0], 2 * x)
    y = column(model, f32([-4, np.nan, 0, np.inf]), ps, st)[0]
    same(y, f32([-2, np.nan, 0, np.inf]))
    # Only one of the outputs is not a number, the first or the second.
    for parts in ((positive, nn.NoOpLayer()), (nn.NoOpLayer(), positive)):
        y = column.fresh(nn.Maxout(*parts), f32([-4, 4]))
        same(y, f32([np.nan, 4]))


def positive(x: Any) -> Any:
    return lxc.ops.where(x > 0, x, np.nan)


@row("HLP-07")
def test_maxout_of_dense_layers(column: Column) -> None:
    model = nn.Maxout(nn.Dense(3, 2), nn.Chain(nn.Dense(3, 2), nn.BatchNorm(2)))
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec((BATCH, 3), "float32")
    call = column.built(model, spec, ps, st)
    for count in (2, 5):
        x = draw(count, 3)
        inner = ps["layer_2"]["layer_1"]
        first = torch.tensor(x) @ torch.tensor(ps["layer_1"]["weight"]).T
        second = torch.nn.functional.batch_norm(
            torch.tensor(x) @ torch.tensor(inner["weight"]).T, None, None, training=True
        )
        y, st = call(x, ps, st)
        close_sums(y, torch.maximum(first, second).numpy())
    assert st["layer_2"]["layer_2"]["running_mean"].any()


@row("HLP-08")
def test_maxout_by_names(column: Column) -> None:
    model = nn.Maxout(low=nn.Scale(2), high=nn.Scale(2))
    ps = {
        "low": {"weight": f32([1, 1]), "bias": f32([0, 0])},
        "high": {"weight": f32([2, -2]), "bias": f32([0, 0])},
    }
    assert list(lxc.setup(0, model)[0]) == ["low", "high"]
    y, st = column(model, f32([[1, 1], [-1, -1]]), ps, {"low": {}, "high": {}})
    same(y, f32([[2, 1], [-1, 2]]))
    assert list(st) == ["low", "high"]


@row("HLP-09")
def test_maxout_makes_its_layers(column: Column) -> None:
    model = nn.Maxout(lambda: nn.Dense(2, 4), np.int64(4))
    assert len(nn.Maxout(lambda: nn.Dense(2, 4), 4).children) == 4
    ps, st = lxc.setup(0, model)
    assert list(ps) == [f"layer_{place}" for place in (1, 2, 3, 4)]
    leaves = [leaf for child in ps.values() for leaf in child.values()]
    assert sum(leaf.size for leaf in leaves) == 48
    weights = [child["weight"] for child in ps.values()]
    assert len({weight.tobytes() for weight in weights}) == 4
    x = draw(3, 2)
    products = torch.stack([torch.tensor(x) @ torch.tensor(w).T for w in weights])
    close_sums(column(model, x, ps, st)[0], products.amax(0).numpy())


@row("HLP-09")
@pytest.mark.parametrize(
    "arguments",
    [(), (lambda: nn.Dense(2, 2), np.int64(0)), (nn.Dense(2, 2), 2), (3,)],
)
def test_maxout_needs_layers(arguments: tuple[Any, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LxcError) as caught:
            nn.Maxout(*arguments)
    assert caught.value.code == "LXC-E0101"
