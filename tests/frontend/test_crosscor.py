"""CrossCor against Conv and PyTorch."""

from typing import Any

import numpy as np
import pytest

from lxc import nn
from lxc.frontend import setup
from tests.frontend.modes import (
    SUMS,
    Mode,
    close,
    draw,
)
from tests.frontend.test_conv import conv_1d, torch_conv

BOTH = pytest.mark.parametrize("kind", [nn.Conv, nn.CrossCor])


@BOTH
def test_crc_01_crosscor_is_conv_with_reversed_weights(kind: Any, run: Mode) -> None:
    other = nn.CrossCor if kind is nn.Conv else nn.Conv
    options: Any = {"stride": (2, 1), "dilation": (1, 2), "pad": (0, 1, 2, 1)}
    layer, mirrored = kind((3, 2), 2, 3, **options), other((3, 2), 2, 3, **options)
    ps, st = setup(0, layer)
    reverse = {"weight": ps["weight"][:, :, ::-1, ::-1].copy(), "bias": ps["bias"]}
    x = draw(2, 2, 7, 6)
    close(run.lux(layer, x, ps, st)[0], run.lux(mirrored, x, reverse, st)[0], **SUMS)


def test_crc_01_crosscor_does_not_flip(run: Mode) -> None:
    values = [1, 2, 3, 4, 5, 6]
    close(conv_1d(nn.CrossCor, values, [1, 2, 3], run), [14, 20, 26, 32])


def test_crc_02_crosscor_takes_all_options_at_once(run: Mode) -> None:
    layer = nn.CrossCor(
        (3, 2), 4, 6, nn.relu, stride=2, dilation=(1, 2), pad=(2, 1), groups=2
    )
    ps, st = setup(0, layer)
    x = draw(2, 4, 8, 9)
    expected = torch_conv(
        x, ps, flip=False, stride=2, dilation=(1, 2), padding=(2, 1), groups=2
    )
    close(run.lux(layer, x, ps, st)[0], np.maximum(expected, 0), **SUMS)
    bound = (6 / (3 * 2 * 2 + 3 * 2 * 6)) ** 0.5
    assert np.abs(ps["weight"]).max() <= bound
