"""Pools over windows, over whole images, and to a given size."""

from typing import Any

import numpy as np
import pytest
from torch import from_numpy
from torch.nn import functional

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, same
from tests.conformance.rows import row
from tests.conformance.several import several
from tests.conformance.torch_images import torch_pool

KINDS: tuple[tuple[Any, str], ...] = ((nn.MaxPool, "max"), (nn.MeanPool, "mean"))


def agree(column: Column, cases: Any) -> None:
    """Compare both kinds with PyTorch: (window, x, our options, torch's)."""
    made = [
        (kind(case[0], **case[2]), name, case) for kind, name in KINDS for case in cases
    ]
    results = several(column, [layer for layer, *_ in made], [case[1] for *_, case in made])
    for (_, name, (window, x, _, theirs)), (_, y) in zip(made, results, strict=True):
        close(y, torch_pool(name, x, window, **theirs))


def pooled(column: Column, layers: Any, inputs: Any) -> list[Any]:
    """Return what each layer makes of its own input."""
    return [y for _, y in several(column, layers, inputs)]


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
    ys = pooled(column, layers, inputs)
    same(ys[0], f32([[[-3, -5]]]))
    same(ys[1], f32([[[nan, 4]]]))
    same(ys[2], f32([[[nan, 3, nan]]]))


@row("POL-01")
def test_a_maximum_keeps_the_element_type(column: Column) -> None:
    lowest, highest = np.iinfo(np.int8).min, np.iinfo(np.int8).max
    x = np.array([[[lowest, lowest, highest, 0, lowest]]], np.int8)
    wide = draw(1, 2, 5).astype(np.float64)
    layers = [nn.MaxPool(2, pad=1), nn.MaxPool(2, pad=1)]
    ys = pooled(column, layers, [x, wide])
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
    first, second = pooled(column, layers, [x, x])
    same(first, f32([[[[0.75, 1.25], [1.75, 2.25]]]]))
    same(second, f32([[[[0, 0], [1.5, 2.5], [3.5, 4.5], [0, 0]]]]))


@row("POL-02")
def test_means_of_integers_and_halves_do_not_overflow(column: Column) -> None:
    whole = np.array([[[100, 120, 127, 4]]], np.int8)
    half = np.array([[[60000, 62048, -1, 3]]], np.float16)
    first, second = pooled(column, [nn.MeanPool(2), nn.MeanPool(2)], [whole, half])
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
    ys = pooled(column, layers, inputs * 2)
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
    ys = pooled(column, layers, [case[1] for case in cases])
    for (k, _, ours, _), y in zip(cases, ys, strict=True):
        assert y.shape == (1, 1, -(-(k + 3) // ours["stride"]))


@row("POL-08")
@row("POL-09")
def test_global_pools_keep_axes_of_one(column: Column) -> None:
    inputs = [draw(2, 3, 4), draw(2, 3, 4, 5), draw(2, 3, 4, 1, 2)]
    inputs[1][0, 0, 0, 0] = np.nan
    layers = [kind() for kind in (nn.GlobalMaxPool, nn.GlobalMeanPool) for _ in inputs]
    ys = pooled(column, layers, inputs * 2)
    for highest, mean, x in zip(ys[:3], ys[3:], inputs, strict=True):
        axes = tuple(range(2, x.ndim))
        same(highest, x.max(axes, keepdims=True))
        close(mean, x.mean(axes, keepdims=True))


@row("POL-08")
@row("POL-09")
@row("POL-10")
@row("POL-11")
def test_one_artifact_of_a_pool_to_one_takes_any_size(column: Column) -> None:
    kinds: list[Any] = [nn.GlobalMaxPool(), nn.GlobalMeanPool()]
    kinds += [nn.AdaptiveMaxPool((1, 1)), nn.AdaptiveMeanPool((1, 1))]
    model = nn.BranchLayer(*kinds)
    ps, st = lxc.setup(0, model)
    shape = (lxc.Dim("N", 1, 8), 3, lxc.Dim("H", 1, 9), 5)
    call = column.built(model, lxc.TensorSpec(shape), ps, st)
    for count, rows in ((1, 1), (3, 9), (8, 4)):
        x = draw(count, 3, rows, 5, seed=count)
        ys, _ = call(x, ps, st)
        for highest, mean in (ys[:2], ys[2:]):
            same(highest, x.max((2, 3), keepdims=True))
            close(mean, x.mean((2, 3), keepdims=True))


@row("POL-08")
@row("POL-09")
@pytest.mark.parametrize("kind", [nn.GlobalMaxPool, nn.GlobalMeanPool])
def test_a_global_pool_needs_space(kind: Any, column: Column) -> None:
    with pytest.raises(LxcError, match="rank 3 or more") as caught:
        column.fresh(kind(), draw(2, 3))
    assert caught.value.code == "LXC-E0103"


@row("POL-10")
@row("POL-11")
def test_adaptive_pools_have_one_fixed_window(column: Column) -> None:
    x = np.arange(1, 11, dtype=np.float32)[None, None]
    plane = draw(2, 3, 7, 10)
    layers = [
        nn.AdaptiveMaxPool(4),
        nn.AdaptiveMeanPool(4),
        nn.AdaptiveMaxPool((3, 4)),
        nn.AdaptiveMeanPool((3, 4)),
        nn.AdaptiveMeanPool(10),
    ]
    ys = pooled(column, layers, [x, x, plane, plane, x])
    same(ys[0], f32([[[4, 6, 8, 10]]]))
    same(ys[1], f32([[[2.5, 4.5, 6.5, 8.5]]]))
    close(ys[2], torch_pool("max", plane, (3, 4), stride=(2, 2)))
    close(ys[3], torch_pool("mean", plane, (3, 4), stride=(2, 2)))
    same(ys[4], x)


@row("POL-10")
@row("POL-11")
def test_adaptive_pools_agree_with_torch_where_outputs_divide_the_size(
    column: Column,
) -> None:
    x, space = draw(2, 3, 6, 8), draw(1, 2, 4, 3, 6)
    layers = [
        nn.AdaptiveMaxPool((3, 4)),
        nn.AdaptiveMeanPool((3, 4)),
        nn.AdaptiveMaxPool((2, 1, 3)),
        nn.AdaptiveMeanPool((2, 1, 3)),
    ]
    ys = pooled(column, layers, [x, x, space, space])
    close(ys[0], functional.adaptive_max_pool2d(from_numpy(x), (3, 4)))
    close(ys[1], functional.adaptive_avg_pool2d(from_numpy(x), (3, 4)))
    close(ys[2], functional.adaptive_max_pool3d(from_numpy(space), (2, 1, 3)))
    close(ys[3], functional.adaptive_avg_pool3d(from_numpy(space), (2, 1, 3)))


@row("POL-10")
@row("POL-11")
def test_one_artifact_of_an_adaptive_pool_takes_any_batch(column: Column) -> None:
    model = nn.BranchLayer(nn.AdaptiveMaxPool((2, 3)), nn.AdaptiveMeanPool((2, 3)))
    ps, st = lxc.setup(0, model)
    call = column.built(model, lxc.TensorSpec((lxc.Dim("N", 1, 8), 3, 5, 7)), ps, st)
    for count in (1, 3, 8):
        x = draw(count, 3, 5, 7, seed=count)
        for y, name in zip(call(x, ps, st)[0], ("max", "mean"), strict=True):
            close(y, torch_pool(name, x, (3, 3), stride=(2, 2)))


@row("POL-10")
@row("POL-11")
@pytest.mark.parametrize("kind", [nn.AdaptiveMaxPool, nn.AdaptiveMeanPool])
def test_too_few_cells_and_another_rank_are_refused(kind: Any, column: Column) -> None:
    for shape, words in (((1, 1, 4, 2), "at least"), ((1, 1, 4), "rank 4")):
        with pytest.raises(LxcError, match=words) as caught:
            column.fresh(nn.Chain(down=kind((2, 3))), np.ones(shape, np.float32))
        assert caught.value.code == "LXC-E0103"
        assert f"down ({kind.__name__})" in str(caught.value.layer)


@row("POL-10", eager_because="tracing and construction refuse it")
@row("POL-11", eager_because="tracing and construction refuse it")
@pytest.mark.parametrize("kind", [nn.AdaptiveMaxPool, nn.AdaptiveMeanPool])
def test_windows_need_a_known_size_and_outputs_are_positive(kind: Any) -> None:
    spec = lxc.TensorSpec((2, 3, lxc.Dim("H", 4, 8)))
    with pytest.raises(LxcError, match="known size") as caught:
        lxc.trace(nn.Chain(down=kind(2)), spec, {"down": {}}, {"down": {}})
    assert caught.value.code == "LXC-E0103"
    assert "down" in str(caught.value.layer)
    for outputs in (0, (), (2, 0), 1.5):
        with pytest.raises(LxcError) as caught:
            kind(outputs)
        assert caught.value.code == "LXC-E0101"


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
