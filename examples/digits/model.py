"""A small convolutional network for handwritten digits: [N, 1, 8, 8] to 10 logits."""

from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

import lxc
from lxc import nn
from lxc.tree import flatten, unflatten

model = nn.Chain(
    nn.Conv((3, 3), 1, 16, pad=nn.SamePad()),
    nn.BatchNorm(16, nn.relu),
    nn.MaxPool((2, 2)),
    nn.Conv((3, 3), 16, 32, pad=nn.SamePad()),
    nn.BatchNorm(32, nn.relu),
    nn.MaxPool((2, 2)),
    nn.FlattenLayer(),
    nn.Dropout(0.25),
    nn.Dense(128, 64, nn.relu),
    nn.Dense(64, 10),
)


def trained() -> tuple[Any, Any]:
    """Return the parameters and the state that `train.py` left, in test mode."""
    leaves = load_file(Path(__file__).parent / "weights.safetensors")
    trees = []
    for prefix, tree in zip(("params", "state"), lxc.setup(0, model), strict=True):
        structure = flatten(tree)[1]
        trees.append(unflatten(structure, [leaves[p] for p in structure.paths(prefix)]))
    return trees[0], lxc.testmode(trees[1])
