"""Every layer of the Lux family once, with an input that suits it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc import nn
from tests.conformance.columns import draw

IDS = np.array([[0, 3], [1, 1]], np.int32)
IMAGE = (2, 4, 5, 3)
SERIES = (2, 3, 4)

Sample = tuple[Callable[[], Any], Any]
"""How to make the layer, and its input."""


def shifted(x: Any) -> Any:
    return x + 1


def samples() -> dict[str, Sample]:
    """Return a sample under the name of each layer."""
    return {**simple_samples(), **image_samples(), **composed_samples()}


def simple_samples() -> dict[str, Sample]:
    """Return layers for rows and sequences."""
    row = draw(2, 4)
    return {
        "AlphaDropout": (lambda: nn.AlphaDropout(0.5), row),
        "Bilinear": (lambda: nn.Bilinear((4, 3), 2), (row, draw(2, 3))),
        "Dense": (lambda: nn.Dense(4, 3, nn.tanh), row),
        "Dropout": (lambda: nn.Dropout(0.5), row),
        "Embedding": (lambda: nn.Embedding(4, 3), IDS),
        "FlattenLayer": (nn.FlattenLayer, draw(*IMAGE)),
        "GRUCell": (lambda: nn.GRUCell(4, 3), row),
        "LSTMCell": (lambda: nn.LSTMCell(4, 3), row),
        "LayerNorm": (lambda: nn.LayerNorm((4,), affine=True), row),
        "NoOpLayer": (nn.NoOpLayer, row),
        "RNNCell": (lambda: nn.RNNCell(4, 3), row),
        "Recurrence": (lambda: nn.Recurrence(nn.LSTMCell(4, 3)), draw(*SERIES)),
        "ReshapeLayer": (lambda: nn.ReshapeLayer(2, 2), row),
        "Scale": (lambda: nn.Scale(4), row),
        "SelectDim": (lambda: nn.SelectDim(-1, 0), row),
        "StatefulRecurrentCell": (lambda: nn.StatefulRecurrentCell(nn.GRUCell(4, 3)), row),
        "VariationalHiddenDropout": (lambda: nn.VariationalHiddenDropout(0.5), row),
        "WrappedFunction": (lambda: nn.WrappedFunction(shifted), row),
    }


def image_samples() -> dict[str, Sample]:
    """Return layers for images."""
    x = draw(*IMAGE)
    return {
        "AdaptiveMaxPool": (lambda: nn.AdaptiveMaxPool((2, 2)), x),
        "AdaptiveMeanPool": (lambda: nn.AdaptiveMeanPool((2, 2)), x),
        "BatchNorm": (lambda: nn.BatchNorm(4), x),
        "Conv": (lambda: nn.Conv((2, 2), 4, 2), x),
        "ConvTranspose": (lambda: nn.ConvTranspose((2, 2), 4, 2, stride=2), x),
        "CrossCor": (lambda: nn.CrossCor((2, 2), 4, 2), x),
        "GlobalMaxPool": (nn.GlobalMaxPool, x),
        "GlobalMeanPool": (nn.GlobalMeanPool, x),
        "GroupNorm": (lambda: nn.GroupNorm(4, 2), x),
        "InstanceNorm": (lambda: nn.InstanceNorm(4), x),
        "MaxPool": (lambda: nn.MaxPool((2, 2)), x),
        "MeanPool": (lambda: nn.MeanPool((2, 2)), x),
        "PixelShuffle": (lambda: nn.PixelShuffle(2), x),
        "Upsample": (lambda: nn.Upsample("bilinear", scale=2), x),
    }


def composed_samples() -> dict[str, Sample]:
    """Return layers around others."""
    row = draw(2, 4)
    return {
        "BranchLayer": (lambda: nn.BranchLayer(nn.Dense(4, 2), shifted), row),
        "Chain": (lambda: nn.Chain(nn.Dense(4, 2), shifted), row),
        "FrozenLayer": (lambda: nn.FrozenLayer(nn.Dense(4, 2)), row),
        "Maxout": (lambda: nn.Maxout(nn.Dense(4, 2), nn.Dense(4, 2)), row),
        "PairwiseFusion": (lambda: nn.PairwiseFusion(np.add, nn.Dense(4, 4)), row),
        "Parallel": (lambda: nn.Parallel(np.add, nn.Dense(4, 2), nn.Dense(4, 2)), row),
        "SkipConnection": (lambda: nn.SkipConnection(nn.Dense(4, 4), np.add), row),
        "WeightNorm": (lambda: nn.WeightNorm(nn.Dense(4, 2), ("weight",)), row),
    }
