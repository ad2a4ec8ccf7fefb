"""How lxc's layers store what any framework's layer of that kind has.

Between two frameworks stands one form, the canonical one: torch's names and layouts. There
convolutions do not reverse their kernels, matrices are [out, in], recurrent gates are i, f,
g, o and r, z, n with a pair of biases, and attention has the projections `q`, `k`, `v` and
`out`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lxc.runtime.checkpoint import Array

Leaves = Mapping[str, Array]
Write = Callable[[Leaves], dict[str, Array]]
PROJECTIONS = ("q", "k", "v", "out")


@dataclass(frozen=True)
class Layout:
    """What a kind of layer is in any framework, and how lxc writes its canonical leaves."""

    meaning: str
    write: Write


def flipped(weight: Array) -> Array:
    """Return a kernel reversed along its spatial axes, those behind the first two."""
    return np.flip(weight, tuple(range(2, weight.ndim)))


def renaming(**names: str) -> Write:
    """Return a writer that changes names only; those not given stay."""
    return lambda leaves: {names.get(name, name): leaf for name, leaf in leaves.items()}


def changing(change: Callable[[Array], Array]) -> Write:
    """Return a writer that changes the weight, or its direction, and nothing else."""
    return lambda leaves: {
        name: change(leaf) if name in ("weight", "weight_v") else leaf
        for name, leaf in leaves.items()
    }


def one_bias(leaves: Leaves) -> dict[str, Array]:
    """Return the leaves of a cell whose two biases are one sum."""
    made = {name: leaf for name, leaf in leaves.items() if not name.startswith("bias_")}
    biases = [leaf for name, leaf in leaves.items() if name.startswith("bias_")]
    if biases:
        made["bias"] = biases[0] + biases[1] if len(biases) == 2 else biases[0]
    return made


def lstm(leaves: Leaves) -> dict[str, Array]:
    """Return the leaves of an `LSTMCell`."""
    return renaming(weight_ih="weight_i", weight_hh="weight_h")(one_bias(leaves))


def gru(leaves: Leaves) -> dict[str, Array]:
    """Return the leaves of a `GRUCell`: biases of two gates are added to each other."""
    made = renaming(weight_ih="weight_i", weight_hh="weight_h")(leaves)
    given, hidden = made.pop("bias_ih", None), made.pop("bias_hh", None)
    if given is not None and hidden is not None:
        gates = len(given) // 3 * 2
        made["bias_i"] = given[gates:]
        made["bias_h"] = np.concatenate([given[:gates] + hidden[:gates], hidden[gates:]])
    return made


def attention(leaves: Leaves) -> dict[str, Array]:
    """Return the leaves of `kaun.multi_head_attention`, its biases if it has some."""
    parts = {name: leaf for name, leaf in leaves.items() if name in PROJECTIONS}
    biases = {name: leaf for name, leaf in leaves.items() if name not in parts}
    return {f"{name}_proj": leaf.T for name, leaf in parts.items()} | biases


NORM = renaming(weight="scale")
AS_IT_IS = renaming()
LAYOUTS: dict[str, Layout] = {
    "Dense": Layout("linear", AS_IT_IS),
    "Bilinear": Layout("bilinear", AS_IT_IS),
    "Embedding": Layout("embedding", AS_IT_IS),
    "Scale": Layout("scale", AS_IT_IS),
    "Conv": Layout("conv", changing(flipped)),
    "CrossCor": Layout("conv", AS_IT_IS),
    "ConvTranspose": Layout("conv_transpose", changing(flipped)),
    "BatchNorm": Layout("batch_norm", NORM),
    "GroupNorm": Layout("norm", NORM),
    "InstanceNorm": Layout("norm", NORM),
    "LayerNorm": Layout("norm", NORM),
    "RNNCell": Layout("rnn", one_bias),
    "LSTMCell": Layout("lstm", lstm),
    "GRUCell": Layout("gru", gru),
    "linear": Layout("linear", changing(np.transpose)),
    "conv1d": Layout("conv", AS_IT_IS),
    "conv2d": Layout("conv", AS_IT_IS),
    "layer_norm": Layout("norm", renaming(weight="gamma", bias="beta")),
    "rms_norm": Layout("norm", NORM),
    "batch_norm": Layout("batch_norm", NORM),
    "embedding": Layout("embedding", renaming(weight="embedding")),
    "multi_head_attention": Layout("attention", attention),
}
"""Both families' layers with parameters, by the name that makes them."""
