"""BatchNorm of the Lux family."""

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
BATCH = lxc.Dim("N", 2, 8)
THREE = f32([[1, 2], [3, 4], [5, 6]])
INITIAL = "initial values are made in Python"


def affine(channels: int) -> dict[str, Any]:
    return {"scale": draw(channels, seed=7), "bias": draw(channels, seed=8)}


@row("BNM-01")
def test_training_normalises_with_the_biased_variance(column: Column) -> None:
    model = nn.BatchNorm(2)
    ps, st = lxc.setup(0, model)
    assert list(ps) == ["scale", "bias"]
    assert list(st) == ["running_mean", "running_var", "training"]
    assert st["training"] is True
    same(dict(ps), {"scale": f32([1, 1]), "bias": f32([0, 0])})
    same(st["running_mean"], f32([0, 0]))
    same(st["running_var"], f32([1, 1]))
    y, _ = column(model, THREE, ps, st)
    close(y, f32([[-1.224743] * 2, [0, 0], [1.224743] * 2]))


@row("BNM-01")
@row("BNM-02")
@row("BNM-07")
@row("T20")
@row("T50")
@pytest.mark.parametrize("axes", [(), (6,), (4, 5), (3, 2, 4)])
def test_three_training_calls_are_those_of_torch(
    column: Column, axes: tuple[int, ...]
) -> None:
    model, ps = nn.BatchNorm(3), affine(3)
    st = lxc.setup(0, model)[1]
    mean, var = torch.zeros(3), torch.ones(3)
    call = column.built(model, lxc.TensorSpec((BATCH, 3, *axes), "float32"), ps, st)
    for step, count in enumerate((5, 2, 8)):
        x = draw(count, 3, *axes, seed=step) * 2 + 1
        y, st = call(x, ps, st)
        expected = functional.batch_norm(
            *(torch.tensor(x), mean, var, torch.tensor(ps["scale"])),
            *(torch.tensor(ps["bias"]), True, 0.1, 1e-5),
        )
        close_sums(y, expected.numpy())
        close(st["running_mean"], mean.numpy())
        close(st["running_var"], var.numpy())
        assert st["training"] is True


@row("BNM-02")
@row("T20")
@row("T50")
def test_the_running_variance_is_unbiased_and_momentum_the_share_of_the_batch(
    column: Column,
) -> None:
    model = nn.BatchNorm(2)
    _, st = column(model, THREE, *lxc.setup(0, model))
    close(st["running_mean"], f32([0.3, 0.4]))
    close(st["running_var"], f32([1.3, 1.3]))


@row("BNM-03")
@row("T22")
def test_test_mode_uses_the_running_statistics_and_keeps_them(column: Column) -> None:
    model, ps = nn.BatchNorm(2), {"scale": f32([1, 2]), "bias": f32([0, 1])}
    st: dict[str, Any] = {
        "running_mean": f32([0.3, 0.4]),
        "running_var": f32([1.3, 1.3]),
        "training": False,
    }
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 2, 3), "float32")
    call = column.built(model, spec, ps, st)
    x = draw(4, 2, 3)
    x[0, 0, 0] = 1
    y, after = call(x, ps, st)
    assert abs(y[0, 0, 0] - 0.613938) < 1e-5
    expected = functional.batch_norm(
        torch.tensor(x),
        *(torch.tensor(st[name]) for name in ("running_mean", "running_var")),
        *(torch.tensor(ps[name]) for name in ("scale", "bias")),
    )
    close(y, expected.numpy())
    same(dict(after), st)
    same(call(x[:1], ps, st)[0], y[:1])


@row("BNM-03")
def test_a_norm_folds_into_the_layer_before_it(column: Column) -> None:
    model = nn.Chain(nn.Conv((3,), 2, 3), nn.BatchNorm(3, nn.relu))
    ps, st = lxc.setup(0, model)
    ps = {"layer_1": ps["layer_1"], "layer_2": affine(3)}
    running = {"running_mean": draw(3), "running_var": draw(3, seed=2) ** 2 + 0.5}
    st = {"layer_1": {}, "layer_2": {**running, "training": False}}
    x = draw(2, 2, 6)
    conv = functional.conv1d(
        torch.tensor(x),
        torch.tensor(ps["layer_1"]["weight"][:, :, ::-1].copy()),
        torch.tensor(ps["layer_1"]["bias"]),
    )
    expected = functional.batch_norm(
        conv,
        *(torch.tensor(running[name]) for name in ("running_mean", "running_var")),
        *(torch.tensor(ps["layer_2"][name]) for name in ("scale", "bias")),
    )
    close_sums(column(model, x, ps, st)[0], torch.relu(expected).numpy())


@row("BNM-04")
@row("T22")
@pytest.mark.parametrize("mode", ["train", "test"])
def test_without_tracking_the_batch_is_used_in_both_modes(
    column: Column, mode: str
) -> None:
    model = nn.BatchNorm(2, track_stats=False)
    ps, st = lxc.setup(0, model)
    assert st == {"training": True}
    st = {"training": mode == "train"}
    call = column.built(model, lxc.TensorSpec((BATCH, 2), "float32"), ps, st)
    y, after = call(THREE, ps, st)
    close(y, f32([[-1.224743] * 2, [0, 0], [1.224743] * 2]))
    assert after == st
    close(call(THREE[:2], ps, st)[0], f32([[-0.999995] * 2, [0.999995] * 2]))


@row("BNM-05")
@row("D16")
@pytest.mark.parametrize("with_affine", [True, False])
@pytest.mark.parametrize("track_stats", [True, False])
def test_affine_and_tracking_are_independent(
    column: Column, with_affine: bool, track_stats: bool
) -> None:
    model = nn.BatchNorm(2, affine=with_affine, track_stats=track_stats)
    ps, st = lxc.setup(0, model)
    assert list(ps) == (["scale", "bias"] if with_affine else [])
    assert ("running_mean" in st) == track_stats
    ps = affine(2) if with_affine else {}
    y, after = column(model, THREE, ps, st)
    arguments: list[Any] = [torch.tensor(ps[name]) for name in ps] or [None, None]
    expected = functional.batch_norm(
        torch.tensor(THREE), None, None, *arguments, training=True
    )
    close(y, expected.numpy())
    if track_stats:
        tested = column(model, THREE, ps, after, "test")[0]
        running = [torch.tensor(after[f"running_{name}"]) for name in ("mean", "var")]
        expected = functional.batch_norm(torch.tensor(THREE), *running, *arguments)
        close(tested, expected.numpy())


@row("BNM-06")
@row("D15")
@row("T49")
def test_one_value_per_channel_gives_a_nan_variance_and_a_warning(column: Column) -> None:
    model = nn.BatchNorm(2)
    _, st = lxc.setup(0, model)
    ps = {"scale": f32([1, 1]), "bias": f32([3, 4])}
    with pytest.warns(UserWarning, match="one value per channel"):
        y, after = column(model, f32([[5, 6]]), ps, st)
    same(y, f32([[3, 4]]))
    assert np.isnan(after["running_var"]).all()
    close(after["running_mean"], f32([0.5, 0.6]))


@row("BNM-06")
@row("T49")
def test_one_image_has_enough_values(column: Column) -> None:
    model = nn.BatchNorm(2)
    ps, st = lxc.setup(0, model)
    x, var = draw(1, 2, 3, 3), torch.ones(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, after = column(model, x, ps, st)
    expected = functional.batch_norm(torch.tensor(x), torch.zeros(2), var, training=True)
    close_sums(y, expected.numpy())
    close(after["running_var"], var.numpy())


@row("BNM-07")
@pytest.mark.parametrize("shape", [(3,), (4, 2), (4, 2, 3)])
def test_channels_stand_on_axis_1(column: Column, shape: tuple[int, ...]) -> None:
    with pytest.raises(LxcError, match="3 channels on axis 1") as caught:
        column.fresh(nn.BatchNorm(3), draw(*shape))
    assert caught.value.code == "LXC-E0103"


@row("BNM-08a")
@row("T25")
def test_epsilon_is_inside_the_root(column: Column) -> None:
    y = column.fresh(nn.BatchNorm(1), f32([[0], [1e-3]]))
    close(y, f32([[-0.156174], [0.156174]]))
    y = column.fresh(nn.BatchNorm(1, epsilon=0.25), f32([[0], [2]]))
    close(y[1], f32([1 / 1.25**0.5]))


@row("BNM-08b")
def test_a_momentum_of_1_takes_the_batch(column: Column) -> None:
    model = nn.BatchNorm(2, momentum=1)
    _, st = column(model, THREE, *lxc.setup(0, model))
    close(st["running_mean"], f32([3, 4]))
    close(st["running_var"], f32([4, 4]))
    model = nn.BatchNorm(2, momentum=0)
    _, st = column(model, THREE, *lxc.setup(0, model))
    same(st["running_var"], f32([1, 1]))


@row("BNM-08c", eager_because=INITIAL)
@row("BNM-08d", eager_because=INITIAL)
def test_initialisers_get_the_number_of_channels() -> None:
    asked = []

    def init(rng: Any, *shape: int) -> Any:
        asked.append(shape)
        return np.full(shape, len(asked), np.float32)

    ps, _ = lxc.setup(0, nn.BatchNorm(3, init_bias=init, init_scale=init))
    assert asked == [(3,), (3,)]
    assert list(ps) == ["scale", "bias"]
    ps, _ = lxc.setup(0, nn.BatchNorm(2, init_bias=nn.ones32, init_scale=nn.zeros32))
    same(dict(ps), {"scale": f32([0, 0]), "bias": f32([1, 1])})


@row("BNM-08e")
@pytest.mark.parametrize("allowed", [True, False])
def test_the_activation_comes_last(column: Column, allowed: bool) -> None:
    model = nn.BatchNorm(2, nn.tanh, allow_fast_activation=allowed)
    assert model.activation is (nn.tanh_fast if allowed else nn.tanh)
    ps = {"scale": f32([1, 1]), "bias": f32([-1, 0])}
    y, _ = column(model, THREE, ps, lxc.setup(0, model)[1])
    shifts = np.repeat(f32([[-1.224743], [0], [1.224743]]), 2, 1) + f32([-1, 0])
    close(y, torch.tanh(torch.tensor(shifts)).numpy())


@row("BNM-08e", eager_because="the numbers of parameters do not depend on an input")
def test_the_network_of_the_page() -> None:
    model = nn.Chain(
        *(nn.Dense(784, 64), nn.BatchNorm(64, nn.relu)),
        *(nn.Dense(64, 10), nn.BatchNorm(10)),
    )
    ps, _ = lxc.setup(0, model)
    assert ps["layer_2"]["scale"].shape == (64,)
    assert sum(leaf.size for child in ps.values() for leaf in child.values()) == 51_038


@row("BNM-01")
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_statistics_keep_their_type_and_half_types_are_summed_in_float32(
    column: Column, dtype: str
) -> None:
    model = nn.BatchNorm(1, affine=False)
    ps, st = lxc.setup(0, model)
    x = np.full((4096, 1), 1000, dtype)
    x[::2] = 1500
    y, after = column(model, x, ps, st)
    assert y.dtype == dtype
    assert after["running_var"].dtype == np.float32
    close(y[:2, 0], np.array([1, -1], dtype), rtol=1e-3)
    close(after["running_mean"], f32([125]), rtol=1e-4)
    close(after["running_var"], f32([0.9 + 0.1 * 62500 * 4096 / 4095]), rtol=1e-4)
