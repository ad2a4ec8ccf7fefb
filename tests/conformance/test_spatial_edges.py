"""Convolutions and what stands beside them, where numbers and options are unusual."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row
from tests.conformance.several import several
from tests.conformance.torch_images import torch_conv, torch_transposed

INTEGERS = (np.int64, np.int32, np.uint8)


def holes(*shape: int) -> Any:
    """Return random numbers, one in eight not finite."""
    x = draw(*shape)
    kinds = np.random.default_rng(1).integers(0, 24, shape)
    for kind, number in enumerate((np.inf, -np.inf, np.nan)):
        x[kinds == kind] = number
    return x


@row("CVT-01")
@row("CVT-03a")
@row("CVT-04")
def test_what_is_not_finite_reaches_the_cells_of_its_taps_only(column: Column) -> None:
    flat, plane = holes(2, 2, 9), holes(1, 2, 5, 4)
    cases: list[tuple[Any, Any, dict[str, Any]]] = [
        (3, flat, {"stride": 2}),
        (1, flat, {"stride": 3}),
        (4, flat, {"stride": 3, "pad": (5, 0)}),
        (5, flat, {"stride": 2, "pad": (1, 4)}),
        ((3, 2), plane, {"stride": (2, 3)}),
        ((3, 5), plane, {"stride": 2, "pad": (2, 1, 0, 3)}),
    ]
    layers = [nn.ConvTranspose(k, 2, 3, **options) for k, _, options in cases]
    results = several(column, layers, [case[1] for case in cases])
    for layer, (_, x, options), (ps, y) in zip(layers, cases, results, strict=True):
        stride = options["stride"]
        close_sums(y, torch_transposed(x, ps, crop=layer.padding, stride=stride))


@row("CVT-03a")
@row("CVT-03b")
@row("CVT-04")
@row("CVT-05a")
@row("CVT-06")
def test_odd_options_together_with_every_float_type(column: Column) -> None:
    same_pad: Any = nn.SamePad()
    cases: list[tuple[Any, int, int, tuple[int, ...], dict[str, Any]]] = [
        (2, 4, 6, (7,), {"stride": 5, "pad": (9, 11), "groups": 2}),
        ((1, 4), 3, 3, (4, 6), {"stride": (3, 2), "pad": (5, 0, 0, 7), "groups": 3}),
        ((2, 3), 2, 4, (3, 5), {"stride": (4, 1), "dilation": (1, 3), "pad": same_pad}),
        ((3, 3), 2, 2, (2, 4), {"stride": (1, 3), "dilation": (2, 1), "groups": 2}),
        ((3, 3), 2, 2, (4, 3), {"stride": 2, "dilation": (2, 1), "pad": (3, 1)}),
        ((3, 1, 2), 4, 2, (2, 1, 3), {"stride": (2, 3, 3), "pad": same_pad, "groups": 2}),
    ]
    for dtype, tolerance in ((np.float64, 1e-13), (np.float16, 2e-3)):
        layers = [nn.ConvTranspose(k, i, o, **options) for k, i, o, _, options in cases]
        inputs = [draw(2, i, *sizes).astype(dtype) for _, i, _, sizes, _ in cases]
        model = nn.Parallel(None, *layers)
        ps, st = lxc.setup(0, model)
        ps = lxc.cast(ps, np.dtype(dtype).name)
        ys, _ = column(model, tuple(inputs), ps, st)
        for layer, x, own, y in zip(layers, inputs, ps.values(), ys, strict=True):
            wide = {key: leaf.astype(np.float64) for key, leaf in own.items()}
            expected = torch_transposed(
                x.astype(np.float64),
                wide,
                crop=layer.padding,
                stride=layer.stride,
                dilation=layer.dilation,
                groups=layer.groups,
            )
            assert y.dtype == dtype
            largest = float(np.abs(expected).max())
            close(y.astype(np.float64), expected, rtol=0, atol=tolerance * largest)


@row("CNV-01")
@row("CVT-01")
def test_a_weight_of_another_shape_is_refused(column: Column) -> None:
    for layer, shape in (
        (nn.Conv(3, 2, 4), (4, 2, 2)),
        (nn.Conv(3, 2, 4), (2, 4, 3)),
        (nn.CrossCor(3, 4, 4, groups=2), (4, 4, 3)),
        # As many numbers as it needs, but those of a Conv.
        (nn.ConvTranspose(3, 2, 4), (4, 2, 3)),
    ):
        ps = {"weight": draw(*shape), "bias": draw(4)}
        with pytest.raises(LxcError, match="weight does not fit") as caught:
            column(layer, draw(1, layer.inputs, 6), ps, {})
        assert caught.value.code == "LXC-E0103"
        assert str(list(shape)) in str(caught.value.actual)
        assert type(layer).__name__ in str(caught.value.layer)


@row("CNV-11")
@row("CVT-05a")
@row("PXS-01")
@pytest.mark.parametrize("integer", INTEGERS)
def test_numbers_of_numpy_are_whole_numbers(integer: Any, column: Column) -> None:
    two, four = integer(2), integer(4)
    options: Any = {"stride": two, "pad": integer(1), "groups": two}
    layers = [nn.Conv((two, two), four, two, **options)]
    layers += [nn.ConvTranspose((two, two), four, two, **options)]
    assert layers[0] == nn.Conv((2, 2), 4, 2, stride=2, pad=1, groups=2)
    x = draw(1, 4, 3, 4)
    (conv, y), (transposed, z) = several(column, layers, [x, x])
    close_sums(y, torch_conv(x, conv, flip=True, stride=2, padding=1, groups=2))
    theirs: Any = {"stride": 2, "padding": 1, "groups": 2}
    close_sums(z, torch_transposed(x, transposed, **theirs))
    model = nn.Chain(nn.PixelShuffle(two), nn.MaxPool((two, two)), nn.Upsample(two))
    plain = nn.Chain(nn.PixelShuffle(2), nn.MaxPool((2, 2)), nn.Upsample(2))
    assert model == plain
    same(column.fresh(model, x), plain(x, *lxc.setup(0, plain))[0])


@row("CRC-02h")
@row("CVT-05e")
@pytest.mark.parametrize("kind", [nn.Conv, nn.CrossCor, nn.ConvTranspose])
def test_a_fast_activation_is_taken_where_it_is_allowed(kind: Any, column: Column) -> None:
    allowed = kind(1, 1, 1, nn.tanh)
    refused = kind(1, 1, 1, nn.tanh, allow_fast_activation=False)
    assert (allowed.activation, refused.activation) == (nn.tanh_fast, nn.tanh)
    x = f32([[[-3, 0.5, 1e-4, 9]]])
    ps = {"weight": f32([[[2]]]), "bias": f32([-1])}
    model = nn.BranchLayer(allowed, refused)
    trees = {"layer_1": ps, "layer_2": ps}
    for y in column(model, x, trees, {"layer_1": {}, "layer_2": {}})[0]:
        close(y, np.tanh(2 * x - 1))
