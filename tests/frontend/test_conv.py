"""Conv and CrossCor against hand numbers, SciPy and PyTorch."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import convolve, convolve2d

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup, trace_layer
from lxc.ir import Dim, TensorSpec
from tests.frontend.modes import (
    SUMS,
    Array,
    Mode,
    close,
    draw,
    f32,
    ops_of,
    run_graph,
    same,
)

BOTH = pytest.mark.parametrize("kind", [nn.Conv, nn.CrossCor])


def conv_1d(kind: Any, values: Any, weights: Any, run: Mode, **options: Any) -> Array:
    layer = kind(len(weights), 1, 1, use_bias=False, **options)
    x, weight = f32(values)[None, None], f32(weights)[None, None]
    return np.asarray(run.lux(layer, x, {"weight": weight}, {})[0][0, 0])


def torch_conv(x: Array, ps: Any, *, flip: bool, **options: Any) -> Array:
    """Return what PyTorch makes of the same weights, flipped in space if asked."""
    rank = x.ndim - 2
    weight = torch.tensor(np.array(ps["weight"]))
    if flip:
        weight = weight.flip(tuple(range(2, rank + 2)))
    bias = torch.tensor(np.array(ps["bias"])) if "bias" in ps else None
    functions = (torch.conv1d, torch.conv2d, torch.conv3d)
    return np.asarray(functions[rank - 1](torch.tensor(x), weight, bias, **options))


def check(layer: Any, x: Array, run: Mode, **options: Any) -> None:
    """Compare a layer with random weights and bias to PyTorch."""
    ps, st = setup(1, layer)
    if "bias" in ps:
        ps = {**ps, "bias": draw(*ps["bias"].shape, seed=5)}
    expected = torch_conv(x, ps, flip=layer.flips, **options)
    close(run.lux(layer, x, ps, st)[0], expected, **SUMS)


def test_cnv_01_conv_flips_the_kernel(run: Mode) -> None:
    close(conv_1d(nn.Conv, [1, 2, 3, 4, 5, 6], [1, 2, 3], run), [10, 16, 22, 28])


def test_cnv_01_a_single_one_brings_out_the_kernel_unflipped(run: Mode) -> None:
    kernel = draw(1, 1, 3, 3)
    x = np.zeros((1, 1, 3, 3), np.float32)
    x[0, 0, 1, 1] = 1
    layer = nn.Conv((3, 3), 1, 1, pad=1, use_bias=False)
    close(run.lux(layer, x, {"weight": kernel}, {})[0], kernel)


def test_cnv_01_channels_are_not_flipped(run: Mode) -> None:
    check(nn.Conv((3, 2), 3, 4), draw(2, 3, 7, 6), run)


@BOTH
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_cnv_02_one_to_three_spatial_axes(kind: Any, rank: int, run: Mode) -> None:
    check(kind((3, 2, 2)[:rank], 2, 3), draw(2, 2, *(6, 5, 4)[:rank]), run)


def test_cnv_02_conv_agrees_with_scipy_in_one_two_and_three_dimensions(run: Mode) -> None:
    for rank in (1, 2, 3):
        x, kernel = draw(*(5,) * rank, seed=rank), draw(*(3,) * rank, seed=rank + 3)
        layer = nn.Conv((3,) * rank, 1, 1, use_bias=False)
        y, _ = run.lux(layer, x[None, None], {"weight": kernel[None, None]}, {})
        close(y[0, 0], convolve(x, kernel, mode="valid"), **SUMS)


@pytest.mark.parametrize("shape", [(1, 2, 5), (1, 3, 5, 5)])
def test_cnv_02_wrong_rank_or_channels_names_both(
    shape: tuple[int, ...], run: Mode
) -> None:
    layer = nn.Conv((3, 3), 2, 1)
    with pytest.raises(LxcError, match=r"expected: x: rank 4 with 2 channels.*\n.*actual:"):
        run.fresh(layer, np.zeros(shape, np.float32))


def test_cnv_03_the_output_size_counts_whole_steps(run: Mode) -> None:
    x = np.ones((1, 1, 5), np.float32)
    assert run.fresh(nn.Conv(3, 1, 1), x).shape == (1, 1, 3)
    assert run.fresh(nn.Conv(3, 1, 1, stride=2), x).shape == (1, 1, 2)
    assert run.fresh(nn.Conv(2, 1, 1, dilation=3, pad=(1, 0)), x).shape == (1, 1, 3)


def test_cnv_03_a_kernel_larger_than_the_padded_input_is_an_error(run: Mode) -> None:
    with pytest.raises(LxcError):
        run.fresh(nn.Conv(3, 1, 1, dilation=3), np.ones((1, 1, 6), np.float32))


@BOTH
def test_cnv_04_a_stride_is_one_number_or_one_per_axis(kind: Any, run: Mode) -> None:
    x = draw(2, 2, 9, 8)
    check(kind((3, 3), 2, 3, stride=2), x, run, stride=2)
    check(kind((3, 3), 2, 3, stride=(2, 3)), x, run, stride=(2, 3))


@BOTH
def test_cnv_05_a_dilation_is_one_number_or_one_per_axis(kind: Any, run: Mode) -> None:
    x = draw(2, 2, 9, 8)
    check(kind((3, 2), 2, 3, dilation=2), x, run, dilation=2)
    check(kind((3, 2), 2, 3, dilation=(2, 3)), x, run, dilation=(2, 3))


def test_cnv_05_the_kernel_is_flipped_before_it_is_dilated(run: Mode) -> None:
    layer = nn.Conv((2, 2), 4, 2, groups=2, dilation=2, use_bias=False)
    ps, st = setup(0, layer)
    x = draw(1, 4, 6, 6)
    y, _ = run.lux(layer, x, ps, st)
    for q in range(2):
        stuffed = np.zeros((2, 3, 3), np.float32)
        stuffed[:, ::2, ::2] = ps["weight"][q]
        pairs = zip(x[0, 2 * q : 2 * q + 2], stuffed, strict=True)
        close(y[0, q], sum(convolve2d(a, w, mode="valid") for a, w in pairs), **SUMS)


@BOTH
def test_cnv_06_one_number_pads_every_side(kind: Any, run: Mode) -> None:
    check(kind((3, 3), 2, 3, pad=2), draw(2, 2, 5, 4), run, padding=2)


@BOTH
def test_cnv_07_n_pads_are_one_per_axis(kind: Any, run: Mode) -> None:
    check(kind((3, 3), 2, 3, pad=(2, 1)), draw(2, 2, 5, 4), run, padding=(2, 1))


@BOTH
def test_cnv_08_two_n_pads_are_pairs_per_axis(kind: Any, run: Mode) -> None:
    layer = kind((3, 3), 1, 1, pad=(1, 2, 0, 1), use_bias=False)
    x = np.ones((1, 1, 28, 28), np.float32)
    y = run.lux(layer, x, {"weight": np.ones((1, 1, 3, 3), np.float32)}, {})[0][0, 0]
    assert y.shape == (29, 27)
    corners = [y[0, 0], y[1, 1], y[0, -1], y[-1, 0], y[-2, 0], y[-1, -1]]
    close(corners, [6, 9, 4, 3, 6, 2])


@BOTH
def test_cnv_09_asymmetric_pads_are_the_same_as_padding_first(kind: Any, run: Mode) -> None:
    padded = kind((3, 2), 2, 3, pad=(0, 2, 3, 1), stride=2)
    plain = kind((3, 2), 2, 3, stride=2)
    x = draw(2, 2, 5, 4)
    around = np.pad(x, ((0, 0), (0, 0), (0, 2), (3, 1)))
    close(run.fresh(padded, x), run.fresh(plain, around), **SUMS)


def test_cnv_10_same_pad_puts_the_odd_cell_in_front_whatever_the_stride(run: Mode) -> None:
    same_pad = nn.SamePad()
    strided = conv_1d(nn.Conv, [1, 2, 3, 4], [1, 1, 1], run, stride=2, pad=same_pad)
    close(strided, [3, 9])
    close(conv_1d(nn.Conv, [1, 2, 3], [1, 10], run, pad=same_pad), [1, 12, 23])
    close(conv_1d(nn.CrossCor, [1, 2, 3], [1, 10], run, pad=same_pad), [10, 21, 32])


@pytest.mark.parametrize("size", [4, 5, 6, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_cnv_10_same_pad_gives_size_over_stride_rounded_up(
    size: int, stride: int, run: Mode
) -> None:
    for k, dilation in ((2, 1), (3, 2), (4, 1)):
        layer = nn.Conv(k, 1, 1, stride=stride, dilation=dilation, pad=nn.SamePad())
        y = run.fresh(layer, np.ones((1, 1, size), np.float32))
        assert y.shape == (1, 1, -(-size // stride))


@BOTH
def test_cnv_11_groups_keep_their_channels(kind: Any, run: Mode) -> None:
    layer = kind((3,), 6, 2, groups=2)
    assert setup(0, layer)[0]["weight"].shape == (2, 3, 3)
    check(layer, draw(2, 6, 7), run, groups=2)
    with pytest.raises(LxcError, match="equal groups"):
        kind((3,), 6, 3, groups=2)


def test_cnv_12_depthwise_may_multiply_channels(run: Mode) -> None:
    layer = nn.Conv((2, 2), 3, 15, groups=3)
    assert setup(0, layer)[0]["weight"].shape == (15, 1, 2, 2)
    check(layer, draw(2, 3, 5, 5), run, groups=3)
    with pytest.raises(LxcError, match="equal groups"):
        nn.Conv((2, 2), 3, 10, groups=3)


@BOTH
def test_cnv_13_without_bias_there_is_no_key(kind: Any, run: Mode) -> None:
    layer = kind((3, 2), 4, 6, use_bias=False)
    ps, _ = setup(0, layer)
    assert list(ps) == ["weight"]
    check(layer, draw(2, 4, 5, 5), run)
    with_bias = setup(0, kind((3, 2), 4, 6))[0]
    assert sum(leaf.size for leaf in with_bias.values()) == 3 * 2 * 4 * 6 + 6
    assert list(setup(0, kind(3, 1, 1, bias=False))[0]) == ["weight"]
    with pytest.raises(LxcError, match="contradict"):
        kind(3, 1, 1, bias=False, use_bias=True)


def test_cnv_14a_fans_follow_the_seed_not_the_shape() -> None:
    weight = setup(0, nn.Conv((3, 3), 4, 8))[0]["weight"]
    assert weight.shape == (8, 4, 3, 3)
    assert weight.dtype == np.float32
    bound = (6 / (36 + 72)) ** 0.5
    assert 0.9 * bound < np.abs(weight).max() <= bound


def test_cnv_14b_init_bias_gets_the_shape_of_the_bias() -> None:
    shapes = []

    def init_bias(rng: Any, *shape: int) -> Array:
        shapes.append(shape)
        return np.full(shape, 7, np.float32)

    ps, _ = setup(0, nn.Conv((3, 3), 4, 8, init_bias=init_bias))
    assert shapes == [(8,)]
    same(ps["bias"], np.full(8, 7, np.float32))


@BOTH
def test_cnv_15_the_activation_comes_after_the_bias(kind: Any, run: Mode) -> None:
    layer = kind((1,), 1, 1, nn.relu)
    ps = {"weight": f32([[[1]]]), "bias": f32([-2])}
    same(run.lux(layer, f32([[[1, 3]]]), ps, {})[0], f32([[[0, 1]]]))


def test_cnv_16_conv_has_no_state_and_one_mode() -> None:
    layer = nn.Conv((3,), 1, 1)
    assert setup(0, layer)[1] == {}


def test_api_09_a_fast_activation_is_used_only_where_allowed() -> None:
    def fast(layer: Any) -> bool:
        graph = trace_layer(layer, TensorSpec((1, 1, 4)), *setup(0, layer))
        return "fast = true" in str(graph)

    assert fast(nn.Conv(1, 1, 1, nn.tanh))
    assert not fast(nn.Conv(1, 1, 1, nn.tanh, allow_fast_activation=False))
    assert fast(nn.Conv(1, 1, 1, nn.sigmoid))


def test_a_convolution_of_symbolic_size_runs_at_any_size() -> None:
    rows = Dim("H", 3, 12)
    layer = nn.Conv((3, 3), 1, 2, stride=2, pad=1)
    ps, st = setup(0, layer)
    graph = trace_layer(layer, TensorSpec((2, 1, rows, 8)), ps, st)
    for size in (3, 4, 9, 12):
        x = draw(2, 1, size, 8)
        expected = torch_conv(x, ps, flip=True, stride=2, padding=1)
        close(run_graph(graph, x, ps, st)[0], expected, **SUMS)


def test_the_kernel_is_reversed_once_and_not_the_input() -> None:
    layer = nn.Conv((3, 3), 1, 1, use_bias=False)
    graph = trace_layer(layer, TensorSpec((1, 1, 8, 8)), *setup(0, layer))
    assert list(ops_of(graph)) == ["reverse", "conv"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Conv((3, 3), 1, 1, pad=(1, 2, 3)),
        lambda: nn.Conv((3, 3), 1, 1, pad=-1),
        lambda: nn.Conv((3, 3), 1, 1, stride=0),
        lambda: nn.Conv((3, 3), 1, 1, dilation=(1, 2, 3)),
        lambda: nn.Conv((3, 3, 3, 3), 1, 1),
        lambda: nn.Conv((0,), 1, 1),
        lambda: nn.Conv((3,), 0, 1),
    ],
)
def test_sizes_that_do_not_fit_are_refused(make: Any) -> None:
    with pytest.raises(LxcError) as error:
        make()
    assert error.value.code == "LXC-E0101"
