"""PixelShuffle."""

from typing import Any

import einops
import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, draw, f32, same
from tests.conformance.rows import row
from tests.conformance.several import outputs


@row("PXS-01")
@row("PXS-02")
@row("T51")
def test_channels_become_cells(column: Column) -> None:
    plane = draw(2, 12, 3, 5)
    numbers = np.arange(1, 4) + np.arange(1, 7)[:, None] / 10
    flat = f32(numbers)[None]
    space = draw(2, 16, 2, 1, 3)
    whole = np.arange(18, dtype=np.int64).reshape(1, 9, 2, 1)
    layers = [
        nn.PixelShuffle(2),
        nn.PixelShuffle(2),
        nn.PixelShuffle(2),
        nn.PixelShuffle(3),
    ]
    layers += [nn.PixelShuffle(1), nn.PixelShuffle(3)]
    inputs = [plane, flat, space, whole, plane, flat]
    ys = outputs(column, layers, inputs)
    same(ys[0], torch.pixel_shuffle(torch.from_numpy(plane), 2).numpy())
    same(ys[1][0, 0], f32([1.1, 1.2, 2.1, 2.2, 3.1, 3.2]))
    same(ys[1], einops.rearrange(flat, "n (c r) l -> n c (l r)", r=2))
    pattern = "n (c a b e) d h w -> n c (d a) (h b) (w e)"
    same(ys[2], einops.rearrange(space, pattern, a=2, b=2, e=2))
    same(ys[3], torch.pixel_shuffle(torch.from_numpy(whole), 3).numpy())
    same(ys[4], plane)
    same(ys[5], einops.rearrange(flat, "n (c r) l -> n c (l r)", r=3))


@row("PXS-01")
def test_one_artifact_shuffles_any_batch_and_size(column: Column) -> None:
    model = nn.PixelShuffle(2)
    shape = (lxc.Dim("N", 1, 8), 8, lxc.Dim("H", 1, 5), 3)
    call = column.built(model, lxc.TensorSpec(shape), {}, {})
    for count, rows in ((1, 1), (3, 5), (8, 2)):
        x = draw(count, 8, rows, 3, seed=count)
        same(call(x, {}, {})[0], torch.pixel_shuffle(torch.from_numpy(x), 2).numpy())


@row("PXS-03", eager_because="it is about what the function returns")
def test_pixel_shuffle_is_a_wrapped_function() -> None:
    layer = nn.PixelShuffle(2)
    assert isinstance(layer, nn.WrappedFunction)
    assert layer == nn.PixelShuffle(2)
    assert lxc.setup(0, layer) == ({}, {})
    with pytest.raises(LxcError) as caught:
        nn.PixelShuffle(0)
    assert caught.value.code == "LXC-E0101"


@row("PXS-03")
@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 6, 2, 2), "divisible by 4"),
        ((1, 4, 2, 2, 2), "divisible by 8"),
        ((4, 4), "rank 3"),
    ],
)
def test_channels_must_divide_and_need_space(
    shape: Any, words: str, column: Column
) -> None:
    with pytest.raises(LxcError, match=words) as caught:
        column.fresh(nn.Chain(grow=nn.PixelShuffle(2)), np.ones(shape, np.float32))
    assert caught.value.code == "LXC-E0103"
    assert "grow" in str(caught.value.layer)
