"""BatchNorm of the Lux family against hand numbers and PyTorch."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup
from lxc.frontend import testmode as in_test_mode
from tests.frontend.modes import Mode, close, draw, f32, same

THREE = f32([[1, 2], [3, 4], [5, 6]])


def affine(ps: Any) -> Any:
    return {name: draw(*leaf.shape, seed=7) for name, leaf in ps.items()}


def test_bnm_01_training_normalises_with_the_biased_variance(run: Mode) -> None:
    layer = nn.BatchNorm(2)
    ps, st = setup(0, layer)
    assert list(ps) == ["scale", "bias"]
    assert list(st) == ["running_mean", "running_var", "training"]
    y, _ = run.lux(layer, THREE, ps, st)
    close(y, [[-1.224743] * 2, [0, 0], [1.224743] * 2])


def test_bnm_02_the_running_variance_is_unbiased(run: Mode) -> None:
    layer = nn.BatchNorm(2)
    _, after = run.lux(layer, THREE, *setup(0, layer))
    close(after["running_mean"], [0.3, 0.4])
    close(after["running_var"], [1.3, 1.3])
    assert after["training"] is True


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 6), (2, 3, 4, 5), (2, 3, 2, 3, 4)])
def test_bnm_02_three_calls_move_the_statistics_as_torch_does(
    shape: tuple[int, ...], run: Mode
) -> None:
    layer = nn.BatchNorm(3)
    ps, st = setup(0, layer)
    ps = affine(ps)
    mean, var = torch.zeros(3), torch.ones(3)
    weight, bias = torch.tensor(ps["scale"]), torch.tensor(ps["bias"])
    for step in range(3):
        x = draw(*shape, seed=step) * 2 + 1
        y, st = run.lux(layer, x, ps, st)
        expected = torch.nn.functional.batch_norm(
            torch.tensor(x), mean, var, weight, bias, training=True
        )
        close(y, expected, rtol=1e-4, atol=1e-5)
        close(st["running_mean"], mean)
        close(st["running_var"], var)


def test_bnm_03_test_mode_uses_the_running_statistics_and_keeps_them(run: Mode) -> None:
    layer = nn.BatchNorm(2)
    ps, st = setup(0, layer)
    _, st = run.lux(layer, THREE, ps, st)
    y, after = run.lux(layer, f32([[1, 1]]), ps, in_test_mode(st))
    close(y[0, 0], 0.613938)
    same(after, in_test_mode(st))


def test_bnm_03_outputs_in_test_mode_do_not_depend_on_the_batch(run: Mode) -> None:
    layer = nn.BatchNorm(3)
    ps, st = setup(0, layer)
    x = draw(4, 3)
    y, _ = run.lux(layer, x, ps, in_test_mode(st))
    same(y[:1], run.lux(layer, x[:1], ps, in_test_mode(st))[0])


def test_bnm_04_without_tracking_the_batch_is_used_in_both_modes(run: Mode) -> None:
    layer = nn.BatchNorm(2, track_stats=False)
    ps, st = setup(0, layer)
    assert st == {"training": True}
    y, after = run.lux(layer, THREE, ps, st)
    assert after == st
    close(run.lux(layer, THREE, ps, in_test_mode(st))[0], y)
    other = run.lux(layer, THREE[:2], ps, in_test_mode(st))[0]
    close(other, [[-0.999995] * 2, [0.999995] * 2])


@pytest.mark.parametrize("track_stats", [True, False])
def test_bnm_05_without_affine_there_are_no_parameters(
    track_stats: bool, run: Mode
) -> None:
    layer = nn.BatchNorm(2, affine=False, track_stats=track_stats)
    ps, st = setup(0, layer)
    assert ps == {}
    close(run.lux(layer, THREE, ps, st)[0][:, 0], [-1.224743, 0, 1.224743])


def test_bnm_06_one_value_per_channel_gives_a_nan_variance_and_a_warning(run: Mode) -> None:
    layer = nn.BatchNorm(2)
    ps, st = setup(0, layer)
    ps = {**ps, "bias": f32([3, 4])}
    with pytest.warns(UserWarning, match="one value per channel"):
        y, after = run.lux(layer, f32([[5, 6]]), ps, st)
    same(y, f32([[3, 4]]))
    assert np.isnan(after["running_var"]).all()
    close(after["running_mean"], [0.5, 0.6])


def test_bnm_06_one_image_has_enough_values(run: Mode) -> None:
    layer = nn.BatchNorm(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, after = run.lux(layer, draw(1, 2, 3, 3), *setup(0, layer))
    assert np.isfinite(after["running_var"]).all()


@pytest.mark.parametrize("shape", [(3,), (4, 2), (4, 2, 3)])
def test_bnm_07_the_channels_are_on_axis_1(shape: tuple[int, ...], run: Mode) -> None:
    with pytest.raises(LxcError, match="3 channels on axis 1"):
        run.fresh(nn.BatchNorm(3), draw(*shape))


def test_bnm_08a_epsilon_is_inside_the_root(run: Mode) -> None:
    x = f32([[0], [1e-3]])
    close(run.fresh(nn.BatchNorm(1), x), [[-0.156174], [0.156174]])
    close(run.fresh(nn.BatchNorm(1, epsilon=0.25), f32([[0], [2]]))[1], [1 / 1.25**0.5])


def test_bnm_08b_momentum_is_the_share_of_the_new_batch(run: Mode) -> None:
    layer = nn.BatchNorm(2, momentum=1)
    _, after = run.lux(layer, THREE, *setup(0, layer))
    close(after["running_mean"], [3, 4])
    close(after["running_var"], [4, 4])


def test_bnm_08cd_initialisers_get_the_number_of_channels() -> None:
    layer = nn.BatchNorm(3, init_bias=nn.ones32, init_scale=nn.zeros32)
    ps, _ = setup(0, layer)
    same(ps, {"scale": np.zeros(3, np.float32), "bias": np.ones(3, np.float32)})


def test_bnm_08e_the_activation_comes_after_the_affine_map(run: Mode) -> None:
    layer = nn.BatchNorm(2, nn.relu)
    ps, st = setup(0, layer)
    y, _ = run.lux(layer, THREE, {**ps, "bias": f32([-1, 0])}, st)
    close(y, [[0, 0], [0, 0], [0.224743, 1.224743]])


def test_half_precision_statistics_are_summed_in_float32(run: Mode) -> None:
    layer = nn.BatchNorm(1, affine=False, track_stats=False)
    x = np.full((4096, 1), 1.0, np.float16)
    x[::2] = 3.0
    y, _ = run.lux(layer, x, *setup(0, layer))
    assert y.dtype == np.float16
    close(y[:2, 0], [1, -1], rtol=1e-3)
