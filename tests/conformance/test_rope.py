"""Kaun's rotary positions."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import kaun
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, same
from tests.conformance.rotations import rotated
from tests.conformance.rows import row


def tensor(array: Any) -> torch.Tensor:
    """Return a copy of an array as torch takes it."""
    return torch.from_numpy(np.array(array))


def turning(**options: Any) -> kaun.Layer:
    """Return a layer that does nothing but turn its input."""

    def apply(params: Any, state: Any, dtype: Any, training: bool, x: Any) -> Any:
        return kaun.rope(x, **options), state

    return kaun.Layer(kaun.relu().init, apply)


@row("ROP-01")
@row("T39")
def test_rope_turns_halves_by_position(column: Column) -> None:
    layer = turning()
    x = f32([[5, 6, 7, 8], [1, 2, 3, 4]])
    y, _ = column.kaun(layer, x, kaun.init(layer))
    same(y[0], x[0])
    close(y[1], [-1.984111, 1.959901, 2.462378, 4.019800])
    y, _ = column.kaun(layer, f32([[0] * 4, [1, 0, 0, 0]]), kaun.init(layer))
    close(y[1], [0.540302, 0, 0.841471, 0])
    x = draw(2, 300, 8)
    close(column.kaun(layer, x, kaun.init(layer))[0], rotated(tensor(x)), atol=1e-4)


@row("ROP-01")
def test_rope_takes_a_symbolic_length(column: Column) -> None:
    layer = turning()
    vars = kaun.init(layer)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 4), lxc.Dim("L", 1, 40), 6))
    call = column.built_kaun(layer, spec, vars)
    for count, length in ((1, 1), (4, 13), (2, 40)):
        x = draw(count, length, 6)
        close(call(x, vars, None, None)[0], rotated(tensor(x)), atol=1e-5)


@row("ROP-02")
def test_the_sequence_may_be_any_axis_but_the_last(column: Column) -> None:
    x = draw(2, 8, 4, 16)
    expected = rotated(tensor(x).transpose(1, 2)).transpose(1, 2)
    for axis in (1, -3):
        layer = turning(seq_dim=axis)
        close(column.kaun(layer, x, kaun.init(layer))[0], expected, atol=1e-5)
    layer = turning(seq_dim=0)
    expected = rotated(tensor(x).movedim(0, 2)).movedim(2, 0)
    close(column.kaun(layer, x, kaun.init(layer))[0], expected, atol=1e-5)


@row("ROP-03")
def test_rope_refuses_what_it_cannot_turn(column: Column) -> None:
    for x, options, words in (
        (draw(4), {}, "rank 2"),
        (draw(3, 5), {}, "even number"),
        (np.ones((2, 4), np.int32), {}, "a float"),
        (draw(2, 4), {"seq_dim": 1}, "the last axis"),
        (draw(2, 4), {"seq_dim": -1}, "the last axis"),
        (draw(2, 4), {"seq_dim": 2}, "no axis 2"),
        (draw(2, 4), {"seq_dim": -3}, "no axis -3"),
        (draw(2, 4), {"theta": -1.0}, "theta is above 0"),
    ):
        layer = turning(**options)
        with pytest.raises(LxcError, match=words):
            column.kaun(layer, x, kaun.init(layer))


@row("ROP-03")
def test_theta_and_half_types(column: Column) -> None:
    x = draw(300, 8)
    layer = turning(theta=500000.0)
    y, _ = column.kaun(layer, x, kaun.init(layer))
    close(y, rotated(tensor(x), 500000.0), atol=1e-4)
    assert np.abs(y - rotated(tensor(x)).numpy()).max() > 0.1
    layer, half = turning(), x.astype(np.float16)
    y, _ = column.kaun(layer, half, kaun.init(layer, "float16"))
    assert y.dtype == np.float16
    # Position 299 is not a multiple of what float16 could tell apart as an angle.
    close(y.astype(np.float64), rotated(tensor(half)), rtol=1e-3, atol=1e-3)
