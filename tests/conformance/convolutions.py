"""Both convolutions, compared with PyTorch."""

from typing import Any

from lxc import nn
from tests.conformance.columns import Column, close_sums
from tests.conformance.several import several
from tests.conformance.torch_images import torch_conv

KINDS = (nn.Conv, nn.CrossCor)


def agree(column: Column, cases: Any) -> None:
    """Compare layers with PyTorch: (kernel, channels in, out, x, our options, torch's)."""
    made = [
        (kind, kind(kernel, inputs, outputs, **ours), x, theirs)
        for kind in KINDS
        for kernel, inputs, outputs, x, ours, theirs in cases
    ]
    results = several(column, [case[1] for case in made], [case[2] for case in made])
    for (kind, _, x, theirs), (ps, y) in zip(made, results, strict=True):
        close_sums(y, torch_conv(x, ps, flip=kind is nn.Conv, **theirs))
