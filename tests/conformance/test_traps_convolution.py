"""What is easily got wrong in convolutions, pools and upsampling, end to end."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from torch.nn import functional

import lxc
from lxc import kaun, nn
from lxc.errors import LxcError
from lxc.ir.graph import Program
from lxc.ir.node import walk
from lxc.passes import (
    LAYER_PIPELINE,
    TARGET_PIPELINE,
    TENSOR_PIPELINE,
    passes_named,
    run_passes,
)
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row
from tests.conformance.several import given, several


def kaun_row(column: Column, kernel: Any, x: Any, stride: int = 1) -> Any:
    """Return what Kaun's convolution makes of one row of numbers."""
    layer = kaun.conv1d(1, 1, kernel_size=len(kernel), stride=stride)
    made = kaun.init(layer)
    weight = {"weight": f32([[kernel]]), "bias": np.zeros(1, np.float32)}
    vars = type(made)(weight, made.state, made.dtype)
    return column.kaun(layer, f32([[x]]), vars)[0][0, 0]


@row("T01")
def test_conv_flips_and_neither_crosscor_nor_kaun_does(column: Column) -> None:
    layers = [kind(3, 1, 1, use_bias=False) for kind in (nn.Conv, nn.CrossCor)]
    ys = given(column, layers, [range(1, 7)] * 2, [[1, 2, 3]] * 2)
    same(ys[0], f32([10, 16, 22, 28]))
    same(ys[1], f32([14, 20, 26, 32]))
    same(kaun_row(column, [1, 2, 3], range(1, 7))[1:-1], f32([14, 20, 26, 32]))


@row("T02")
@row("T07")
def test_a_transposed_convolution_flips_and_its_pads_crop(column: Column) -> None:
    layers = [
        nn.ConvTranspose(3, 1, 1, stride=2, use_bias=False),
        nn.ConvTranspose(3, 1, 1, pad=1, use_bias=False),
    ]
    ys = given(column, layers, [[1, 2], [1, 2, 3, 4]], [[1, 2, 3], [1, 10, 100]])
    same(ys[0], f32([3, 2, 7, 4, 2]))
    same(ys[1], f32([210, 321, 432, 43]))


@row("T03")
def test_the_flip_is_spatial_only_and_comes_before_dilation(column: Column) -> None:
    layer = nn.Conv((2, 3), 4, 2, groups=2, dilation=2, use_bias=False)
    ps, st = lxc.setup(0, layer)
    x = draw(1, 4, 6, 7)
    y, _ = column(layer, x, ps, st)
    for q in range(2):
        stuffed = np.zeros((2, 3, 5), np.float32)
        stuffed[:, ::2, ::2] = ps["weight"][q]
        pairs = zip(x[0, 2 * q : 2 * q + 2], stuffed, strict=True)
        close_sums(y[0, q], sum(convolve2d(a, w, mode="valid") for a, w in pairs))


@row("T04")
@row("T05")
@row("T06")
def test_pads_are_pairs_per_axis_and_an_odd_cell_goes_where_it_belongs(
    column: Column,
) -> None:
    layers = [
        nn.Conv((3, 3), 1, 1, pad=(1, 2, 0, 1), use_bias=False),
        nn.Conv(3, 1, 1, stride=2, pad=nn.SamePad(), use_bias=False),
    ]
    ones = np.ones((3, 3))
    ys = given(column, layers, [np.ones((28, 28)), [1, 2, 3, 4]], [ones, ones[0]])
    assert ys[0].shape == (29, 27)
    assert (ys[0][0, -1], ys[0][-1, 0]) == (4, 3)
    same(ys[1], f32([3, 9]))
    same(kaun_row(column, [1, 1, 1], [1, 2, 3, 4], stride=2), f32([6, 7]))
    same(kaun_row(column, [1, 10], [1, 2, 3]), f32([21, 32, 3]))


@row("T08")
@row("T09")
@row("T10")
@row("T11")
@row("T51")
def test_pools(column: Column) -> None:
    layers = [
        nn.MeanPool((2, 2), pad=1, stride=2),
        nn.MaxPool(2, pad=1, stride=2),
        nn.MaxPool(3),
        nn.AdaptiveMeanPool(4),
        nn.AdaptiveMaxPool(4),
    ]
    ten = np.arange(1, 11, dtype=np.float32)[None, None]
    inputs = [f32([[[[3, 5], [7, 9]]]]), f32([[[-3, -5]]]), ten[:, :, :9], ten, ten]
    ys = [y for _, y in several(column, layers, inputs)]
    same(ys[0], f32([[[[0.75, 1.25], [1.75, 2.25]]]]))
    same(ys[1], f32([[[-3, -5]]]))
    same(ys[2], f32([[[3, 6, 9]]]))
    same(ys[3], f32([[[2.5, 4.5, 6.5, 8.5]]]))
    same(ys[4], f32([[[4, 6, 8, 10]]]))


@row("T12")
@row("T13")
@row("T14")
@row("T51")
def test_upsampling(column: Column) -> None:
    plane, channels = draw(1, 1, 2, 3), draw(2, 12, 2, 3)
    layers = [
        nn.Upsample("linear", size=5),
        nn.Upsample("linear", size=1),
        nn.Upsample(2),
        nn.PixelShuffle(2),
    ]
    line = f32([[[1, 2, 3]]])
    ys = [y for _, y in several(column, layers, [line, line, plane, channels])]
    same(ys[0], f32([[[1, 1.5, 2, 2.5, 3]]]))
    same(ys[1], f32([[[1]]]))
    wanted = functional.interpolate(torch.from_numpy(plane), scale_factor=2)
    assert ys[2].shape == (1, 1, 4, 6)
    same(ys[2], wanted.numpy())
    same(ys[3], torch.pixel_shuffle(torch.from_numpy(channels), 2).numpy())
    with pytest.raises(LxcError, match="multiple of 4"):
        column.fresh(nn.Upsample("nearest", size=6), draw(1, 1, 4))


@row("D8")
def test_linear_upsampling_of_rank_3(column: Column) -> None:
    x = draw(2, 3, 4)
    y = column.fresh(nn.Upsample(2, "linear"), x)
    wanted = functional.interpolate(
        torch.from_numpy(x), scale_factor=2, mode="linear", align_corners=True
    )
    close(y, wanted.numpy())


@row("D19", eager_because="it is about the graphs that are compiled")
def test_the_kernel_is_reversed_once_when_parameters_are_prepared() -> None:
    layer = nn.Conv((3, 3), 1, 4)
    ps, st = lxc.setup(0, layer)
    x = lxc.TensorSpec((lxc.Dim("N", 1, 8), 1, 8, 8))
    graph = lxc.trace(layer, x, ps, st)
    names = (*LAYER_PIPELINE, *TENSOR_PIPELINE, *TARGET_PIPELINE)
    program = run_passes(graph, passes_named(names)).program
    assert isinstance(program, Program)
    reversals = [
        [node.op.name for node in walk(half.nodes)].count("reverse")
        for half in (program.prepare, program.run)
    ]
    assert reversals == [1, 0]


@row("D19")
def test_conv_flips(column: Column) -> None:
    layer = nn.Conv(2, 1, 1, use_bias=False)
    (y,) = given(column, [layer], [[1, 2, 4]], [[1, 10]])
    same(y, f32([12, 24]))
