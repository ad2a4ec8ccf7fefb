"""Several layers in one model, each on its own input, so that they compile together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import lxc
from lxc import nn
from tests.conformance.columns import Column, draw

Array = np.ndarray[Any, Any]


def several(
    column: Column, layers: Sequence[Any], inputs: Sequence[Array]
) -> list[tuple[dict[str, Array], Array]]:
    """Return parameters and output of each layer; weights and biases are random."""
    ps, st = lxc.setup(1, nn.Parallel(None, *layers))
    for number, own in enumerate(ps.values()):
        if "bias" in own:
            own["bias"] = draw(*own["bias"].shape, seed=number)
    ys, _ = column(nn.Parallel(None, *layers), tuple(inputs), ps, st)
    return list(zip(ps.values(), ys, strict=True))


def given(
    column: Column, layers: Sequence[Any], inputs: Sequence[Any], weights: Sequence[Any]
) -> list[Array]:
    """Return the output of each layer without bias on one channel of one sample.

    Inputs, weights and outputs are without the axes for samples and channels.
    """
    names = [f"layer_{number}" for number in range(1, len(layers) + 1)]
    single = [np.asarray(w, np.float32)[None, None] for w in weights]
    ps = {name: {"weight": w} for name, w in zip(names, single, strict=True)}
    xs = tuple(np.asarray(x, np.float32)[None, None] for x in inputs)
    ys, _ = column(nn.Parallel(None, *layers), xs, ps, {key: {} for key in names})
    return [y[0, 0] for y in ys]


def outputs(column: Column, layers: Sequence[Any], inputs: Sequence[Array]) -> list[Array]:
    """Return what each layer makes of its own input."""
    return [y for _, y in several(column, layers, inputs)]
