"""Conv and CrossCor: groups, parameters, activation and state."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, same
from tests.conformance.convolutions import KINDS, agree
from tests.conformance.rows import row
from tests.conformance.torch_images import torch_conv


@row("CNV-11")
@row("CNV-12")
def test_a_block_of_outputs_reads_its_block_of_inputs(column: Column) -> None:
    agree(
        column,
        [
            (3, 6, 2, draw(2, 6, 7), {"groups": 2}, {"groups": 2}),
            ((2, 2), 3, 15, draw(2, 3, 5, 5), {"groups": 3}, {"groups": 3}),
            ((3, 1, 2), 4, 4, draw(1, 4, 4, 3, 5), {"groups": 4}, {"groups": 4}),
            (1, 6, 9, draw(2, 6, 1), {"groups": 3}, {"groups": 3}),
        ],
    )


@row("CNV-11", eager_because="shapes are decided when parameters are made")
@row("CNV-12", eager_because="shapes are decided when parameters are made")
def test_groups_divide_the_channels_of_the_weight() -> None:
    def shape(layer: Any) -> tuple[int, ...]:
        return tuple(lxc.setup(0, layer)[0]["weight"].shape)

    assert shape(nn.Conv((3,), 6, 2, groups=2)) == (2, 3, 3)
    assert shape(nn.Conv((2, 2), 3, 15, groups=3)) == (15, 1, 2, 2)
    for inputs, outputs, groups in ((6, 3, 2), (5, 2, 2), (3, 10, 3), (4, 4, 0)):
        with pytest.raises(LxcError) as caught:
            nn.Conv((2, 2), inputs, outputs, groups=groups)
        assert caught.value.code == "LXC-E0101"


@row("CNV-13")
@row("CRC-02e")
def test_without_bias_nothing_is_added(column: Column) -> None:
    agree(column, [((3, 2), 4, 6, draw(2, 4, 5, 5), {"use_bias": False}, {})])


@row("CNV-13", eager_because="the keys are decided before anything is computed")
@row("CRC-02e", eager_because="the keys are decided before anything is computed")
@pytest.mark.parametrize("kind", KINDS)
def test_without_bias_there_is_no_key(kind: Any) -> None:
    ps, _ = lxc.setup(0, kind((3, 2), 4, 6, groups=2))
    assert list(ps) == ["weight", "bias"]
    assert ps["bias"].shape == (6,)
    assert sum(leaf.size for leaf in ps.values()) == 3 * 2 * 4 * 6 // 2 + 6
    for option in ("use_bias", "bias"):
        assert list(lxc.setup(0, kind(3, 1, 1, **{option: False}))[0]) == ["weight"]
        assert list(lxc.setup(0, kind(3, 1, 1, **{option: True}))[0]) == ["weight", "bias"]
    for first in (True, False):
        for second in (True, False):
            with pytest.raises(LxcError, match="given twice") as caught:
                kind(3, 1, 1, use_bias=first, bias=second)
            assert caught.value.code == "LXC-E0101"


@row("CNV-14a", eager_because="initial values are drawn in Python")
@row("CRC-02f", eager_because="initial values are drawn in Python")
@pytest.mark.parametrize(("kind", "groups"), [(nn.Conv, 1), (nn.CrossCor, 1), (nn.Conv, 4)])
def test_weights_start_as_glorot_uniform(kind: Any, groups: int) -> None:
    layer = kind((3, 3), 4, 8, groups=groups)
    weight = lxc.setup(0, layer)[0]["weight"]
    assert weight.shape == (8, 4 // groups, 3, 3)
    assert weight.dtype == np.float32
    bound = (6 / (9 * 4 // groups + 9 * 8)) ** 0.5
    assert 0.9 * bound < np.abs(weight).max() <= bound
    assert abs(weight.mean()) < 0.2 * bound


@row("CNV-14a", eager_because="initial values are drawn in Python")
@row("CNV-14b", eager_because="initial values are drawn in Python")
@row("CRC-02f", eager_because="initial values are drawn in Python")
@row("CRC-02g", eager_because="initial values are drawn in Python")
@pytest.mark.parametrize("kind", KINDS)
def test_initialisers_get_the_shapes(kind: Any) -> None:
    shapes = []

    def init(rng: Any, *shape: int) -> Any:
        shapes.append(shape)
        return np.full(shape, 7, np.float32)

    ps, _ = lxc.setup(0, kind((3, 2), 4, 8, init_weight=init, init_bias=init))
    assert shapes == [(8, 4, 3, 2), (8,)]
    same(ps["bias"], np.full(8, 7, np.float32))
    same(lxc.setup(0, kind((3, 2), 4, 8))[0]["bias"], np.zeros(8, np.float32))


@row("CNV-15")
@row("CRC-02h")
def test_the_activation_comes_after_the_bias(column: Column) -> None:
    layers = [kind(1, 1, 2, nn.relu) for kind in KINDS]
    layers += [
        nn.Conv(1, 1, 2, activation, allow_fast_activation=fast)
        for activation in (nn.tanh, nn.sigmoid)
        for fast in (True, False)
    ]
    model, x = nn.BranchLayer(*layers), f32([[[1, 3, -0.25]]])
    ps, st = lxc.setup(0, model)
    for name in ps:
        ps[name] = {"weight": f32([[[1]], [[-1]]]), "bias": f32([-2, 1])}
    ys, after = column(model, x, ps, st)
    before = np.stack([x[:, 0] - 2, 1 - x[:, 0]], axis=1)
    for y in ys[:2]:
        same(y, np.maximum(before, 0))
    for y in ys[2:4]:
        close(y, np.tanh(before))
    for y in ys[4:]:
        close(y, 1 / (1 + np.exp(-before)))
    assert after == st


@row("CNV-16")
def test_there_is_no_state_and_one_mode(column: Column) -> None:
    layer, x = nn.Conv((2, 2), 1, 2), draw(1, 1, 3, 3)
    ps, st = lxc.setup(0, layer)
    assert st == {}
    trained, tested = (column(layer, x, ps, st, mode) for mode in ("train", "test"))
    same(trained, tested)
    assert tested[1] == {}


@row("CNV-01")
@row("CRC-01")
def test_double_precision_and_an_empty_batch(column: Column) -> None:
    model = nn.BranchLayer(*(kind((2, 3), 2, 4, pad=1) for kind in KINDS))
    ps, st = lxc.setup(0, model)
    wide = {
        name: {key: leaf.astype(np.float64) for key, leaf in own.items()}
        for name, own in ps.items()
    }
    spec = lxc.TensorSpec((lxc.Dim("N", 0, 4), 2, 3, 4), "float64")
    call = column.built(model, spec, wide, st)
    for count in (0, 2):
        x = draw(count, 2, 3, 4).astype(np.float64)
        for y, own, flip in zip(
            call(x, wide, st)[0], wide.values(), (True, False), strict=True
        ):
            assert y.dtype == np.float64
            assert y.shape == (count, 4, 4, 4)
            if count:
                expected = torch_conv(x, own, flip=flip, padding=1)
                close(y, expected, rtol=1e-12, atol=1e-13)
