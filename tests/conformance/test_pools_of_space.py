"""Global and adaptive pools."""

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
from tests.conformance.several import outputs
from tests.conformance.torch_images import torch_pool


@row("POL-08")
@row("POL-09")
def test_global_pools_keep_axes_of_one(column: Column) -> None:
    inputs = [draw(2, 3, 4), draw(2, 3, 4, 5), draw(2, 3, 4, 1, 2)]
    inputs[1][0, 0, 0, 0] = np.nan
    layers = [kind() for kind in (nn.GlobalMaxPool, nn.GlobalMeanPool) for _ in inputs]
    ys = outputs(column, layers, inputs * 2)
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
    ys = outputs(column, layers, [x, x, plane, plane, x])
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
    ys = outputs(column, layers, [x, x, space, space])
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
    for count in (0, (), (2, 0), 1.5):
        with pytest.raises(LxcError) as caught:
            kind(count)
        assert caught.value.code == "LXC-E0101"
