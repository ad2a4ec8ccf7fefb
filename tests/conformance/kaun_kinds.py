"""One layer of every kind of Kaun that takes floats."""

from typing import Any

from lxc import kaun


def kind(layer: Any) -> str:
    """Return the function of `lxc.kaun` that made a layer."""
    return str(layer.apply.kind)


LAYERS = [
    kaun.linear(4, 2), kaun.conv1d(4, 2), kaun.conv2d(4, 2), kaun.layer_norm(4),
    kaun.rms_norm(4), kaun.batch_norm(4), kaun.dropout(0.5), kaun.relu(), kaun.gelu(),
    kaun.silu(), kaun.tanh(), kaun.sigmoid(), kaun.max_pool2d(2), kaun.avg_pool2d(2),
    kaun.flatten(), kaun.multi_head_attention(4, 2),
]  # fmt: skip
