"""MaxPool and MeanPool."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, same
from tests.conformance.pooling import KINDS, agree
from tests.conformance.rows import row
from tests.conformance.several import outputs
from tests.conformance.torch_images import torch_pool


@row("POL-01")
@row("POL-02")
def test_one_artifact_takes_any_batch(column: Column) -> None:
    options: Any = {"stride": (2, 1), "pad": (1, 0, 0, 1)}
    model = nn.BranchLayer(*(kind((3, 2), **options) for kind, _ in KINDS))
    ps, st = lxc.setup(0, model)
    call = column.built(model, lxc.TensorSpec((lxc.Dim("N", 0, 8), 3, 6, 5)), ps, st)
    for count in (1, 3, 8, 0):
        x = draw(count, 3, 6, 5, seed=count)
        for y, (_, name) in zip(call(x, ps, st)[0], KINDS, strict=True):
            assert y.shape == (count, 3, 3, 5)
            if count:
                edges = ((1, 0), (0, 1))
                close(y, torch_pool(name, x, (3, 2), pad=edges, stride=(2, 1)))


@row("POL-01")
def test_padding_never_wins_a_maximum_and_nan_does(column: Column) -> None:
    nan = np.nan
    layers = [nn.MaxPool(2, pad=1, stride=2), nn.MaxPool(2), nn.MaxPool(3, stride=1)]
    inputs = [f32([[[-3, -5]]]), f32([[[1, nan, 3, 4]]]), f32([[[nan, 1, 2, 3, nan]]])]
    ys = outputs(column, layers, inputs)
    same(ys[0], f32([[[-3, -5]]]))
    same(ys[1], f32([[[nan, 4]]]))
    same(ys[2], f32([[[nan, 3, nan]]]))


@row("POL-01")
def test_a_maximum_keeps_the_element_type(column: Column) -> None:
    lowest, highest = np.iinfo(np.int8).min, np.iinfo(np.int8).max
    x = np.array([[[lowest, lowest, highest, 0, lowest]]], np.int8)
    wide = draw(1, 2, 5).astype(np.float64)
    layers = [nn.MaxPool(2, pad=1), nn.MaxPool(2, pad=1)]
    ys = outputs(column, layers, [x, wide])
    same(ys[0], np.array([[[lowest, highest, 0]]], np.int8))
    same(ys[1], torch_pool("max", wide, 2, pad=((1, 1),)))


@row("POL-01", eager_because="options are checked when the layer is made")
@row("POL-04c", eager_because="options are checked when the layer is made")
def test_a_maximum_of_padding_alone_is_refused() -> None:
    for pad in (2, (0, 2), (0, 0, 2, 0), (0, 0, 0, 3)):
        with pytest.raises(LxcError, match="past a whole window") as caught:
            nn.MaxPool((2, 2), pad=pad)
        assert caught.value.code == "LXC-E0101"
    nn.MaxPool((2, 4), pad=(1, 3))


@row("POL-02")
def test_a_mean_divides_by_the_full_window(column: Column) -> None:
    x = f32([[[[3, 5], [7, 9]]]])
    layers = [nn.MeanPool((2, 2), pad=1, stride=2), nn.MeanPool((2, 1), pad=(3, 0))]
    first, second = outputs(column, layers, [x, x])
    same(first, f32([[[[0.75, 1.25], [1.75, 2.25]]]]))
    same(second, f32([[[[0, 0], [1.5, 2.5], [3.5, 4.5], [0, 0]]]]))


@row("POL-02")
def test_means_of_integers_and_halves_do_not_overflow(column: Column) -> None:
    whole = np.array([[[100, 120, 127, 4]]], np.int8)
    half = np.array([[[60000, 62048, -1, 3]]], np.float16)
    first, second = outputs(column, [nn.MeanPool(2), nn.MeanPool(2)], [whole, half])
    same(first, np.array([[[110, 65.5]]]))
    same(second, np.array([[[61024, 1]]], np.float16))


@row("POL-03")
def test_the_stride_is_the_window_unless_given(column: Column) -> None:
    flat, plane = draw(2, 3, 9), draw(2, 3, 9, 8)
    agree(
        column,
        [
            (3, flat, {}, {"stride": 3}),
            (3, flat, {"stride": 2}, {"stride": 2}),
            ((3, 2), plane, {}, {"stride": (3, 2)}),
            ((3, 2), plane, {"stride": 1}, {"stride": 1}),
            ((3, 2), plane, {"stride": (1, 3)}, {"stride": (1, 3)}),
            ((1, 2), plane, {"stride": [4, 5]}, {"stride": (4, 5)}),
        ],
    )


@row("POL-03", eager_because="options are checked when the layer is made")
@pytest.mark.parametrize(
    ("window", "options"),
    [
        ((), {}),
        (0, {}),
        ((2, -1), {}),
        (2.5, {}),
        ((2, 2), {"stride": 0}),
        ((2, 2), {"stride": (1, 2, 3)}),
        ((2, 2), {"stride": 1.5}),
        ((2, 2), {"pad": (1, 1, 1)}),
        ((2, 2), {"pad": -1}),
    ],
)
@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_options_that_do_not_fit_are_refused(kind: Any, window: Any, options: Any) -> None:
    with pytest.raises(LxcError) as caught:
        kind(window, **options)
    assert caught.value.code == "LXC-E0101"


@row("POL-04a")
@row("POL-04b")
@row("POL-04c")
def test_pads_are_one_number_one_per_axis_or_pairs(column: Column) -> None:
    x = draw(2, 3, 6, 7)
    agree(
        column,
        [
            ((3, 2), x, {"pad": 0}, {}),
            ((3, 2), x, {"pad": 1}, {"pad": ((1, 1), (1, 1))}),
            ((2, 4), x, {"pad": (1, 2)}, {"pad": ((1, 1), (2, 2))}),
            (
                (2, 3),
                x,
                {"pad": (0, 1, 2, 1), "stride": 2},
                {"pad": ((0, 1), (2, 1)), "stride": 2},
            ),
        ],
    )


@row("POL-05")
def test_only_whole_windows_count(column: Column) -> None:
    cases: list[tuple[int, int, dict[str, Any], int]] = [
        (7, 3, {"stride": 2}, 3),
        (8, 3, {"stride": 2}, 3),
        (9, 3, {"stride": 2}, 4),
        (9, 4, {}, 2),
        (3, 3, {"stride": 5}, 1),
        (2, 3, {"pad": (1, 0), "stride": 2}, 1),
    ]
    layers = [kind(k, **own) for kind, _ in KINDS for _, k, own, _ in cases]
    inputs = [np.ones((1, 1, case[0]), np.float32) for case in cases]
    ys = outputs(column, layers, inputs * 2)
    assert [y.shape[2] for y in ys] == [case[3] for case in cases] * 2


@row("POL-05")
def test_one_artifact_takes_any_size(column: Column) -> None:
    model = nn.BranchLayer(*(kind((3, 2), pad=(1, 0, 0, 1)) for kind, _ in KINDS))
    ps, st = lxc.setup(0, model)
    shape = (2, 1, lxc.Dim("H", 2, 12), lxc.Dim("W", 1, 9))
    call = column.built(model, lxc.TensorSpec(shape), ps, st)
    for rows, columns in ((2, 1), (3, 9), (9, 2), (12, 8)):
        x = draw(2, 1, rows, columns)
        for y, (_, name) in zip(call(x, ps, st)[0], KINDS, strict=True):
            close(y, torch_pool(name, x, (3, 2), pad=((1, 0), (0, 1))))


@row("POL-05")
@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_a_window_larger_than_the_padded_input_is_refused(
    kind: Any, column: Column
) -> None:
    model = nn.Chain(down=kind((2, 4), pad=(0, 1)))
    with pytest.raises(LxcError, match="larger than the padded input") as caught:
        column.fresh(model, np.ones((1, 1, 5, 1), np.float32))
    assert caught.value.code == "LXC-E0103"
    assert f"down ({kind.__name__})" in str(caught.value.layer)


@row("POL-06")
def test_the_window_has_one_size_per_spatial_axis(column: Column) -> None:
    agree(
        column,
        [
            (2, draw(2, 2, 6), {}, {}),
            ((2, 3), draw(2, 2, 4, 6), {}, {}),
            ((2, 3, 2), draw(2, 2, 4, 5, 6), {}, {}),
            ((2, 1, 3), draw(1, 2, 4, 1, 6), {"stride": 1}, {"stride": 1}),
        ],
    )


@row("POL-06")
@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 2, 4, 4, 4)])
@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_another_rank_is_refused(kind: Any, shape: Any, column: Column) -> None:
    with pytest.raises(LxcError, match="rank 4") as caught:
        column.fresh(kind((2, 2)), np.ones(shape, np.float32))
    assert caught.value.code == "LXC-E0103"
    assert str(list(shape)) in str(caught.value.actual)


@row("POL-06")
def test_four_spatial_axes(column: Column) -> None:
    x = np.arange(2**4, dtype=np.float32).reshape(1, 1, 2, 2, 2, 2)
    highest, mean = column.fresh(
        nn.BranchLayer(nn.MaxPool((2, 1, 2, 2)), nn.MeanPool((1, 2, 2, 2))), x
    )
    same(highest, x.max(axis=(2, 4, 5), keepdims=True))
    same(mean, x.mean(axis=(3, 4, 5), keepdims=True))


@row("POL-07")
def test_same_pad_puts_the_odd_cell_in_front(column: Column) -> None:
    pad: Any = nn.SamePad()
    cases = []
    for k in (1, 2, 3, 4):
        edges = ((-(-(k - 1) // 2), (k - 1) // 2),)
        for stride in (k, 2):
            ours, theirs = {"pad": pad, "stride": stride}, {"pad": edges, "stride": stride}
            cases.append((k, draw(1, 1, k + 3, seed=k), ours, theirs))
    agree(column, cases)
    layers = [nn.MeanPool(k, **ours) for k, _, ours, _ in cases]
    ys = outputs(column, layers, [case[1] for case in cases])
    for (k, _, ours, _), y in zip(cases, ys, strict=True):
        assert y.shape == (1, 1, -(-(k + 3) // ours["stride"]))


@row("POL-01", eager_because="the trees are empty")
@row("POL-02", eager_because="the trees are empty")
def test_pools_have_neither_parameters_nor_state() -> None:
    for layer in (
        nn.MaxPool(2),
        nn.MeanPool(2),
        nn.GlobalMaxPool(),
        nn.GlobalMeanPool(),
        nn.AdaptiveMaxPool(2),
        nn.AdaptiveMeanPool(2),
    ):
        assert lxc.setup(0, layer) == ({}, {})
