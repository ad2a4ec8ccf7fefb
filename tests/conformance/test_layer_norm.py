"""LayerNorm of the Lux family."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row

BATCH = lxc.Dim("N", 1, 8)
INITIAL = "initial values are made in Python"
SQUARE = f32([[1, 2], [3, 4]])


@row("LNM-01")
@row("LNM-03")
@pytest.mark.parametrize("dims", [(1, 2), (-1, 1), 2, (1,)])
def test_layer_norm_over_axes_of_a_sample(
    column: Column, dims: int | tuple[int, ...]
) -> None:
    model = nn.LayerNorm((4, 3), dims=dims, affine=True)
    ps = {"bias": draw(4, 3, seed=7), "scale": draw(4, 3, seed=8)}
    axes = tuple(axis % 3 for axis in ((dims,) if isinstance(dims, int) else dims))
    call = column.built(model, lxc.TensorSpec((BATCH, 4, 3), "float32"), ps, {})
    for count in (1, 5, 8):
        x = draw(count, 4, 3, seed=count) * 2 + 1
        wide = torch.tensor(x).permute(*(a for a in range(3) if a not in axes), *axes)
        sizes = [x.shape[axis] for axis in axes]
        order = [*(a for a in range(3) if a not in axes), *axes]
        normed = torch.nn.functional.layer_norm(wide, sizes).permute(
            *(order.index(axis) for axis in range(3))
        )
        expected = normed * torch.tensor(ps["scale"]) + torch.tensor(ps["bias"])
        close_sums(call(x, ps, {})[0], expected.numpy())


@row("LNM-02")
@row("T24")
def test_layer_norm_takes_the_whole_array_with_the_batch(column: Column) -> None:
    model = nn.LayerNorm((2,))
    y = column.fresh(model, SQUARE)
    close(y, f32([[-1.341635, -0.447212], [0.447212, 1.341635]]))
    per_sample = column.fresh(nn.LayerNorm((2,), dims=-1), SQUARE)
    close(per_sample, f32([[-0.99998, 0.99998]] * 2))
    call = column.built(model, lxc.TensorSpec((BATCH, 2), "float32"), {}, {})
    for count in (1, 3, 8):
        x = draw(count, 2, seed=count)
        expected = torch.nn.functional.layer_norm(torch.tensor(x), x.shape)
        close_sums(call(x, {}, {})[0], expected.numpy())


@row("LNM-03")
def test_layer_norm_of_images_sample_by_sample(column: Column) -> None:
    x = draw(3, 2, 4, 5)
    expected = torch.nn.functional.layer_norm(torch.tensor(x), (2, 4, 5))
    y = column.fresh(nn.LayerNorm((2, 4, 5), dims=(1, 2, 3)), x)
    close_sums(y, expected.numpy())
    with pytest.raises(LxcError, match="no axis 4") as caught:
        column.fresh(nn.LayerNorm((2, 4, 5), dims=(1, 4)), x)
    assert caught.value.code == "LXC-E0103"


@row("LNM-04", eager_because="the keys are decided before anything is computed")
@row("D3", eager_because="the keys are decided before anything is computed")
@row("D16", eager_because="the keys are decided before anything is computed")
def test_layer_norm_has_no_parameters_unless_asked() -> None:
    assert lxc.setup(0, nn.LayerNorm((3, 4))) == ({}, {})
    assert list(lxc.setup(0, nn.LayerNorm((3, 4), affine=True))[0]) == ["bias", "scale"]


@row("LNM-05")
@pytest.mark.parametrize("shape", [(2, 1, 1), (2, 4, 5), (1, 4, 1), (5,), 5, (4, 1)])
def test_scale_and_bias_broadcast_against_a_sample(
    column: Column, shape: int | tuple[int, ...]
) -> None:
    model = nn.LayerNorm(shape, dims=(1, 2, 3), affine=True)
    sizes = (shape,) if isinstance(shape, int) else shape
    ps = {"bias": draw(*sizes, seed=7), "scale": draw(*sizes, seed=8)}
    assert {name: leaf.shape for name, leaf in lxc.setup(0, model)[0].items()} == {
        "bias": sizes,
        "scale": sizes,
    }
    x = draw(3, 2, 4, 5)
    normed = torch.nn.functional.layer_norm(torch.tensor(x), (2, 4, 5))
    expected = normed * torch.tensor(ps["scale"]) + torch.tensor(ps["bias"])
    close_sums(column(model, x, ps, {})[0], expected.numpy())


@row("LNM-05")
@pytest.mark.parametrize("shape", [(3, 1, 1), (4, 4, 5), (1, 3, 2, 4, 5)])
@pytest.mark.parametrize("affine", [True, False])
def test_a_shape_that_does_not_broadcast_is_refused(
    column: Column, shape: tuple[int, ...], affine: bool
) -> None:
    with pytest.raises(LxcError, match="broadcasts") as caught:
        column.fresh(nn.LayerNorm(shape, affine=affine), draw(3, 2, 4, 5))
    assert caught.value.code == "LXC-E0103"


@row("LNM-06a")
@row("LNM-01")
@row("D9")
@row("T25")
def test_the_epsilon_of_layer_norm_is_inside_the_root(column: Column) -> None:
    y = column.fresh(nn.LayerNorm((2,)), f32([[0, 1e-3]]))
    close(y, f32([[-0.156174, 0.156174]]))
    y = column.fresh(nn.LayerNorm((2,), epsilon=0.25), f32([[0, 2]]))
    close(y, f32([[-1, 1]]) / np.float32(1.25**0.5))


@row("LNM-06b", eager_because=INITIAL)
def test_the_initial_values_of_layer_norm() -> None:
    ps, _ = lxc.setup(0, nn.LayerNorm((2, 3), affine=True))
    same(ps["bias"], np.zeros((2, 3), np.float32))
    same(ps["scale"], np.ones((2, 3), np.float32))
    model = nn.LayerNorm(2, affine=True, init_bias=nn.ones32, init_scale=nn.zeros32)
    same(dict(lxc.setup(0, model)[0]), {"bias": f32([1, 1]), "scale": f32([0, 0])})
    for shape in ((0,), (2, 0)):
        with pytest.raises(LxcError) as caught:
            nn.LayerNorm(shape)
        assert caught.value.code == "LXC-E0101"


@row("LNM-06c")
@pytest.mark.parametrize("allowed", [True, False])
def test_the_activation_of_layer_norm_comes_last(column: Column, allowed: bool) -> None:
    model = nn.LayerNorm(2, nn.tanh, affine=True, allow_fast_activation=allowed)
    assert model.activation is (nn.tanh_fast if allowed else nn.tanh)
    ps = {"bias": f32([1, -1]), "scale": f32([2, 0.5])}
    normed = torch.nn.functional.layer_norm(torch.tensor(SQUARE), (2, 2))
    expected = torch.tanh(normed * torch.tensor([2, 0.5]) + torch.tensor([1.0, -1]))
    close(column(model, SQUARE, ps, {})[0], expected.numpy())


@row("LNM-06d")
def test_layer_norm_is_the_same_in_both_modes(column: Column) -> None:
    model = nn.Chain(nn.LayerNorm(2), nn.Dropout(0.5))
    ps, st = lxc.setup(0, nn.LayerNorm(2))
    assert st == {}
    results: list[Any] = []
    for mode in ("train", "test"):
        y, after = column(nn.LayerNorm(2), SQUARE, ps, st, mode)
        assert after == {}
        results.append(y)
    same(results[0], results[1])
    same(column(model, SQUARE, *lxc.setup(0, model), "test")[0], results[0])
