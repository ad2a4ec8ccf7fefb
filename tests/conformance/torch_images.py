"""What PyTorch makes of images; kernels are flipped and edges cut or padded for it."""

from typing import Any

import numpy as np
import torch
from torch.nn import functional

Array = np.ndarray[Any, Any]
PER_RANK: dict[str, Any] = {
    "conv": (functional.conv1d, functional.conv2d, functional.conv3d),
    "transposed": (
        functional.conv_transpose1d,
        functional.conv_transpose2d,
        functional.conv_transpose3d,
    ),
    "max": (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d),
    "mean": (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d),
}


def weights_of(ps: Any, flip: bool) -> tuple[Any, Any]:
    """Return kernel, flipped in space if asked, and bias or None."""
    weight = torch.tensor(np.array(ps["weight"]))
    if flip:
        weight = weight.flip(tuple(range(2, weight.ndim)))
    return weight, torch.tensor(np.array(ps["bias"])) if "bias" in ps else None


def torch_conv(x: Array, ps: Any, *, flip: bool, pad: Any = (), **options: Any) -> Array:
    """Return the convolution of x, padded with zeros by (before, after) per axis."""
    around = np.pad(x, ((0, 0), (0, 0), *pad)) if pad else x
    run = PER_RANK["conv"][x.ndim - 3]
    return np.asarray(run(torch.tensor(around), *weights_of(ps, flip), **options))


def torch_transposed(x: Array, ps: Any, *, crop: Any = (), **options: Any) -> Array:
    """Return the transposed convolution of x, cropped by (before, after) per axis."""
    run = PER_RANK["transposed"][x.ndim - 3]
    y = np.asarray(run(torch.tensor(x), *weights_of(ps, True), **options))
    for axis, (low, high) in enumerate(crop, 2):
        y = np.take(y, range(low, y.shape[axis] - high), axis)
    return y


def torch_pool(
    kind: str, x: Array, window: Any, *, pad: Any = (), stride: Any = None
) -> Array:
    """Return the pool of x, padded with what changes no window by (before, after)."""
    empty = -np.inf if kind == "max" else 0
    around = np.pad(x, ((0, 0), (0, 0), *pad), constant_values=empty) if pad else x
    return np.asarray(PER_RANK[kind][x.ndim - 3](torch.tensor(around), window, stride))
