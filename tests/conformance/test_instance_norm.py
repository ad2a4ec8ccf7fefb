"""InstanceNorm of the Lux family."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row

# Without types: star arguments fill optional parameters of several kinds.
functional: Any = torch.nn.functional
BATCH = lxc.Dim("N", 1, 8)


def affine(channels: int) -> dict[str, Any]:
    return {"scale": draw(channels, seed=7), "bias": draw(channels, seed=8)}


@row("INM-01a")
@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("axes", [(5,), (3, 4), (2, 3, 2)])
def test_instance_norm_is_that_of_torch_in_both_modes(
    column: Column, axes: tuple[int, ...], mode: str
) -> None:
    model, ps = nn.InstanceNorm(3), affine(3)
    assert lxc.setup(0, model)[1] == {"training": True}
    st = {"training": mode == "train"}
    call = column.built(model, lxc.TensorSpec((BATCH, 3, *axes), "float32"), ps, st)
    for count in (1, 5):
        x = draw(count, 3, *axes, seed=count) * 2 + 1
        y, after = call(x, ps, st)
        expected = functional.instance_norm(
            torch.tensor(x), weight=torch.tensor(ps["scale"]), bias=torch.tensor(ps["bias"])
        )
        close_sums(y, expected.numpy())
        assert after == st


@row("INM-01b")
@row("D11")
@row("T48")
def test_instance_norm_needs_spatial_axes(column: Column) -> None:
    for shape in ((4, 8), (8,), (2, 3, 8)):
        with pytest.raises(LxcError, match="rank 3 or more with 8 channels") as caught:
            column.fresh(nn.InstanceNorm(8), draw(*shape))
        assert caught.value.code == "LXC-E0103"
    with pytest.raises(LxcError, match="an activation is a function") as caught:
        nn.InstanceNorm(10, 5)  # type: ignore[arg-type]
    assert caught.value.code == "LXC-E0101"


@row("INM-01c")
@row("D16")
def test_instance_norm_without_scale_and_bias(column: Column) -> None:
    assert list(lxc.setup(0, nn.InstanceNorm(2))[0]) == ["scale", "bias"]
    model, x = nn.InstanceNorm(2, affine=False), draw(3, 2, 4)
    ps, st = lxc.setup(0, model)
    assert ps == {}
    expected = functional.instance_norm(torch.tensor(x))
    close_sums(column(model, x, ps, st)[0], expected.numpy())


@row("INM-01d")
def test_instance_norm_of_one_cell_is_its_bias(column: Column) -> None:
    ps = {"scale": f32([2, 3]), "bias": f32([4, 5])}
    y = column(nn.InstanceNorm(2), draw(3, 2, 1), ps, {"training": True})[0]
    same(y, np.broadcast_to(f32([[4], [5]]), (3, 2, 1)).copy())


@row("INM-01d")
def test_the_epsilon_of_instance_norm_is_inside_the_root(column: Column) -> None:
    y = column.fresh(nn.InstanceNorm(1), f32([[[0, 1e-3]]]))
    close(y.ravel(), f32([-0.156174, 0.156174]))
    y = column.fresh(nn.InstanceNorm(1, epsilon=0.25), f32([[[0, 2]]]))
    close(y.ravel(), f32([-1, 1]) / 1.25**0.5)
