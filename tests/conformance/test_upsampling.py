"""Upsample."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, same
from tests.conformance.rows import row
from tests.conformance.several import outputs

LINEAR = ("linear", "bilinear", "trilinear")


def torch_linear(x: Any, size: Any) -> Any:
    """Return what PyTorch interpolates with aligned corners."""
    mode = LINEAR[x.ndim - 3]
    resized = functional.interpolate(torch.tensor(x), size, mode=mode, align_corners=True)
    return resized.numpy()


def repeated(x: Any, factors: Any) -> Any:
    """Return x with cells repeated along each spatial axis."""
    for axis, factor in enumerate(factors, 2):
        x = np.repeat(x, factor, axis)
    return x


@row("UPS-01")
@row("UPS-02")
@row("UPS-03")
def test_nearest_repeats_cells(column: Column) -> None:
    flat, plane, space = f32([[[1, 2]]]), draw(2, 3, 2, 4), draw(1, 2, 2, 1, 3)
    whole = np.arange(6, dtype=np.int8).reshape(1, 1, 6)
    cases: list[tuple[Any, Any, tuple[int, ...]]] = [
        (nn.Upsample(scale=2), flat, (2,)),
        (nn.Upsample("nearest", scale=2), plane, (2, 2)),
        (nn.Upsample("nearest", scale=(3, 1)), plane, (3, 1)),
        (nn.Upsample("nearest", scale=[1, 2, 3]), space, (1, 2, 3)),
        (nn.Upsample("nearest", size=(8, 4)), plane, (4, 1)),
        (nn.Upsample("nearest", size=12), plane, (6, 3)),
        (nn.Upsample("nearest", size=(4, 5, 3)), space, (2, 5, 1)),
        (nn.Upsample(1), plane, (1, 1)),
        (nn.Upsample(3), whole, (3,)),
    ]
    ys = outputs(column, [case[0] for case in cases], [case[1] for case in cases])
    same(ys[0], f32([[[1, 1, 2, 2]]]))
    for y, (_, x, factors) in zip(ys, cases, strict=True):
        same(y, repeated(x, factors))


@row("UPS-01")
@row("UPS-06")
def test_one_artifact_takes_any_batch(column: Column) -> None:
    layers = [nn.Upsample((2, 3)), nn.Upsample("bilinear", size=(5, 7))]
    layers += [nn.Upsample("bilinear", scale=(2.5, 0.5))]
    model = nn.BranchLayer(*layers)
    ps, st = lxc.setup(0, model)
    call = column.built(model, lxc.TensorSpec((lxc.Dim("N", 0, 8), 3, 2, 4)), ps, st)
    for count in (1, 3, 8, 0):
        x = draw(count, 3, 2, 4, seed=count)
        ys, _ = call(x, ps, st)
        assert [y.shape[2:] for y in ys] == [(4, 12), (5, 7), (5, 2)]
        same(ys[0], repeated(x, (2, 3)))
        for y in ys[1:]:
            assert y.shape[0] == count
            if count:
                close(y, torch_linear(x, y.shape[2:]))


@row("UPS-01")
@row("UPS-03")
@row("UPS-07")
@row("T51")
def test_one_artifact_takes_any_size(column: Column) -> None:
    layers = [nn.Upsample(3), nn.Upsample("linear", scale=3), nn.Upsample("linear", size=4)]
    model = nn.BranchLayer(*layers)
    ps, st = lxc.setup(0, model)
    shape = (lxc.Dim("N", 1, 8), 2, lxc.Dim("W", 1, 9))
    call = column.built(model, lxc.TensorSpec(shape), ps, st)
    for count, cells in ((1, 1), (2, 2), (8, 4), (1, 9)):
        x = draw(count, 2, cells, seed=cells)
        ys, _ = call(x, ps, st)
        same(ys[0], repeated(x, (3,)))
        close(ys[1], torch_linear(x, (3 * cells,)))
        close(ys[2], torch_linear(x, (4,)))


@row("UPS-02")
@row("UPS-06")
@row("UPS-07")
@row("T51")
def test_linear_modes_align_corners(column: Column) -> None:
    flat, plane, space = draw(2, 3, 5), draw(2, 3, 4, 5), draw(1, 2, 3, 4, 2)
    cases: list[tuple[Any, Any, tuple[int, ...]]] = [
        (nn.Upsample("linear", scale=2.5), f32([[[1, 2]]]), (5,)),
        (nn.Upsample("linear", scale=1.3), flat, (6,)),
        (nn.Upsample("linear", size=(13,)), flat, (13,)),
        (nn.Upsample("bilinear", scale=(2.5, 2)), plane, (10, 10)),
        (nn.Upsample("bilinear", scale=0.5), plane, (2, 2)),
        (nn.Upsample("bilinear", size=(9, 3)), plane, (9, 3)),
        (nn.Upsample("trilinear", scale=2), space, (6, 8, 4)),
        (nn.Upsample("trilinear", size=(3, 7, 5)), space, (3, 7, 5)),
    ]
    ys = outputs(column, [case[0] for case in cases], [case[1] for case in cases])
    same(ys[0], f32([[[1, 1.25, 1.5, 1.75, 2]]]))
    for y, (_, x, size) in zip(ys, cases, strict=True):
        close(y, torch_linear(x, size))


@row("UPS-06")
@row("UPS-07")
@row("T51")
@row("D8")
def test_cells_that_are_hit_stay_as_they_are(column: Column) -> None:
    x, odd = f32([[[1, 2, 3]]]), f32([[[np.inf, 2, np.nan, -np.inf]]])
    layers = [
        nn.Upsample("linear", size=5),
        nn.Upsample("linear", size=1),
        nn.Upsample("linear", size=3),
        nn.Upsample("linear", size=4),
        nn.Upsample("linear", size=7),
        nn.Upsample("linear", size=2),
    ]
    ys = outputs(column, layers, [x, x, odd[..., :3], f32([[[np.inf]]]), odd, odd])
    same(ys[0], f32([[[1, 1.5, 2, 2.5, 3]]]))
    same(ys[1], f32([[[1]]]))
    same(ys[2], odd[..., :3])
    same(ys[3], np.full((1, 1, 4), np.inf, np.float32))
    same(ys[4][..., ::2], odd)
    same(ys[5], odd[..., [0, 3]])


@row("UPS-06")
@row("UPS-08")
def test_integers_are_rounded_and_every_float_type_is_kept(column: Column) -> None:
    whole = np.array([[[0, 255, 10]]], np.uint8)
    signed = np.array([[[-3, 4]]], np.int32)
    half = f32([[[60000, -60000, 1]]]).astype(np.float16)
    wide = draw(1, 2, 3, 4).astype(np.float64)
    layers = [
        nn.Upsample("linear", size=5),
        nn.Upsample("linear", size=5),
        nn.Upsample("linear", size=5),
        nn.Upsample("bilinear", scale=3),
    ]
    ys = outputs(column, layers, [whole, signed, half, wide])
    same(ys[0], np.array([[[0, 128, 255, 132, 10]]], np.uint8))
    same(ys[1], np.array([[[-3, -1, 0, 2, 4]]], np.int32))
    same(ys[2], np.array([[[60000, 0, -60000, -30000, 1]]], np.float16))
    assert ys[3].dtype == np.float64
    close(ys[3], torch_linear(wide, (9, 12)), rtol=1e-12, atol=1e-13)


@row("UPS-03")
@pytest.mark.parametrize("size", [6, 2, (4, 7)])
def test_nearest_takes_multiples_only(size: Any, column: Column) -> None:
    model = nn.Chain(grow=nn.Upsample("nearest", size=size))
    with pytest.raises(LxcError, match="a multiple of 4") as caught:
        column.fresh(model, draw(1, 1, 4, 4))
    assert caught.value.code == "LXC-E0103"
    assert "grow (Upsample)" in str(caught.value.layer)


@row("UPS-02")
@row("UPS-06")
@row("UPS-07")
@row("T51")
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Upsample(2), (1, 2)),
        (nn.Upsample((2, 2)), (1, 1, 4)),
        (nn.Upsample((2,)), (1, 1, 4, 4)),
        (nn.Upsample("linear", scale=2), (1, 1, 4, 4)),
        (nn.Upsample("bilinear", scale=2), (1, 1, 4)),
        (nn.Upsample("trilinear", size=4), (1, 1, 4, 4)),
        (nn.Upsample("linear", scale=0.2), (1, 1, 4)),
        (nn.Upsample("linear", size=3), (1, 1, 0)),
    ],
)
def test_inputs_that_do_not_fit_are_refused(layer: Any, shape: Any, column: Column) -> None:
    with pytest.raises(LxcError) as caught:
        column.fresh(layer, np.ones(shape, np.float32))
    assert caught.value.code == "LXC-E0103"
    assert "Upsample" in str(caught.value.layer)


@row("UPS-02", eager_because="sizes are decided while a model is traced")
@row("UPS-03", eager_because="sizes are decided while a model is traced")
def test_an_unknown_size_takes_whole_scales() -> None:
    spec = lxc.TensorSpec((2, 3, lxc.Dim("W", 2, 8)))
    for layer in (nn.Upsample("linear", scale=1.5), nn.Upsample(size=8)):
        with pytest.raises(LxcError) as caught:
            lxc.trace(nn.Chain(grow=layer), spec, {"grow": {}}, {"grow": {}})
        assert caught.value.code == "LXC-E0103"
        assert "grow" in str(caught.value.layer)


@row("UPS-02", eager_because="options are checked when the layer is made")
@row("UPS-04", eager_because="options are checked when the layer is made")
@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((), {}, "neither"),
        (("nearest",), {}, "neither"),
        ((), {"scale": 2, "size": 4}, "scale: 2, size: 4"),
        ((2,), {"size": (4, 4)}, "scale: 2, size: \\(4, 4\\)"),
        ((2,), {"scale": 2}, "given twice"),
        (("bilinear", "nearest"), {"scale": 2}, "given twice"),
        (("cubic",), {"scale": 2}, "nearest, linear, bilinear or trilinear"),
        ((2,), {"mode": "area"}, "nearest, linear, bilinear or trilinear"),
        ((2.5,), {}, "whole numbers"),
        ((2.0,), {}, "whole numbers"),
        (((2, 0),), {}, "above 0"),
        (((),), {}, "above 0"),
        (("bilinear",), {"scale": 0}, "above 0"),
        (("bilinear",), {"scale": float("nan")}, "above 0"),
        (("bilinear",), {"scale": float("inf")}, "above 0"),
        (("bilinear",), {"scale": (1.5,)}, "one per axis"),
        (("bilinear",), {"scale": "2"}, "above 0"),
        (("linear",), {"size": (3, 3)}, "one per axis"),
        (("linear",), {"size": 2.5}, "whole numbers"),
        (("nearest",), {"size": -4}, "above 0"),
        (("nearest",), {"scale": object()}, "above 0"),
        ((np.array(2),), {}, "above 0"),
        ((np.ones((1, 2)),), {}, "above 0"),
    ],
)
def test_exactly_one_scale_or_size_and_a_known_mode(
    arguments: Any, options: Any, words: str
) -> None:
    with pytest.raises(LxcError, match=words) as caught:
        nn.Upsample(*arguments, **options)
    assert caught.value.code == "LXC-E0101"


@row("UPS-05", eager_because="two ways to make equal layers")
def test_a_scale_may_come_first() -> None:
    assert nn.Upsample(2) == nn.Upsample("nearest", scale=2) == nn.Upsample(scale=2)
    assert nn.Upsample(2.5, "bilinear") == nn.Upsample("bilinear", scale=2.5)
    assert nn.Upsample((2, 3), mode="bilinear") == nn.Upsample("bilinear", scale=(2, 3))
    assert nn.Upsample(2) != nn.Upsample(2, "linear")
    assert lxc.setup(0, nn.Upsample(2)) == ({}, {})
