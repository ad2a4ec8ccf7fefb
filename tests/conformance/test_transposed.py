"""ConvTranspose."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row
from tests.conformance.several import given, several
from tests.conformance.torch_images import torch_conv, torch_transposed


def agree(column: Column, cases: Any) -> None:
    """Compare layers with PyTorch: (kernel, channels in, out, x, our options, torch's)."""
    layers = [nn.ConvTranspose(k, i, o, **ours) for k, i, o, _, ours, _ in cases]
    results = several(column, layers, [case[3] for case in cases])
    for (*_, x, _, theirs), (ps, y) in zip(cases, results, strict=True):
        close_sums(y, torch_transposed(x, ps, **theirs))


@row("CVT-01")
@row("CVT-02")
def test_each_cell_spreads_over_the_flipped_kernel(column: Column) -> None:
    options: list[dict[str, Any]] = [{"stride": 2}, {}, {"stride": 3}, {"dilation": 2}]
    layers = [nn.ConvTranspose(3, 1, 1, use_bias=False, **own) for own in options]
    ys = given(column, layers, [[1, 2]] * 4, [[1, 2, 3]] * 4)
    expected = [
        [3, 2, 7, 4, 2],
        [3, 8, 5, 2],
        [3, 2, 1, 6, 4, 2],
        [3, 6, 2, 4, 1, 2],
    ]
    for y, numbers in zip(ys, expected, strict=True):
        same(y, f32(numbers))


@row("CVT-01")
@row("CVT-05a")
@pytest.mark.parametrize(
    ("kernel", "sizes", "options"),
    [
        ((3,), (9,), {"stride": 2}),
        ((3, 2), (7, 6), {"stride": (2, 1), "dilation": (1, 2), "groups": 2}),
        ((2, 3, 2), (5, 6, 4), {"stride": (1, 2, 2), "pad": (1, 0, 2, 1, 0, 0)}),
    ],
    ids=["1d", "2d", "3d"],
)
def test_it_is_the_adjoint_of_conv(
    kernel: Any, sizes: Any, options: Any, column: Column
) -> None:
    plain: Any = {"use_bias": False, **options}
    ps, _ = lxc.setup(0, nn.Conv(kernel, 4, 6, **plain))
    a = draw(2, 4, *sizes)
    conv_a = torch_conv(
        a,
        ps,
        flip=True,
        stride=options["stride"],
        dilation=options.get("dilation", 1),
        groups=options.get("groups", 1),
        pad=nn.Conv(kernel, 4, 6, **plain).padding,
    )
    b = draw(*conv_a.shape, seed=1)
    back, _ = column(nn.ConvTranspose(kernel, 6, 4, **plain), b, ps, {})
    assert back.shape == a.shape
    inner = (conv_a.astype(np.float64) * b).sum(), (back.astype(np.float64) * a).sum()
    np.testing.assert_allclose(*inner, rtol=1e-5)


@row("CVT-01")
def test_one_artifact_takes_any_batch_and_any_size(column: Column) -> None:
    model = nn.ConvTranspose((3, 2), 4, 6, nn.relu, stride=2, pad=(1, 0, 0, 1), groups=2)
    ps, st = lxc.setup(0, model)
    shape = (lxc.Dim("N", 1, 8), 4, lxc.Dim("H", 1, 5), 3)
    call = column.built(model, lxc.TensorSpec(shape), ps, st)
    for count, rows in ((1, 1), (3, 5), (8, 2)):
        x = draw(count, 4, rows, 3, seed=count)
        whole = torch_transposed(x, ps, crop=((1, 0), (0, 1)), stride=2, groups=2)
        close_sums(call(x, ps, st)[0], np.maximum(whole, 0))


@row("CVT-01")
def test_double_precision_and_an_empty_batch(column: Column) -> None:
    model = nn.ConvTranspose((2, 3), 2, 4, stride=(3, 2))
    ps, st = lxc.setup(0, model)
    wide = {key: leaf.astype(np.float64) for key, leaf in ps.items()}
    spec = lxc.TensorSpec((lxc.Dim("N", 0, 4), 2, 3, 1), "float64")
    call = column.built(model, spec, wide, st)
    for count in (0, 2):
        x = draw(count, 2, 3, 1).astype(np.float64)
        y, _ = call(x, wide, st)
        assert (y.dtype, y.shape) == (np.float64, (count, 4, 8, 3))
        if count:
            close(y, torch_transposed(x, wide, stride=(3, 2)), rtol=1e-12, atol=1e-13)


@row("CVT-01")
@pytest.mark.parametrize("shape", [(1, 2, 5), (1, 3, 5, 5), (1, 2, 0, 5)])
def test_an_input_of_another_rank_with_other_channels_or_without_cells_is_refused(
    shape: tuple[int, ...], column: Column
) -> None:
    model = nn.Chain(grow=nn.ConvTranspose((3, 3), 2, 1))
    with pytest.raises(LxcError) as caught:
        column.fresh(model, np.zeros(shape, np.float32))
    assert caught.value.code == "LXC-E0103"
    assert str(list(shape)) in str(caught.value.actual)
    assert "ConvTranspose" in str(caught.value.layer)


@row("CVT-02")
def test_the_output_size_undoes_that_of_conv(column: Column) -> None:
    cases: list[tuple[int, int, dict[str, Any], int]] = [
        (1, 3, {}, 3),
        (4, 3, {"stride": 2}, 9),
        (4, 1, {"stride": 3}, 10),
        (3, 2, {"dilation": 3, "stride": 2}, 8),
        (4, 3, {"stride": 2, "pad": (1, 2)}, 6),
        (5, 2, {"stride": 2, "pad": (4, 5)}, 1),
    ]
    layers = [nn.ConvTranspose(k, 1, 1, **options) for _, k, options, _ in cases]
    inputs = [draw(1, 1, case[0]) for case in cases]
    results = several(column, layers, inputs)
    for (_, _, options, size), x, (ps, y) in zip(cases, inputs, results, strict=True):
        assert y.shape == (1, 1, size)
        theirs = {key: value for key, value in options.items() if key != "pad"}
        crop = (options.get("pad", (0, 0)),)
        close_sums(y, torch_transposed(x, ps, crop=crop, **theirs))


@row("CVT-03a")
@row("CVT-03b")
@row("CVT-05a")
def test_stride_dilation_and_groups(column: Column) -> None:
    x = draw(2, 4, 3, 4)
    mixed: Any = {"stride": (2, 1), "dilation": (1, 2), "groups": 2}
    wide: Any = {"stride": (3, 2), "dilation": (2, 3)}
    agree(
        column,
        [
            ((3, 3), 4, 3, x, {"stride": 2}, {"stride": 2}),
            ((3, 3), 4, 3, x, {"stride": (3, 1)}, {"stride": (3, 1)}),
            ((2, 1), 4, 3, x, {"stride": [4, 3]}, {"stride": (4, 3)}),
            ((3, 2), 4, 3, x, {"dilation": 2}, {"dilation": 2}),
            ((3, 2), 4, 3, x, {"dilation": (1, 3)}, {"dilation": (1, 3)}),
            ((3, 2), 4, 6, x, mixed, mixed),
            ((2, 3), 4, 2, x, wide, wide),
            (
                3,
                6,
                4,
                draw(1, 6, 4),
                {"groups": 2, "stride": 2},
                {"groups": 2, "stride": 2},
            ),
            ((2, 2, 1), 3, 6, draw(1, 3, 2, 1, 3), {"groups": 3}, {"groups": 3}),
            ((4, 4), 4, 2, x, {"stride": 2, "pad": 1}, {"stride": 2, "padding": 1}),
        ],
    )


@row("CVT-03a", eager_because="options are checked when the layer is made")
@row("CVT-03b", eager_because="options are checked when the layer is made")
@row("CVT-05a", eager_because="options are checked when the layer is made")
@pytest.mark.parametrize(
    "option",
    [
        {"stride": 0},
        {"stride": (1, 2, 3)},
        {"dilation": (1,)},
        {"dilation": 1.5},
        {"groups": 3},
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_refused(option: Any) -> None:
    with pytest.raises(LxcError) as caught:
        nn.ConvTranspose((3, 3), 4, 6, **option)
    assert caught.value.code == "LXC-E0101"


@row("CVT-04")
def test_pads_crop(column: Column) -> None:
    x = draw(2, 2, 4, 5)
    agree(
        column,
        [
            (3, 2, 3, draw(1, 2, 4), {"pad": 1}, {"crop": ((1, 1),)}),
            ((3, 4), 2, 3, x, {"pad": 1}, {"crop": ((1, 1), (1, 1))}),
            ((3, 4), 2, 3, x, {"pad": (1, 2)}, {"crop": ((1, 1), (2, 2))}),
            ((3, 4), 2, 3, x, {"pad": (0, 2, 3, 1)}, {"crop": ((0, 2), (3, 1))}),
            (
                (2, 2),
                2,
                3,
                x,
                {"pad": (3, 0, 0, 4), "stride": 2},
                {"crop": ((3, 0), (0, 4)), "stride": 2},
            ),
        ],
    )


@row("CVT-04")
def test_pads_that_crop_everything_are_refused(column: Column) -> None:
    layer = nn.ConvTranspose(3, 1, 1, stride=2, pad=(5, 4))
    with pytest.raises(LxcError, match="crop all") as caught:
        column.fresh(nn.Chain(grow=layer), np.ones((1, 1, 4), np.float32))
    assert caught.value.code == "LXC-E0103"
    assert "grow (ConvTranspose)" in str(caught.value.layer)
    assert column.fresh(layer, np.ones((1, 1, 5), np.float32)).shape == (1, 1, 2)


@row("CVT-04", eager_because="a pad is checked when the layer is made")
@pytest.mark.parametrize("pad", [(1, 2, 3), -1, (0, -1), 0.5])
def test_pads_that_do_not_fit_are_refused(pad: Any) -> None:
    with pytest.raises(LxcError, match="pad") as caught:
        nn.ConvTranspose((3, 3), 1, 1, pad=pad)
    assert caught.value.code == "LXC-E0101"


@row("CVT-05a", eager_because="shapes are decided when parameters are made")
@row("CVT-05b", eager_because="the keys are decided before anything is computed")
def test_the_weight_is_inputs_first_and_the_bias_may_be_missing() -> None:
    ps, st = lxc.setup(0, nn.ConvTranspose((3, 2), 4, 6, groups=2))
    assert list(ps) == ["weight", "bias"]
    assert (ps["weight"].shape, ps["bias"].shape) == ((4, 3, 3, 2), (6,))
    assert sum(leaf.size for leaf in ps.values()) == 3 * 2 * 4 * 6 // 2 + 6
    assert st == {}
    for layer in (
        nn.ConvTranspose(3, 1, 1, use_bias=False),
        nn.ConvTranspose(3, 1, 1, bias=False),
    ):
        assert list(lxc.setup(0, layer)[0]) == ["weight"]
    with pytest.raises(LxcError, match="given twice"):
        nn.ConvTranspose(3, 1, 1, use_bias=True, bias=True)


@row("CVT-05b")
@row("CVT-05e")
def test_the_bias_comes_before_the_activation(column: Column) -> None:
    layers = [
        nn.ConvTranspose(1, 1, 2, nn.relu),
        nn.ConvTranspose(1, 1, 2, nn.tanh),
        nn.ConvTranspose(1, 1, 2, nn.tanh, allow_fast_activation=False),
        nn.ConvTranspose(1, 1, 2, use_bias=False),
    ]
    model, x = nn.BranchLayer(*layers), f32([[[1, 3, -0.25]]])
    ps, st = lxc.setup(0, model)
    for own in ps.values():
        own["weight"] = f32([[[1], [-1]]])
    for number in (1, 2, 3):
        ps[f"layer_{number}"]["bias"] = f32([-2, 1])
    ys, after = column(model, x, ps, st)
    before = np.stack([x[:, 0] - 2, 1 - x[:, 0]], axis=1)
    same(ys[0], np.maximum(before, 0))
    close(ys[1], np.tanh(before))
    close(ys[2], np.tanh(before))
    same(ys[3], np.concatenate([x, -x], axis=1))
    assert after == st


@row("CVT-05c", eager_because="initial values are drawn in Python")
@row("CVT-05d", eager_because="initial values are drawn in Python")
def test_initial_values() -> None:
    ps, _ = lxc.setup(0, nn.ConvTranspose((3, 3), 8, 4, groups=2))
    assert ps["weight"].shape == (8, 2, 3, 3)
    bound = (6 / (9 * 2 + 9 * 8)) ** 0.5
    assert 0.9 * bound < np.abs(ps["weight"]).max() <= bound
    same(ps["bias"], np.zeros(4, np.float32))
    shapes = []

    def init(rng: Any, *shape: int) -> Any:
        shapes.append(shape)
        return np.full(shape, 7, np.float32)

    layer = nn.ConvTranspose((3, 2), 4, 8, init_weight=init, init_bias=init)
    same(lxc.setup(0, layer)[0]["bias"], np.full(8, 7, np.float32))
    assert shapes == [(4, 8, 3, 2), (8,)]


@row("CVT-06")
@row("D13")
def test_same_pad_gives_size_times_stride(column: Column) -> None:
    pad: Any = nn.SamePad()
    cases: list[tuple[int, int, int, int, tuple[int, int], int]] = [
        (4, 4, 2, 1, (1, 1), 8),
        (4, 3, 2, 1, (1, 0), 8),
        (4, 3, 1, 1, (1, 1), 4),
        (3, 2, 2, 3, (1, 1), 6),
        (3, 5, 2, 1, (2, 1), 6),
        (4, 1, 1, 1, (0, 0), 4),
        (4, 2, 3, 1, (0, 0), 11),
    ]
    layers = [
        nn.ConvTranspose(k, 1, 1, stride=s, dilation=d, pad=pad) for _, k, s, d, *_ in cases
    ]
    inputs = [draw(1, 1, case[0]) for case in cases]
    results = several(column, layers, inputs)
    for (_, _, s, d, crop, size), x, (ps, y) in zip(cases, inputs, results, strict=True):
        assert y.shape == (1, 1, size)
        close_sums(y, torch_transposed(x, ps, crop=(crop,), stride=s, dilation=d))
