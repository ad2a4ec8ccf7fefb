"""Both pools over windows, compared with PyTorch."""

from typing import Any

from lxc import nn
from tests.conformance.columns import Column, close
from tests.conformance.several import several
from tests.conformance.torch_images import torch_pool

KINDS: tuple[tuple[Any, str], ...] = ((nn.MaxPool, "max"), (nn.MeanPool, "mean"))


def agree(column: Column, cases: Any) -> None:
    """Compare both kinds with PyTorch: (window, x, our options, torch's)."""
    made = [
        (kind(case[0], **case[2]), name, case) for kind, name in KINDS for case in cases
    ]
    results = several(column, [layer for layer, *_ in made], [case[1] for *_, case in made])
    for (_, name, (window, x, _, theirs)), (_, y) in zip(made, results, strict=True):
        close(y, torch_pool(name, x, window, **theirs))
