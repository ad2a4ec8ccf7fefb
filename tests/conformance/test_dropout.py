"""Dropout and AlphaDropout: values, modes, and the key in the state."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, same
from tests.conformance.rows import row

BATCH = lxc.Dim("N", 1, 8)
ONES = np.ones((40, 60), np.float32)
CHECKED = "the probability is checked when the layer is made"


def state(*words: int, training: bool = True) -> dict[str, Any]:
    return {"rng": np.array(words or (1, 2), np.uint32), "training": training}


def kept(y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return where ones were kept."""
    mask: np.ndarray[Any, Any] = y > 0
    return mask


@row("DRP-01")
@row("T33")
def test_kept_values_are_scaled_and_the_mask_is_that_of_eager(column: Column) -> None:
    model = nn.Dropout(0.25)
    assert list(lxc.setup(0, model)[1]) == ["rng", "training"]
    y, _ = column(model, ONES, {}, state())
    close(np.unique(y), f32([0, 4 / 3]))
    # Two thousand four hundred draws: three standard deviations are 0.027.
    assert abs(kept(y).mean() - 0.75) < 0.027
    same(y, model(ONES, {}, state())[0])
    same(kept(y), lxc.ops.random_uniform(state()["rng"], ONES.shape) > 0.25)
    x = draw(40, 60)
    scaled = torch.where(torch.tensor(kept(y)), torch.tensor(x) / 0.75, 0.0)
    close(column(model, x, {}, state())[0], scaled.numpy())


@row("DRP-01")
def test_dropout_takes_any_batch(column: Column) -> None:
    model = nn.Dropout(0.5)
    call = column.built(model, lxc.TensorSpec((BATCH, 5), "float32"), {}, state())
    for count in (1, 3, 8):
        x = draw(count, 5)
        y, after = call(x, {}, state())
        expected, wanted = model(x, {}, state())
        same(y, expected)
        same(dict(after), dict(wanted))


@row("DRP-02")
def test_nothing_is_dropped_in_test_mode(column: Column) -> None:
    x = f32([[1, np.nan, -0.0, np.inf]])
    y, after = column(nn.Dropout(0.25), x, {}, state(), "test")
    assert y.tobytes() == x.tobytes()
    assert list(after["rng"]) == [1, 2]
    assert after["training"] is False


@row("DRP-03", eager_because="a layer that drops nothing is a NoOpLayer")
def test_dropping_nothing_is_a_no_op() -> None:
    for p in (0, 0.0):
        assert isinstance(nn.Dropout(p), nn.NoOpLayer)
        assert lxc.setup(0, nn.Dropout(p, dims=1)) == ({}, {})


@row("DRP-04")
@row("T35")
def test_dropping_everything_gives_zeros(column: Column) -> None:
    x = f32([[1, np.inf, -2, np.nan]])
    call = column.built(nn.Dropout(1.0), x, {}, state())
    y, after = call(x, {}, state())
    same(y, f32([[0, 0, 0, 0]]))
    assert list(after["rng"]) != [1, 2]
    same(column(nn.Dropout(1), x, {}, state(), "test")[0], x)


@row("DRP-05")
@row("T27")
@row("T51")
@pytest.mark.parametrize("dims", [1, (0, -3), (3,), (0, 1, 2, 3), ()])
def test_axes_that_are_not_listed_share_the_mask(
    column: Column, dims: int | tuple[int, ...]
) -> None:
    model, shape = nn.Dropout(0.5, dims=dims), (5, 8, 3, 4)
    spec = lxc.TensorSpec((BATCH, *shape[1:]), "float32")
    x = np.ones(shape, np.float32)
    y, _ = column.built(model, spec, {}, state())(x, {}, state())
    listed = {axis % 4 for axis in ((dims,) if isinstance(dims, int) else dims)}
    for axis in range(4):
        one = y.take([0], axis)
        shared = bool((y == one).all())
        assert shared == (axis not in listed)
    assert set(np.unique(y)) <= {0, 2}
    same(y, model(x, {}, state())[0])


@row("DRP-05")
def test_dropping_whole_channels_is_dims_0_and_1(column: Column) -> None:
    x = np.ones((6, 10, 4, 4), np.float32)
    y, _ = column(nn.Dropout(0.5, dims=(0, 1)), x, {}, state())
    channels = kept(y).reshape(60, 16)
    assert ((channels.sum(1) == 0) | (channels.sum(1) == 16)).all()
    assert 0 < channels[:, 0].sum() < 60


@row("DRP-05")
def test_an_axis_that_is_not_there_is_an_error(column: Column) -> None:
    with pytest.raises(LxcError, match="no axis 2") as caught:
        column(nn.Dropout(0.5, dims=(0, 2)), draw(2, 3), {}, state())
    assert caught.value.code == "LXC-E0103"


@row("DRP-05", eager_because="the axes are checked when the layer is made")
@pytest.mark.parametrize("layer", [nn.Dropout, nn.VariationalHiddenDropout])
def test_axes_are_whole_numbers(layer: Any) -> None:
    for dims in (1, np.int64(1), [1], np.array([1])):
        assert layer(0.5, dims=dims) == layer(0.5, dims=(1,))
    for wrong in (1.5, "a", (0, 1.5)):
        with pytest.raises(LxcError, match="dims is a whole number") as caught:
            layer(0.5, dims=wrong)
        assert caught.value.code == "LXC-E0101"


@row("DRP-06")
def test_the_state_decides_the_mask_and_moves_on(column: Column) -> None:
    model = nn.Dropout(0.5)
    call = column.built(model, ONES, {}, state())
    first, after = call(ONES, {}, state())
    same(call(ONES, {}, state())[0], first)
    second, last = call(ONES, {}, after)
    assert not np.array_equal(first, second)
    assert after["rng"].dtype == np.uint32
    assert len({tuple(st["rng"]) for st in (state(), after, last)}) == 3
    same(dict(after), dict(model(ONES, {}, state())[1]))
    same(second, model(ONES, {}, after)[0])


@row("DRP-07", eager_because=CHECKED)
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), "0.5", None, (0.5,)])
@pytest.mark.parametrize(
    "layer", [nn.Dropout, nn.AlphaDropout, nn.VariationalHiddenDropout]
)
def test_p_is_a_probability(layer: Any, p: Any) -> None:
    with pytest.raises(LxcError, match="p is a probability") as caught:
        layer(p)
    assert caught.value.code == "LXC-E0101"


@row("ADR-01")
@row("T34")
def test_dropped_values_are_those_of_selu(column: Column) -> None:
    model = nn.AlphaDropout(0.5)
    assert list(lxc.setup(0, model)[1]) == ["rng", "training"]
    y, after = column(model, ONES, {}, state())
    values = np.unique(y)
    close(values, f32([-0.779194, 1.665599]))
    torch.manual_seed(0)
    both = torch.alpha_dropout(torch.ones(1000), 0.5, True).numpy()
    close(values, np.unique(both))
    assert abs((y > 0).mean() - 0.5) < 0.031
    expected, wanted = model(ONES, {}, state())
    close(y, expected)
    same(dict(after), dict(wanted))
    assert list(after["rng"]) != [1, 2]


@row("ADR-01")
def test_alpha_dropout_keeps_mean_and_variance(column: Column) -> None:
    model = nn.AlphaDropout(0.2)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 200), 200), "float32")
    call = column.built(model, spec, {}, state())
    x = draw(200, 200)
    y, after = call(x, {}, state())
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02
    values, counts = np.unique(y, return_counts=True)
    assert abs(counts.max() / y.size - 0.2) < 0.01
    mask = model(np.full_like(x, 5), {}, state())[0] > 0
    same(y == values[counts.argmax()], ~mask)
    assert not np.array_equal(call(x, {}, after)[0], y)
    close(call(x[:3], {}, state())[0], model(x[:3], {}, state())[0])


@row("ADR-02a", eager_because="a layer that drops nothing is a NoOpLayer")
def test_alpha_dropping_nothing_is_a_no_op() -> None:
    assert isinstance(nn.AlphaDropout(0), nn.NoOpLayer)
    assert lxc.setup(0, nn.AlphaDropout(0.0)) == ({}, {})


@row("ADR-02b")
@row("D12")
@pytest.mark.parametrize("mode", ["train", "test"])
def test_alpha_dropping_everything_is_a_layer_of_zeros(column: Column, mode: str) -> None:
    model = nn.AlphaDropout(1)
    assert isinstance(model, nn.WrappedFunction)
    ps, st = lxc.setup(0, model)
    assert (ps, st) == ({}, {})
    call = column.built(model, lxc.TensorSpec((BATCH, 3), "float32"), ps, st)
    for count in (1, 5):
        x = np.full((count, 3), np.inf, np.float32)
        y, after = call(x, ps, st)
        same(y, np.zeros((count, 3), np.float32))
        assert after == {}


@row("ADR-03")
def test_alpha_dropout_does_nothing_in_test_mode(column: Column) -> None:
    x = f32([[1, np.nan, -0.0, np.inf]])
    y, after = column(nn.AlphaDropout(0.25), x, {}, state(), "test")
    assert y.tobytes() == x.tobytes()
    assert list(after["rng"]) == [1, 2]
    assert after["training"] is False
