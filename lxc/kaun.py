"""Layers as Kaun has them: records of two callables, with variables that come from outside.

layer = kaun.sequential([kaun.linear(784, 128), kaun.relu()])
vars = kaun.init(layer, dtype="float32", rng=0)
y, vars = kaun.apply(layer, vars, x, training=False)
"""

from lxc.frontend.kaun.activations import gelu, relu, sigmoid, silu, tanh
from lxc.frontend.kaun.attention import attention_mask_key, multi_head_attention
from lxc.frontend.kaun.compose import compose, sequential
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.conv import conv1d, conv2d
from lxc.frontend.kaun.dropout import dropout
from lxc.frontend.kaun.embedding import embedding
from lxc.frontend.kaun.initializers import (
    constant,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    normal,
    ones,
    uniform,
    variance_scaling,
    zeros,
)
from lxc.frontend.kaun.layer import Layer, apply, init, predict
from lxc.frontend.kaun.linear import linear
from lxc.frontend.kaun.norm import batch_norm, layer_norm, rms_norm
from lxc.frontend.kaun.pool import avg_pool2d, flatten, max_pool2d
from lxc.frontend.kaun.rope import rope
from lxc.frontend.kaun.vars import Vars, make_vars

__all__ = [
    "Context", "Layer", "Vars", "apply", "attention_mask_key", "avg_pool2d", "batch_norm",
    "compose", "constant", "conv1d", "conv2d", "dropout", "embedding", "flatten", "gelu",
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "init", "layer_norm",
    "lecun_normal", "lecun_uniform", "linear", "make_vars", "max_pool2d",
    "multi_head_attention", "normal", "ones", "predict", "relu", "rms_norm", "rope",
    "sequential", "sigmoid", "silu", "tanh", "uniform", "variance_scaling", "zeros",
]  # fmt: skip
