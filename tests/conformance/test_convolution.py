"""Conv and CrossCor."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import convolve, correlate

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row
from tests.conformance.several import given, several
from tests.conformance.torch_images import torch_conv

KINDS = (nn.Conv, nn.CrossCor)


def agree(column: Column, cases: Any) -> None:
    """Compare layers with PyTorch: (kernel, channels in, out, x, our options, torch's)."""
    made = [
        (kind, kind(kernel, inputs, outputs, **ours), x, theirs)
        for kind in KINDS
        for kernel, inputs, outputs, x, ours, theirs in cases
    ]
    results = several(column, [case[1] for case in made], [case[2] for case in made])
    for (kind, _, x, theirs), (ps, y) in zip(made, results, strict=True):
        close_sums(y, torch_conv(x, ps, flip=kind is nn.Conv, **theirs))


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


@row("CNV-11")
@row("CNV-12")
def test_a_block_of_outputs_reads_its_block_of_inputs(column: Column) -> None:
    agree(
        column,
        [
            (3, 6, 2, draw(2, 6, 7), {"groups": 2}, {"groups": 2}),
            ((2, 2), 3, 15, draw(2, 3, 5, 5), {"groups": 3}, {"groups": 3}),
            ((3, 1, 2), 4, 4, draw(1, 4, 4, 3, 5), {"groups": 4}, {"groups": 4}),
            (1, 6, 9, draw(2, 6, 1), {"groups": 3}, {"groups": 3}),
        ],
    )


@row("CNV-11", eager_because="shapes are decided when parameters are made")
@row("CNV-12", eager_because="shapes are decided when parameters are made")
def test_groups_divide_the_channels_of_the_weight() -> None:
    def shape(layer: Any) -> tuple[int, ...]:
        return tuple(lxc.setup(0, layer)[0]["weight"].shape)

    assert shape(nn.Conv((3,), 6, 2, groups=2)) == (2, 3, 3)
    assert shape(nn.Conv((2, 2), 3, 15, groups=3)) == (15, 1, 2, 2)
    for inputs, outputs, groups in ((6, 3, 2), (5, 2, 2), (3, 10, 3), (4, 4, 0)):
        with pytest.raises(LxcError) as caught:
            nn.Conv((2, 2), inputs, outputs, groups=groups)
        assert caught.value.code == "LXC-E0101"


@row("CNV-13")
@row("CRC-02e")
def test_without_bias_nothing_is_added(column: Column) -> None:
    agree(column, [((3, 2), 4, 6, draw(2, 4, 5, 5), {"use_bias": False}, {})])


@row("CNV-13", eager_because="the keys are decided before anything is computed")
@row("CRC-02e", eager_because="the keys are decided before anything is computed")
@pytest.mark.parametrize("kind", KINDS)
def test_without_bias_there_is_no_key(kind: Any) -> None:
    ps, _ = lxc.setup(0, kind((3, 2), 4, 6, groups=2))
    assert list(ps) == ["weight", "bias"]
    assert ps["bias"].shape == (6,)
    assert sum(leaf.size for leaf in ps.values()) == 3 * 2 * 4 * 6 // 2 + 6
    for option in ("use_bias", "bias"):
        assert list(lxc.setup(0, kind(3, 1, 1, **{option: False}))[0]) == ["weight"]
        assert list(lxc.setup(0, kind(3, 1, 1, **{option: True}))[0]) == ["weight", "bias"]
    for first in (True, False):
        for second in (True, False):
            with pytest.raises(LxcError, match="given twice") as caught:
                kind(3, 1, 1, use_bias=first, bias=second)
            assert caught.value.code == "LXC-E0101"


@row("CNV-14a", eager_because="initial values are drawn in Python")
@row("CRC-02f", eager_because="initial values are drawn in Python")
@pytest.mark.parametrize(("kind", "groups"), [(nn.Conv, 1), (nn.CrossCor, 1), (nn.Conv, 4)])
def test_weights_start_as_glorot_uniform(kind: Any, groups: int) -> None:
    layer = kind((3, 3), 4, 8, groups=groups)
    weight = lxc.setup(0, layer)[0]["weight"]
    assert weight.shape == (8, 4 // groups, 3, 3)
    assert weight.dtype == np.float32
    bound = (6 / (9 * 4 // groups + 9 * 8)) ** 0.5
    assert 0.9 * bound < np.abs(weight).max() <= bound
    assert abs(weight.mean()) < 0.2 * bound


@row("CNV-14a", eager_because="initial values are drawn in Python")
@row("CNV-14b", eager_because="initial values are drawn in Python")
@row("CRC-02f", eager_because="initial values are drawn in Python")
@row("CRC-02g", eager_because="initial values are drawn in Python")
@pytest.mark.parametrize("kind", KINDS)
def test_initialisers_get_the_shapes(kind: Any) -> None:
    shapes = []

    def init(rng: Any, *shape: int) -> Any:
        shapes.append(shape)
        return np.full(shape, 7, np.float32)

    ps, _ = lxc.setup(0, kind((3, 2), 4, 8, init_weight=init, init_bias=init))
    assert shapes == [(8, 4, 3, 2), (8,)]
    same(ps["bias"], np.full(8, 7, np.float32))
    same(lxc.setup(0, kind((3, 2), 4, 8))[0]["bias"], np.zeros(8, np.float32))


@row("CNV-15")
@row("CRC-02h")
def test_the_activation_comes_after_the_bias(column: Column) -> None:
    layers = [kind(1, 1, 2, nn.relu) for kind in KINDS]
    layers += [
        nn.Conv(1, 1, 2, activation, allow_fast_activation=fast)
        for activation in (nn.tanh, nn.sigmoid)
        for fast in (True, False)
    ]
    model, x = nn.BranchLayer(*layers), f32([[[1, 3, -0.25]]])
    ps, st = lxc.setup(0, model)
    for name in ps:
        ps[name] = {"weight": f32([[[1]], [[-1]]]), "bias": f32([-2, 1])}
    ys, after = column(model, x, ps, st)
    before = np.stack([x[:, 0] - 2, 1 - x[:, 0]], axis=1)
    for y in ys[:2]:
        same(y, np.maximum(before, 0))
    for y in ys[2:4]:
        close(y, np.tanh(before))
    for y in ys[4:]:
        close(y, 1 / (1 + np.exp(-before)))
    assert after == st


@row("CNV-16")
def test_there_is_no_state_and_one_mode(column: Column) -> None:
    layer, x = nn.Conv((2, 2), 1, 2), draw(1, 1, 3, 3)
    ps, st = lxc.setup(0, layer)
    assert st == {}
    trained, tested = (column(layer, x, ps, st, mode) for mode in ("train", "test"))
    same(trained, tested)
    assert tested[1] == {}


@row("CNV-01")
@row("CRC-01")
def test_double_precision_and_an_empty_batch(column: Column) -> None:
    model = nn.BranchLayer(*(kind((2, 3), 2, 4, pad=1) for kind in KINDS))
    ps, st = lxc.setup(0, model)
    wide = {
        name: {key: leaf.astype(np.float64) for key, leaf in own.items()}
        for name, own in ps.items()
    }
    spec = lxc.TensorSpec((lxc.Dim("N", 0, 4), 2, 3, 4), "float64")
    call = column.built(model, spec, wide, st)
    for count in (0, 2):
        x = draw(count, 2, 3, 4).astype(np.float64)
        for y, own, flip in zip(
            call(x, wide, st)[0], wide.values(), (True, False), strict=True
        ):
            assert y.dtype == np.float64
            assert y.shape == (count, 4, 4, 4)
            if count:
                expected = torch_conv(x, own, flip=flip, padding=1)
                close(y, expected, rtol=1e-12, atol=1e-13)
