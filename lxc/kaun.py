"""Layers as Kaun has them: records of two callables, with variables that come from outside.

layer = kaun.sequential([kaun.linear(784, 128), kaun.relu()])
vars = kaun.init(layer, dtype="float32", rng=0)
y, vars = kaun.apply(layer, vars, x, training=False)
"""

from lxc.frontend.kaun.activations import gelu, relu, sigmoid, silu, tanh
from lxc.frontend.kaun.compose import compose, sequential
from lxc.frontend.kaun.context import Context
from lxc.frontend.kaun.conv import conv2d
from lxc.frontend.kaun.dropout import dropout
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
from lxc.frontend.kaun.layer import Layer, apply, init
from lxc.frontend.kaun.linear import linear
from lxc.frontend.kaun.norm import batch_norm
from lxc.frontend.kaun.pool import avg_pool2d, flatten, max_pool2d
from lxc.frontend.kaun.vars import Vars, make_vars

__all__ = [
    "Context", "Layer", "Vars", "apply", "avg_pool2d", "batch_norm", "compose", "constant",
    "conv2d", "dropout", "flatten", "gelu", "glorot_normal", "glorot_uniform", "he_normal",
    "he_uniform", "init", "lecun_normal", "lecun_uniform", "linear", "make_vars",
    "max_pool2d", "normal", "ones", "relu", "sequential", "sigmoid", "silu", "tanh",
    "uniform", "variance_scaling", "zeros",
]  # fmt: skip
