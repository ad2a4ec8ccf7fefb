"""Dense layers with biases, and what torch makes of them."""

from typing import Any

import numpy as np
import torch

import lxc


def batch(*sizes: int) -> lxc.TensorSpec:
    """Return a batch of 1 to 8 rows."""
    return lxc.TensorSpec((lxc.Dim("N", 1, 8), *sizes))


def dense(x: Any, ps: Any) -> Any:
    """Return what torch makes of a Dense layer's parameters."""
    weight, bias = (torch.tensor(ps[key]) for key in ("weight", "bias"))
    return torch.nn.functional.linear(torch.tensor(x), weight, bias).numpy()


def with_biases(ps: Any) -> Any:
    """Return parameters whose biases are not zero."""
    rng = np.random.default_rng(1)
    return {
        key: with_biases(part)
        if isinstance(part, dict)
        else rng.standard_normal(part.shape, np.float32)
        for key, part in ps.items()
    }
