"""Pooling against hand numbers and PyTorch."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup
from tests.frontend.modes import Mode, close, draw, f32, same

BOTH = pytest.mark.parametrize("kind", [nn.MaxPool, nn.MeanPool])
TORCH: dict[Any, Any] = {
    nn.MaxPool: (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d),
    nn.MeanPool: (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d),
}


def torch_pool(kind: Any, x: Any, window: Any, **options: Any) -> Any:
    return np.asarray(TORCH[kind][x.ndim - 3](torch.tensor(x), window, **options))


def test_pol_01_padding_never_wins_a_maximum(run: Mode) -> None:
    y = run.fresh(nn.MaxPool(2, pad=1, stride=2), f32([[[-3, -5]]]))
    same(y, f32([[[-3, -5]]]))


def test_pol_01_nan_in_gives_nan_out(run: Mode) -> None:
    y = run.fresh(nn.MaxPool(2), f32([[[1, np.nan, 3, 4]]]))
    same(y, f32([[[np.nan, 4]]]))


def test_pol_01_a_window_that_could_hold_padding_only_is_refused() -> None:
    with pytest.raises(LxcError, match="past a whole window"):
        nn.MaxPool((2, 2), pad=(0, 0, 2, 0))


def test_pol_02_a_mean_divides_by_the_full_window(run: Mode) -> None:
    y = run.fresh(nn.MeanPool((2, 2), pad=1, stride=2), f32([[[[3, 5], [7, 9]]]]))
    close(y, [[[[0.75, 1.25], [1.75, 2.25]]]])


@BOTH
def test_pol_03_the_stride_is_the_window_unless_given(kind: Any, run: Mode) -> None:
    x = draw(2, 3, 9)
    assert run.fresh(kind(3), x).shape == (2, 3, 3)
    close(run.fresh(kind(3), x), torch_pool(kind, x, 3))
    close(run.fresh(kind(3, stride=2), x), torch_pool(kind, x, 3, stride=2))
    x = draw(2, 3, 9, 8)
    close(
        run.fresh(kind((3, 2), stride=(1, 3)), x),
        torch_pool(kind, x, (3, 2), stride=(1, 3)),
    )


@BOTH
def test_pol_04a_one_pad_goes_around_everything(kind: Any, run: Mode) -> None:
    x = draw(2, 3, 6, 7)
    close(run.fresh(kind((3, 2), pad=1), x), torch_pool(kind, x, (3, 2), padding=1))


@BOTH
def test_pol_04b_n_pads_are_one_per_axis(kind: Any, run: Mode) -> None:
    x = draw(2, 3, 6, 7)
    close(
        run.fresh(kind((2, 4), pad=(1, 2)), x), torch_pool(kind, x, (2, 4), padding=(1, 2))
    )


@BOTH
def test_pol_04c_two_n_pads_are_pairs_per_axis(kind: Any, run: Mode) -> None:
    x = draw(2, 3, 6, 7)
    empty = -np.inf if kind is nn.MaxPool else 0
    around = np.pad(x, ((0, 0), (0, 0), (0, 1), (2, 1)), constant_values=empty)
    y = run.fresh(kind((2, 3), stride=2, pad=(0, 1, 2, 1)), x)
    close(y, torch_pool(kind, around, (2, 3), stride=2))


@BOTH
@pytest.mark.parametrize(("size", "cells"), [(7, 3), (8, 3), (9, 4)])
def test_pol_05_only_whole_windows_count(
    kind: Any, size: int, cells: int, run: Mode
) -> None:
    y = run.fresh(kind(3, stride=2), np.ones((1, 1, size), np.float32))
    assert y.shape == (1, 1, cells)


@BOTH
def test_pol_06_the_window_fixes_the_rank(kind: Any, run: Mode) -> None:
    x = draw(2, 2, 4, 5, 6)
    close(run.fresh(kind((2, 3, 2)), x), torch_pool(kind, x, (2, 3, 2)))
    with pytest.raises(LxcError, match="rank 4"):
        run.fresh(kind((2, 2)), x)


@BOTH
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_pol_07_same_pad_puts_the_odd_cell_in_front(kind: Any, k: int, run: Mode) -> None:
    x = draw(1, 1, k + 3)
    y = run.fresh(kind(k, pad=nn.SamePad()), x)
    assert y.shape == (1, 1, -(-(k + 3) // k))
    low, high = -(-(k - 1) // 2), (k - 1) // 2
    empty = -np.inf if kind is nn.MaxPool else 0
    around = np.pad(x, ((0, 0), (0, 0), (low, high)), constant_values=empty)
    close(y, torch_pool(kind, around, k))


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 5), (2, 3, 4, 5, 2)])
def test_pol_08_and_09_global_pools_keep_axes_of_one(
    shape: tuple[int, ...], run: Mode
) -> None:
    x = draw(*shape)
    axes = tuple(range(2, len(shape)))
    close(run.fresh(nn.GlobalMaxPool(), x), x.max(axes, keepdims=True))
    close(run.fresh(nn.GlobalMeanPool(), x), x.mean(axes, keepdims=True))


@pytest.mark.parametrize("kind", [nn.GlobalMaxPool, nn.GlobalMeanPool])
def test_pol_08_and_09_a_global_pool_needs_space(kind: Any, run: Mode) -> None:
    with pytest.raises(LxcError, match="rank 3 or more"):
        run.fresh(kind(), draw(2, 3))


def test_pools_have_neither_parameters_nor_state() -> None:
    assert setup(0, nn.MaxPool(2)) == ({}, {})
    assert setup(0, nn.GlobalMeanPool()) == ({}, {})
