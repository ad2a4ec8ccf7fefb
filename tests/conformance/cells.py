"""What the tests of recurrent cells share: torch's cells with our parameters."""

from typing import Any

import numpy as np
import torch

from tests.conformance.columns import f32

KEYS = "the keys and values of fresh parameters are decided before anything is computed"


def ones(ps: Any, **changed: Any) -> Any:
    """Return parameters with ones for weights, and some of them changed."""
    weights = {k: np.ones_like(v) if "weight" in k else v for k, v in ps.items()}
    return weights | {name: f32(value) for name, value in changed.items()}


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(np.asarray(values))


def torch_cell(kind: Any, ps: Any, bias_ih: Any, bias_hh: Any) -> Any:
    """Return torch's cell with our parameters."""
    first = ps.get("weight_ih", ps.get("weight_i"))
    second = ps.get("weight_hh", ps.get("weight_h"))
    cell = kind(first.shape[1], second.shape[1])
    with torch.no_grad():
        cell.weight_ih.copy_(tensor(first))
        cell.weight_hh.copy_(tensor(second))
        cell.bias_ih.copy_(tensor(bias_ih))
        cell.bias_hh.copy_(tensor(bias_hh))
    return cell
