"""Scale."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, same
from tests.conformance.rows import row

BATCH = lxc.Dim("N", 1, 8)
INITIAL = "initial values are drawn in Python"
KEYS = "the keys are decided before anything is computed"


def size(ps: Any) -> int:
    return sum(leaf.size for leaf in ps.values())


def counting(rng: Any, *shape: int) -> np.ndarray[Any, Any]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@row("SCL-01")
def test_scale_multiplies_and_adds(column: Column) -> None:
    ps = {"weight": f32([1, 1]), "bias": f32([1, 1])}
    close(column(nn.Scale(2), f32([[1, 3], [2, 4]]), ps, {})[0], f32([[2, 4], [3, 5]]))
    ps = {"weight": f32([2, -1]), "bias": f32([0, 1])}
    y, st = column(nn.Scale(2, nn.relu), f32([[1, 3], [-2, 0]]), ps, {})
    close(y, f32([[2, 0], [0, 1]]))
    assert st == {}


@row("SCL-02", eager_because=KEYS)
def test_the_sizes_of_scale_come_one_by_one_or_as_a_tuple() -> None:
    assert nn.Scale(5, 10) == nn.Scale((5, 10)) == nn.Scale([5, 10])
    assert nn.Scale(2, nn.relu).activation is nn.relu
    assert nn.Scale((2, 3), nn.relu).dims == (2, 3)
    assert nn.Scale(2, activation=nn.relu) == nn.Scale(2, nn.relu)
    wrong: tuple[tuple[Any, ...], ...] = (
        (),
        (nn.relu,),
        (2, 0),
        (2.5,),
        ("2",),
        (nn.relu, 2),
    )
    for sizes in wrong:
        with pytest.raises(LxcError) as caught:
            nn.Scale(*sizes)
        assert caught.value.code == "LXC-E0101"


@row("SCL-03")
def test_scale_broadcasts_as_numpy_does(column: Column) -> None:
    model = nn.Scale((5, 10), init_weight=nn.randn32, init_bias=nn.randn32)
    ps, st = lxc.setup(0, model)
    weight, bias = torch.tensor(ps["weight"]), torch.tensor(ps["bias"])
    call = column.built(model, lxc.TensorSpec((BATCH, 5, 10), "float32"), ps, st)
    for count in (2, 8):
        x = draw(count, 5, 10)
        expected = torch.addcmul(bias, weight, torch.tensor(x))
        close(call(x, ps, st)[0], expected.numpy())
    x = draw(10)
    y = column(model, x, ps, st)[0]
    assert y.shape == (5, 10)
    close(y, torch.addcmul(bias, weight, torch.tensor(x)).numpy())
    with pytest.raises(LxcError) as caught:
        column(model, draw(5), ps, st)
    assert caught.value.code == "LXC-E0103"


@row("SCL-04a", eager_because=INITIAL)
@row("D5", eager_because=INITIAL)
def test_scale_starts_from_ones() -> None:
    same(lxc.setup(0, nn.Scale(2, 3))[0]["weight"], np.ones((2, 3), np.float32))
    asked = lxc.setup(0, nn.Scale(2, 3, init_weight=counting))[0]["weight"]
    same(asked, f32([[0, 1, 2], [3, 4, 5]]))


@row("SCL-04b", eager_because=INITIAL)
def test_the_bias_of_scale_starts_from_zeros() -> None:
    same(lxc.setup(0, nn.Scale(2, 3))[0]["bias"], np.zeros((2, 3), np.float32))
    asked = lxc.setup(0, nn.Scale(2, 3, init_bias=counting))[0]["bias"]
    same(asked, f32([[0, 1, 2], [3, 4, 5]]))


@row("SCL-04c")
def test_scale_without_bias(column: Column) -> None:
    assert size(lxc.setup(0, nn.Scale(2, 3))[0]) == 12
    for layer in (nn.Scale(2, 3, use_bias=False), nn.Scale(2, 3, bias=False)):
        ps, _ = lxc.setup(0, layer)
        assert list(ps) == ["weight"]
        assert size(ps) == 6
    with pytest.raises(LxcError, match="contradict"):
        nn.Scale(2, use_bias=True, bias=False)
    model, x = nn.Scale(3, nn.relu, use_bias=False), f32([[1, -2, 3]])
    close(column(model, x, {"weight": f32([2, 2, -1])}, {})[0], f32([[2, 0, 0]]))


@row("SCL-04d")
@pytest.mark.parametrize("allowed", [True, False])
def test_scale_applies_its_activation_last(column: Column, allowed: bool) -> None:
    model = nn.Scale(2, nn.tanh, allow_fast_activation=allowed)
    assert model.activation is (nn.tanh_fast if allowed else nn.tanh)
    ps = {"weight": f32([2, -1]), "bias": f32([1, 0.5])}
    y = column(model, f32([[1, 2], [0, 0]]), ps, {})[0]
    close(y, np.tanh(f32([[3, -1.5], [1, 0.5]])))
