"""Conv and CrossCor: kernels, sizes, strides, dilation and pads."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import convolve, correlate

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.convolutions import KINDS, agree
from tests.conformance.rows import row
from tests.conformance.several import given, several
from tests.conformance.torch_images import torch_conv


@row("CNV-01")
@row("CRC-01")
def test_conv_flips_and_crosscor_does_not(column: Column) -> None:
    flat, plane, space = draw(6), draw(5, 6), draw(4, 5, 6)
    kernels = [f32([1, 2, 3]), draw(3, seed=1), draw(2, 3, seed=1), draw(2, 3, 2, seed=1)]
    inputs = [np.arange(1, 7), flat, plane, space]
    layers = [
        kind(np.shape(kernel), 1, 1, use_bias=False) for kind in KINDS for kernel in kernels
    ]
    ys = given(column, layers, inputs * 2, kernels * 2)
    close_sums(ys[0], f32([10, 16, 22, 28]))
    close_sums(ys[4], f32([14, 20, 26, 32]))
    for number in (1, 2, 3):
        x, kernel = inputs[number], kernels[number]
        close_sums(ys[number], convolve(x, kernel, mode="valid"))
        close_sums(ys[4 + number], correlate(x, kernel, mode="valid"))


@row("CNV-01")
def test_a_single_one_brings_out_the_kernel_and_channels_keep_their_order(
    column: Column,
) -> None:
    x = np.zeros((1, 2, 3, 3), np.float32)
    x[0, 0, 1, 1] = 1
    weight = draw(4, 2, 3, 3)
    layer = nn.Conv((3, 3), 2, 4, pad=1, use_bias=False)
    same(column(layer, x, {"weight": weight}, {})[0], weight[None, :, 0])


@row("CNV-01")
@row("CRC-01")
def test_one_artifact_takes_any_batch(column: Column) -> None:
    options: Any = {"stride": (2, 1), "dilation": (1, 2), "pad": (0, 1, 2, 1), "groups": 2}
    model = nn.BranchLayer(*(kind((3, 2), 4, 6, nn.relu, **options) for kind in KINDS))
    ps, st = lxc.setup(0, model)
    call = column.built(model, lxc.TensorSpec((lxc.Dim("N", 1, 8), 4, 7, 6)), ps, st)
    for count in (1, 3, 8):
        x = draw(count, 4, 7, 6, seed=count)
        for y, own, flip in zip(
            call(x, ps, st)[0], ps.values(), (True, False), strict=True
        ):
            theirs: Any = {"stride": (2, 1), "dilation": (1, 2), "groups": 2}
            whole = torch_conv(x, own, flip=flip, pad=((0, 1), (2, 1)), **theirs)
            close_sums(y, np.maximum(whole, 0))


@row("CRC-01")
def test_crosscor_is_conv_with_reversed_weights(column: Column) -> None:
    options: Any = {"stride": (2, 1), "dilation": (1, 2), "pad": (0, 1, 2, 1)}
    model = nn.BranchLayer(*(kind((3, 2), 2, 3, **options) for kind in KINDS))
    ps, st = lxc.setup(0, model)
    ps["layer_2"]["weight"] = ps["layer_1"]["weight"][:, :, ::-1, ::-1].copy()
    one, other = column(model, draw(2, 2, 7, 6), ps, st)[0]
    same(one, other)


@row("CNV-02")
def test_one_to_three_spatial_axes(column: Column) -> None:
    kernels, sizes = (3, (3, 2), (3, 2, 2)), (6, 5, 4)
    agree(
        column,
        [
            (kernel, 2, 3, draw(2, 2, *sizes[: rank + 1]), {}, {})
            for rank, kernel in enumerate(kernels)
        ],
    )


@row("CNV-02")
@pytest.mark.parametrize("shape", [(1, 2, 5), (2, 5, 5), (1, 3, 5, 5), (1, 2, 5, 5, 5)])
@pytest.mark.parametrize("kind", KINDS)
def test_wrong_rank_and_channels_are_both_named(
    kind: Any, shape: tuple[int, ...], column: Column
) -> None:
    model = nn.Chain(inner=kind((3, 3), 2, 1))
    with pytest.raises(LxcError, match="rank 4 with 2 channels") as caught:
        column.fresh(model, np.zeros(shape, np.float32))
    assert caught.value.code == "LXC-E0103"
    assert str(list(shape)) in str(caught.value.actual)
    assert kind.__name__ in str(caught.value.layer)


@row("CNV-02", eager_because="a kernel is checked when the layer is made")
@pytest.mark.parametrize("kernel", [(), (3, 3, 3, 3), (0,), (3, -1), 2.5, (2.0, 2), "ab"])
def test_kernels_have_one_to_three_positive_sizes(kernel: Any) -> None:
    with pytest.raises(LxcError) as caught:
        nn.Conv(kernel, 1, 1)
    assert caught.value.code == "LXC-E0101"


@row("CNV-03")
def test_the_output_counts_whole_steps(column: Column) -> None:
    cases: list[tuple[int, int, dict[str, Any], int]] = [
        (5, 3, {}, 3),
        (5, 3, {"stride": 2}, 2),
        (6, 3, {"stride": 2}, 2),
        (6, 2, {"stride": 3}, 2),
        (5, 2, {"dilation": 3, "pad": (1, 0)}, 3),
        (3, 3, {"stride": 5}, 1),
        (1, 1, {"stride": 4, "pad": (0, 3)}, 1),
    ]
    layers = [nn.Conv(k, 1, 1, **options) for _, k, options, _ in cases]
    results = several(
        column, layers, [np.ones((1, 1, case[0]), np.float32) for case in cases]
    )
    assert [y.shape[2] for _, y in results] == [case[3] for case in cases]


@row("CNV-03")
def test_one_artifact_takes_any_size(column: Column) -> None:
    layer = nn.Conv((3, 3), 1, 2, stride=2, pad=(1, 0, 0, 2))
    ps, st = lxc.setup(0, layer)
    shape = (2, 1, lxc.Dim("H", 2, 12), lxc.Dim("W", 1, 9))
    call = column.built(layer, lxc.TensorSpec(shape), ps, st)
    for rows, columns in ((2, 1), (3, 9), (9, 2), (12, 8)):
        x = draw(2, 1, rows, columns)
        expected = torch_conv(x, ps, flip=True, pad=((1, 0), (0, 2)), stride=2)
        close_sums(call(x, ps, st)[0], expected)


@row("CNV-03")
def test_a_dilated_kernel_larger_than_the_padded_input_is_refused(column: Column) -> None:
    layer = nn.Conv(3, 1, 1, dilation=3, pad=(0, 1))
    with pytest.raises(LxcError, match="larger than the padded input") as caught:
        column.fresh(nn.Chain(head=layer), np.ones((1, 1, 5), np.float32))
    assert caught.value.code == "LXC-E0103"
    assert "head (Conv)" in str(caught.value.layer)
    assert column.fresh(layer, np.ones((1, 1, 6), np.float32)).shape == (1, 1, 1)


@row("CNV-04")
@row("CRC-02a")
def test_a_stride_is_one_number_or_one_per_axis(column: Column) -> None:
    x = draw(2, 2, 9, 8)
    agree(
        column,
        [
            ((3, 3), 2, 3, x, {"stride": 2}, {"stride": 2}),
            ((3, 3), 2, 3, x, {"stride": (2, 3)}, {"stride": (2, 3)}),
            ((2, 1), 2, 3, x, {"stride": [4, 3]}, {"stride": (4, 3)}),
        ],
    )


@row("CNV-04", eager_because="a stride is checked when the layer is made")
@row("CRC-02a", eager_because="a stride is checked when the layer is made")
@pytest.mark.parametrize("stride", [0, (1, 2, 3), (1,), (1, -1), 1.5, None])
@pytest.mark.parametrize("kind", KINDS)
def test_strides_that_do_not_fit_are_refused(kind: Any, stride: Any) -> None:
    with pytest.raises(LxcError, match="stride") as caught:
        kind((3, 3), 1, 1, stride=stride)
    assert caught.value.code == "LXC-E0101"


@row("CNV-05")
@row("CRC-02b")
def test_a_dilation_is_one_number_or_one_per_axis(column: Column) -> None:
    x = draw(2, 2, 9, 8)
    agree(
        column,
        [
            ((3, 2), 2, 3, x, {"dilation": 2}, {"dilation": 2}),
            ((3, 2), 2, 3, x, {"dilation": (2, 3)}, {"dilation": (2, 3)}),
            (
                (2, 3),
                2,
                3,
                x,
                {"dilation": (3, 2), "stride": (2, 3), "pad": (1, 2)},
                {"dilation": (3, 2), "stride": (2, 3), "padding": (1, 2)},
            ),
        ],
    )


@row("CNV-05", eager_because="a dilation is checked when the layer is made")
@row("CRC-02b", eager_because="a dilation is checked when the layer is made")
@pytest.mark.parametrize("dilation", [0, (1, 2, 3), (2.0, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_dilations_that_do_not_fit_are_refused(kind: Any, dilation: Any) -> None:
    with pytest.raises(LxcError, match="dilation") as caught:
        kind((3, 3), 1, 1, dilation=dilation)
    assert caught.value.code == "LXC-E0101"


@row("CNV-06")
@row("CNV-07")
@row("CRC-02c")
def test_one_pad_goes_around_everything_and_n_pads_are_one_per_axis(column: Column) -> None:
    x = draw(2, 2, 5, 4)
    agree(
        column,
        [
            ((3, 3), 2, 3, x, {}, {"padding": 0}),
            ((3, 3), 2, 3, x, {"pad": 2}, {"padding": 2}),
            ((3, 3), 2, 3, x, {"pad": (2, 1)}, {"padding": (2, 1)}),
            ((1, 2), 2, 3, x, {"pad": [0, 3]}, {"padding": (0, 3)}),
        ],
    )


@row("CNV-08")
@row("CRC-02c")
def test_two_n_pads_are_pairs_per_axis(column: Column) -> None:
    layers = [kind((3, 3), 1, 1, pad=(1, 2, 0, 1), use_bias=False) for kind in KINDS]
    for y in given(column, layers, [np.ones((28, 28))] * 2, [np.ones((3, 3))] * 2):
        assert y.shape == (29, 27)
        corners = [y[0, 0], y[1, 1], y[0, -1], y[-1, 0], y[-2, 0], y[-1, -1]]
        close(corners, [6, 9, 4, 3, 6, 2])


@row("CNV-08", eager_because="a pad is checked when the layer is made")
@row("CRC-02c", eager_because="a pad is checked when the layer is made")
@pytest.mark.parametrize("pad", [(1, 2, 3), (1,), -1, (1, 2, 3, -1), (), 0.5, "same"])
@pytest.mark.parametrize("kind", KINDS)
def test_pads_that_are_neither_n_nor_2n_are_refused(kind: Any, pad: Any) -> None:
    with pytest.raises(LxcError, match="pad") as caught:
        kind((3, 3), 1, 1, pad=pad)
    assert caught.value.code == "LXC-E0101"


@row("CNV-09")
def test_asymmetric_pads_are_the_same_as_padding_first(column: Column) -> None:
    x, edges = draw(2, 2, 5, 4), ((0, 2), (3, 1))
    ours: Any = {"pad": (0, 2, 3, 1), "stride": 2}
    agree(column, [((3, 2), 2, 3, x, ours, {"pad": edges, "stride": 2})])
    plain, padded = (nn.Conv((3, 2), 2, 3, stride=2), nn.Conv((3, 2), 2, 3, **ours))
    ps, _ = lxc.setup(1, plain)
    around = np.pad(x, ((0, 0), (0, 0), *edges))
    close_sums(column(padded, x, ps, {})[0], plain(around, ps, {})[0])


@row("CNV-10")
@row("CRC-02d")
def test_same_pad_puts_the_odd_cell_in_front_whatever_the_stride(column: Column) -> None:
    pad: Any = nn.SamePad()
    layers = [
        nn.Conv(3, 1, 1, stride=2, pad=pad, use_bias=False),
        nn.Conv(2, 1, 1, pad=pad, use_bias=False),
        nn.CrossCor(2, 1, 1, pad=pad, use_bias=False),
    ]
    inputs = [[1, 2, 3, 4], [1, 2, 3], [1, 2, 3]]
    ys = given(column, layers, inputs, [[1, 1, 1], [1, 10], [1, 10]])
    for y, expected in zip(ys, ([3, 9], [1, 12, 23], [10, 21, 32]), strict=True):
        close(y, f32(expected))


@row("CNV-10")
@row("CRC-02d")
def test_same_pad_gives_size_over_stride_rounded_up(column: Column) -> None:
    kernels = ((2, 1), (3, 2), (4, 1), (1, 1), (2, 3))
    cases = [
        (k, dilation, stride, size)
        for number, (k, dilation) in enumerate(kernels)
        for stride in (1, 2, 3)
        for size in (4 + (number + stride) % 4,)
    ]
    pad: Any = nn.SamePad()
    layers = [nn.Conv(k, 1, 1, stride=s, dilation=d, pad=pad) for k, d, s, _ in cases]
    inputs = [draw(1, 1, size, seed=size) for *_, size in cases]
    results = several(column, layers, inputs)
    for (k, d, s, size), x, (ps, y) in zip(cases, inputs, results, strict=True):
        total = d * (k - 1)
        edges = ((-(-total // 2), total // 2),)
        assert y.shape == (1, 1, -(-size // s))
        close_sums(y, torch_conv(x, ps, flip=True, pad=edges, stride=s, dilation=d))


@row("CNV-10", eager_because="a pad is an option, equal to itself, before any computing")
def test_same_pad_is_a_value() -> None:
    assert nn.SamePad() == nn.SamePad()
    assert repr(nn.SamePad()) == "SamePad()"
    assert nn.Conv(2, 1, 1, pad=nn.SamePad()) == nn.Conv(2, 1, 1, pad=(1, 0))
