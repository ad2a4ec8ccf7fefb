"""Write flax.safetensors: parameters of Flax with what its layers make of an input.

Run it where jax and flax are installed: python flax_reference.py. Names are those of
`flax.traverse_util.flatten_dict`, behind the name of the case; `x` and `y` are the input
and the output, images with their channels last.
"""

from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from flax.traverse_util import flatten_dict
from safetensors.numpy import save_file


class Net(nn.Module):  # type: ignore[misc]
    """Layers that Flax numbers class by class."""

    @nn.compact  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> Any:
        x = nn.relu(nn.Conv(4, (3, 2), padding="VALID")(x))
        x = nn.BatchNorm(use_running_average=True)(x)
        x = nn.relu(nn.Dense(4)(x.reshape(len(x), -1)))
        return nn.Dense(4)(x)


CASES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "dense": (nn.Dense(4), (2, 4)),
    "conv": (nn.Conv(6, (3, 2), padding="VALID", feature_group_count=2), (2, 5, 6, 4)),
    "conv_transpose": (nn.ConvTranspose(5, (3, 2), (2, 2), "VALID"), (2, 5, 6, 4)),
    "batch_norm": (nn.BatchNorm(use_running_average=True, epsilon=1e-5), (2, 5, 6, 4)),
    "layer_norm": (nn.LayerNorm(epsilon=1e-5), (2, 5, 4)),
    "embed": (nn.Embed(7, 4), ()),
    "rnn": (nn.RNN(nn.SimpleCell(4)), (2, 5, 4)),
    "lstm": (nn.RNN(nn.OptimizedLSTMCell(4)), (2, 5, 4)),
    "gru": (nn.RNN(nn.GRUCell(4)), (2, 5, 4)),
    "attention": (nn.MultiHeadDotProductAttention(2, use_bias=False), (2, 5, 8)),
    "net": (Net(), (2, 5, 6, 3)),
}


def main() -> None:
    """Draw every parameter, run every case and write everything."""
    generator = np.random.default_rng(0)
    arrays: dict[str, Any] = {}

    def drawn(leaf: Any) -> Any:
        return generator.uniform(0.1, 1, leaf.shape).astype(np.float32)

    for name, (module, shape) in CASES.items():
        x = generator.normal(size=shape).astype(np.float32)
        if name == "embed":
            x = np.array([[0, 6], [3, 3]], np.int32)
        variables = jax.tree.map(drawn, module.init(jax.random.key(0), x))
        y = module.apply(variables, x)
        arrays |= {f"{name}/x": x, f"{name}/y": np.asarray(y)}
        arrays |= {f"{name}/{k}": v for k, v in flatten_dict(variables, sep="/").items()}
    save_file(arrays, Path(__file__).with_name("flax.safetensors"))


if __name__ == "__main__":
    main()
