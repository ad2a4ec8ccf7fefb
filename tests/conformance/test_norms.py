"""GroupNorm of the Lux family, and what it shares with its neighbours."""

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

# Without types: star arguments fill optional parameters of several kinds.
functional: Any = torch.nn.functional
BATCH = lxc.Dim("N", 1, 8)
INITIAL = "initial values are made in Python"
MADE = "options are checked when the layer is made"
COUNTED = f32(np.arange(1, 25)).reshape(2, 4, 3)


def affine(channels: int) -> dict[str, Any]:
    return {"scale": draw(channels, seed=7), "bias": draw(channels, seed=8)}


def tensors(*arrays: Any) -> list[torch.Tensor]:
    return [torch.tensor(array) for array in arrays]


def untracked(channels: int, groups: int) -> nn.GroupNorm:
    """Return a GroupNorm that uses the sample in both modes."""
    with pytest.warns(DeprecationWarning, match="track_stats"):
        return nn.GroupNorm(channels, groups, track_stats=False)


@row("GNM-01")
@row("GNM-04f")
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("axes", [(5,), (3, 2)])
def test_group_norm_in_training_is_that_of_torch(
    column: Column, groups: int, axes: tuple[int, ...]
) -> None:
    model, ps = nn.GroupNorm(4, groups), affine(4)
    _, st = lxc.setup(0, model)
    assert list(lxc.setup(0, model)[0]) == ["scale", "bias"]
    assert list(st) == ["running_mean", "running_var", "training"]
    same(st["running_mean"], np.zeros(groups, np.float32))
    same(st["running_var"], np.ones(groups, np.float32))
    call = column.built(model, lxc.TensorSpec((BATCH, 4, *axes), "float32"), ps, st)
    for count in (1, 3, 8):
        x = draw(count, 4, *axes, seed=count) * 2 + 1
        expected = functional.group_norm(
            torch.tensor(x), groups, *tensors(ps["scale"], ps["bias"])
        )
        close_sums(call(x, ps, st)[0], expected.numpy())


@row("GNM-01")
def test_group_norm_of_features(column: Column) -> None:
    model, x = nn.GroupNorm(6, 2), draw(3, 6)
    expected = functional.group_norm(torch.tensor(x), 2)
    close_sums(column.fresh(model, x), expected.numpy())


@row("GNM-01", eager_because=MADE)
def test_groups_divide_the_channels() -> None:
    for channels, groups in ((4, 3), (2, 4), (4, 0), (0, 1)):
        with pytest.raises(LxcError) as caught:
            nn.GroupNorm(channels, groups)
        assert caught.value.code == "LXC-E0101"


@row("GNM-01")
@pytest.mark.parametrize("shape", [(4,), (2, 3, 4)])
def test_group_norm_checks_the_channels(column: Column, shape: tuple[int, ...]) -> None:
    with pytest.raises(LxcError, match="4 channels on axis 1") as caught:
        column.fresh(nn.GroupNorm(4, 2), draw(*shape))
    assert caught.value.code == "LXC-E0103"


@row("GNM-02")
@row("D10")
@row("T23")
def test_group_norm_tracks_and_uses_running_statistics_in_test_mode(
    column: Column,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = nn.GroupNorm(4, 2)
    ps, st = lxc.setup(0, model)
    _, st = column(model, COUNTED, ps, st)
    close(st["running_mean"], f32([0.95, 1.55]))
    close(st["running_var"], f32([1.25, 1.25]))
    ps = affine(4)
    spec = lxc.TensorSpec((BATCH, 4, 3), "float32")
    tested = lxc.testmode(st)
    call = column.built(model, spec, ps, tested)
    y, after = call(COUNTED, ps, tested)
    same(dict(after), dict(tested))
    expected = functional.batch_norm(
        torch.tensor(COUNTED),
        *tensors(f32([0.95, 0.95, 1.55, 1.55]), f32([1.25] * 4)),
        *tensors(ps["scale"], ps["bias"]),
    )
    close(y, expected.numpy())
    same(call(COUNTED[1:], ps, tested)[0], y[1:])
    per_sample = functional.group_norm(torch.tensor(COUNTED), 2)
    assert not np.allclose(y, per_sample.numpy())


@row("GNM-02")
def test_group_statistics_move_again_with_every_call(column: Column) -> None:
    model = nn.GroupNorm(4, 2)
    ps, st = lxc.setup(0, model)
    call = column.built(model, lxc.TensorSpec((BATCH, 4, 3), "float32"), ps, st)
    mean, var = np.zeros(2), np.ones(2)
    for step, count in enumerate((2, 5)):
        x = draw(count, 4, 3, seed=step) + 1
        _, st = call(x, ps, st)
        # The statistics of a group are those of a batch norm over its samples apart.
        each = torch.tensor(x).reshape(count, 2, 6)
        mean = 0.9 * mean + 0.1 * each.mean(2).mean(0).numpy()
        var = 0.9 * var + 0.1 * each.var(2).mean(0).numpy()
        close(st["running_mean"], f32(mean))
        close(st["running_var"], f32(var))


@row("GNM-02")
def test_one_value_per_group_gives_a_nan_variance_and_a_warning(column: Column) -> None:
    model = nn.GroupNorm(2, 2)
    ps, st = lxc.setup(0, model)
    with pytest.warns(UserWarning, match="one value per group"):
        y, after = column(model, f32([[5, 6]]), ps, st)
    same(y, f32([[0, 0]]))
    assert np.isnan(after["running_var"]).all()


@row("GNM-02")
def test_a_batch_without_samples_has_no_statistics(column: Column) -> None:
    model = nn.GroupNorm(4, 2)
    ps, st = lxc.setup(0, model)
    y, after = column(model, draw(0, 4, 5), ps, st)
    assert y.shape == (0, 4, 5)
    assert np.isnan(after["running_mean"]).all()


@row("GNM-02", eager_because=MADE)
@row("D10", eager_because=MADE)
def test_what_is_deprecated_warns_only_where_it_is_given() -> None:
    for options in ({"track_stats": True}, {"track_stats": False}, {"momentum": 0.1}):
        with pytest.warns(DeprecationWarning, match="of GroupNorm is deprecated"):
            nn.GroupNorm(4, 2, **options)


@row("GNM-03")
@row("D10")
@pytest.mark.parametrize("mode", ["train", "test"])
def test_group_norm_without_tracking_uses_the_sample(column: Column, mode: str) -> None:
    model = untracked(4, 2)
    ps, st = lxc.setup(0, model)
    assert st == {"training": True}
    st = {"training": mode == "train"}
    y, after = column(model, COUNTED, ps, st)
    expected = functional.group_norm(torch.tensor(COUNTED), 2)
    close_sums(y, expected.numpy())
    assert after == st


@row("GNM-04a")
@row("D16")
def test_group_norm_without_scale_and_bias(column: Column) -> None:
    model = nn.GroupNorm(4, 2, affine=False)
    ps, st = lxc.setup(0, model)
    assert ps == {}
    expected = functional.group_norm(torch.tensor(COUNTED), 2)
    close_sums(column(model, COUNTED, ps, st)[0], expected.numpy())


@row("GNM-04b")
def test_the_momentum_of_group_norm_is_the_share_of_the_batch(column: Column) -> None:
    with pytest.warns(DeprecationWarning, match="momentum"):
        model = nn.GroupNorm(4, 2, momentum=1)
    _, st = column(model, COUNTED, *lxc.setup(0, model))
    close(st["running_mean"], f32([9.5, 15.5]))
    close(st["running_var"], f32([3.5, 3.5]))


@row("GNM-04c")
@row("D9")
@row("T25")
def test_the_epsilon_of_group_norm_is_inside_the_root(column: Column) -> None:
    x = f32([0, 1e-3]).reshape(1, 2, 1, 1)
    y = column.fresh(nn.GroupNorm(2, 1), x)
    close(y.ravel(), f32([-0.156174, 0.156174]))
    y = column.fresh(nn.GroupNorm(2, 1, epsilon=0.25), f32([[[0], [2]]]))
    close(y.ravel(), f32([-1, 1]) / 1.25**0.5)


@row("GNM-04d", eager_because=INITIAL)
@pytest.mark.parametrize("layer", [nn.GroupNorm(3, 3), nn.InstanceNorm(3)])
def test_scale_and_bias_have_one_number_per_channel(layer: Any) -> None:
    ps, _ = lxc.setup(0, layer)
    assert list(ps) == ["scale", "bias"]
    same(dict(ps), {"scale": f32([1, 1, 1]), "bias": f32([0, 0, 0])})


@row("GNM-04d", eager_because=INITIAL)
@row("INM-01d", eager_because=INITIAL)
def test_other_initialisers_of_scale_and_bias() -> None:
    options: dict[str, Any] = {"init_bias": nn.ones32, "init_scale": nn.zeros32}
    for layer in (nn.GroupNorm(2, 1, **options), nn.InstanceNorm(2, **options)):
        ps, _ = lxc.setup(0, layer)
        same(dict(ps), {"scale": f32([0, 0]), "bias": f32([1, 1])})


@row("GNM-04e")
@row("INM-01d")
@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("layer", [nn.GroupNorm, nn.InstanceNorm])
def test_their_activation_comes_last(column: Column, layer: Any, allowed: bool) -> None:
    sizes = (2, 2) if layer is nn.GroupNorm else (2,)
    model = layer(*sizes, nn.tanh, allow_fast_activation=allowed)
    assert model.activation is (nn.tanh_fast if allowed else nn.tanh)
    x, ps = draw(2, 2, 4), affine(2)
    normed = functional.group_norm(torch.tensor(x), 2, *tensors(ps["scale"], ps["bias"]))
    y = column(model, x, ps, lxc.setup(0, model)[1])[0]
    close_sums(y, torch.tanh(normed).numpy())


@row("GNM-01")
@row("INM-01a")
@row("LNM-01")
@pytest.mark.parametrize(
    "layer",
    [
        nn.GroupNorm(1, 1, affine=False),
        nn.InstanceNorm(1, affine=False),
        nn.LayerNorm((1, 4096), dims=(1, 2)),
    ],
)
def test_half_types_are_summed_in_float32(column: Column, layer: Any) -> None:
    x = np.full((1, 1, 4096), 1000, np.float16)
    x[..., ::2] = 1500
    y = column.fresh(layer, x)
    assert y.dtype == np.float16
    close(y[0, 0, :2], np.array([1, -1], np.float16), rtol=1e-3)
