"""Parameters of Flax compute in our layers what they compute in Flax.

flax_reference.py wrote the arrays that are compared with here.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn
from lxc.runtime.checkpoint import read_checkpoint

Array = np.ndarray[Any, Any]
REFERENCE = read_checkpoint(Path(__file__).with_name("flax.safetensors")).arrays


def zeros(_: Any, *shape: int) -> Array:
    return np.zeros(shape, np.float32)


def channels_last(x: Any) -> Any:
    return lxc.ops.transpose(x, (0, 2, 3, 1))


CASES: dict[str, Any] = {
    "dense": nn.Dense(4, 4),
    "conv": nn.Conv((3, 2), 4, 6, groups=2),
    "conv_transpose": nn.ConvTranspose((3, 2), 4, 5, stride=2),
    "batch_norm": nn.BatchNorm(4),
    "layer_norm": nn.LayerNorm((4,), affine=True, dims=-1),
    "embed": nn.Embedding(7, 4),
    "rnn": nn.Recurrence(nn.RNNCell(4, 4, init_state=zeros), return_sequence=True),
    "lstm": nn.Recurrence(nn.LSTMCell(4, 4), return_sequence=True),
    "gru": nn.Recurrence(nn.GRUCell(4, 4), return_sequence=True),
    "net": nn.Chain(
        nn.Conv((3, 2), 3, 4, nn.relu),
        nn.BatchNorm(4),
        channels_last,
        nn.FlattenLayer(),
        nn.Dense(60, 4, nn.relu),
        nn.Dense(4, 4),
    ),
}


def of(case: str) -> tuple[dict[str, Array], Array, Array]:
    """Return parameters, input and output of a case; images with channels second."""
    inside = {
        name.removeprefix(f"{case}/"): array
        for name, array in REFERENCE.items()
        if name.startswith(f"{case}/")
    }
    x, y = (inside.pop(name) for name in "xy")
    order = (0, 3, 1, 2)
    x, y = (array.transpose(order) if array.ndim == 4 else array for array in (x, y))
    return inside, x, y


@pytest.mark.parametrize("case", CASES)
def test_a_layer_computes_what_flax_does(case: str) -> None:
    arrays, x, expected = of(case)
    layer = CASES[case]
    made = lxc.convert_params(arrays, layer, style="flax")
    assert made.report.unexpected == ()
    y, _ = layer(x, made.params, lxc.testmode(made.state))
    y = np.stack(y, 1) if isinstance(y, list) else y
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6)


def test_an_attention_computes_what_flax_does() -> None:
    arrays, x, expected = of("attention")
    layer = kaun.multi_head_attention(8, 2)
    made = lxc.convert_params(arrays, layer, style="flax")
    y, _ = kaun.apply(layer, kaun.make_vars(made.params, made.state, "float32"), x)
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6)
