"""Parameters of torch compute in our layers what they compute in torch."""

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn

Array = np.ndarray[Any, Any]
LENGTHS = {1: (9,), 2: (8, 7), 3: (5, 6, 4)}


def arrays_of(module: torch.nn.Module) -> dict[str, Array]:
    """Return the parameters of a module, every one of them drawn: biases too."""
    generator = torch.Generator().manual_seed(5)
    drawn = OrderedDict(
        (name, torch.rand(leaf.shape, generator=generator) + 0.2)
        if leaf.is_floating_point()
        else (name, leaf)
        for name, leaf in module.state_dict().items()
    )
    for name, leaf in drawn.items():
        if "running" not in name and leaf.is_floating_point():
            leaf -= 0.7
    module.load_state_dict(drawn)
    return {name: leaf.numpy().copy() for name, leaf in drawn.items()}


def drawn(*shape: int) -> Array:
    return np.random.default_rng(2).normal(size=shape).astype(np.float32)


def torch_result(module: torch.nn.Module, x: Array) -> Array:
    with torch.no_grad():
        y = module.eval()(torch.from_numpy(x))
    result: Array = (y[0] if isinstance(y, tuple) else y).numpy()
    return result


def our_result(layer: Any, arrays: dict[str, Array], x: Array, **options: Any) -> Array:
    made = lxc.convert_params(arrays, layer, **options)
    assert made.report.unexpected == ()
    return np.asarray(layer(x, made.params, lxc.testmode(made.state))[0])


def conv(rank: int, **options: Any) -> tuple[torch.nn.Module, Any, Array]:
    kernel = (3, 2, 4)[:rank]
    theirs = getattr(torch.nn, f"Conv{rank}d")(4, 6, kernel, **options)
    ours = nn.Conv(kernel, 4, 6, groups=options.get("groups", 1))
    return theirs, ours, drawn(2, 4, *LENGTHS[rank])


def transposed(rank: int, **options: Any) -> tuple[torch.nn.Module, Any, Array]:
    kernel = (3, 2, 4)[:rank]
    theirs = getattr(torch.nn, f"ConvTranspose{rank}d")(4, 6, kernel, 2, **options)
    ours = nn.ConvTranspose(kernel, 4, 6, stride=2, groups=options.get("groups", 1))
    return theirs, ours, drawn(2, 4, *LENGTHS[rank])


def recurrent(theirs: torch.nn.Module, cell: Any) -> tuple[torch.nn.Module, Any, Array]:
    return theirs, nn.Recurrence(cell), drawn(3, 1, 4)


PLAIN: dict[str, Any] = {
    "Linear": lambda: (torch.nn.Linear(4, 4), nn.Dense(4, 4), drawn(3, 4)),
    "Linear without bias": lambda: (
        torch.nn.Linear(4, 3, bias=False),
        nn.Dense(4, 3, use_bias=False),
        drawn(2, 5, 4),
    ),
    "Conv1d": lambda: conv(1),
    "Conv2d": lambda: conv(2),
    "Conv2d in groups": lambda: conv(2, groups=2),
    "Conv3d": lambda: conv(3),
    "ConvTranspose1d": lambda: transposed(1),
    "ConvTranspose2d in groups": lambda: transposed(2, groups=2),
    "Conv2d as CrossCor": lambda: (
        torch.nn.Conv2d(4, 6, (3, 2)),
        nn.CrossCor((3, 2), 4, 6),
        drawn(2, 4, 8, 7),
    ),
    "BatchNorm": lambda: (torch.nn.BatchNorm2d(4), nn.BatchNorm(4), drawn(2, 4, 5, 3)),
    "BatchNorm of statistics only": lambda: (
        torch.nn.BatchNorm1d(4, affine=False),
        nn.BatchNorm(4, affine=False),
        drawn(2, 4),
    ),
    "GroupNorm": lambda: (
        torch.nn.GroupNorm(2, 4),
        nn.GroupNorm(4, 2, track_stats=False),
        drawn(2, 4, 5),
    ),
    "InstanceNorm": lambda: (
        torch.nn.InstanceNorm1d(4, affine=True),
        nn.InstanceNorm(4),
        drawn(2, 4, 5),
    ),
    "LayerNorm": lambda: (
        torch.nn.LayerNorm(4),
        nn.LayerNorm((4,), affine=True, dims=-1),
        drawn(2, 5, 4),
    ),
    "Bilinear": lambda: (
        torch.nn.Sequential(Twice(torch.nn.Bilinear(4, 4, 3))),
        nn.Chain(nn.Bilinear((4, 4), 3), disable_optimizations=True),
        drawn(2, 4),
    ),
    "weight norm": lambda: (
        torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(4, 3)),
        nn.WeightNorm(nn.Dense(4, 3), ("weight",), dims=(0,)),
        drawn(2, 4),
    ),
    "weight norm of Conv": lambda: (
        torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(4, 6, 3)),
        nn.WeightNorm(nn.Conv((3,), 4, 6), ("weight",), dims=(0,)),
        drawn(2, 4, 9),
    ),
    "RNN": lambda: (
        torch.nn.RNN(4, 4, batch_first=True),
        nn.Recurrence(nn.RNNCell(4, 4, init_state=lambda rng, *s: np.zeros(s, "f4"))),
        drawn(3, 6, 4),
    ),
    "LSTM": lambda: (
        torch.nn.LSTM(4, 4, batch_first=True),
        nn.Recurrence(nn.LSTMCell(4, 4), return_sequence=True),
        drawn(3, 6, 4),
    ),
    "LSTM without bias": lambda: (
        torch.nn.LSTM(4, 4, batch_first=True, bias=False),
        nn.Recurrence(nn.LSTMCell(4, 4, use_bias=False), return_sequence=True),
        drawn(3, 6, 4),
    ),
    "GRU": lambda: (
        torch.nn.GRU(4, 4, batch_first=True),
        nn.Recurrence(nn.GRUCell(4, 4), return_sequence=True),
        drawn(3, 6, 4),
    ),
    "two layers of GRU": lambda: (
        torch.nn.GRU(4, 4, 2, batch_first=True),
        nn.Chain(
            nn.Recurrence(nn.GRUCell(4, 4), return_sequence=True),
            nn.Recurrence(nn.GRUCell(4, 4), return_sequence=True),
        ),
        drawn(3, 6, 4),
    ),
}


class Twice(torch.nn.Module):
    """Give a module of two inputs one twice."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.inner(x, x)
        return result


@pytest.mark.parametrize("name", PLAIN)
def test_a_layer_computes_what_torch_does(name: str) -> None:
    theirs, ours, x = PLAIN[name]()
    arrays = arrays_of(theirs)
    y, expected = our_result(ours, arrays, x), torch_result(theirs, x)
    if expected.ndim == 3 and y.ndim == 3 and y.shape != expected.shape:
        y = y.swapaxes(0, 1)  # a list of steps
    if name == "RNN":
        expected = expected[:, -1]
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6)
