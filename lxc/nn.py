"""The layers of the Lux family, their activations, initialisers and padding."""

from lxc.frontend.activations import (
    celu,
    elu,
    gelu,
    gelu_erf,
    hardsigmoid,
    hardtanh,
    identity,
    leakyrelu,
    logsigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    sigmoid_fast,
    silu,
    softplus,
    softsign,
    swish,
    tanh,
    tanh_fast,
)
from lxc.frontend.initializers import (
    glorot_normal,
    glorot_uniform,
    kaiming_normal,
    kaiming_uniform,
    ones32,
    rand32,
    randn32,
    zeros32,
)
from lxc.frontend.layer import Layer
from lxc.frontend.layers import (
    ActivationFunction,
    BatchNorm,
    BranchLayer,
    Chain,
    Conv,
    CrossCor,
    Dense,
    Dropout,
    FlattenLayer,
    GlobalMaxPool,
    GlobalMeanPool,
    MaxPool,
    MeanPool,
    NoOpLayer,
    Parallel,
    ReshapeLayer,
    SkipConnection,
    WrappedFunction,
)
from lxc.frontend.padding import SamePad

__all__ = [
    "ActivationFunction", "BatchNorm", "BranchLayer", "Chain", "Conv", "CrossCor", "Dense",
    "Dropout",
    "FlattenLayer", "GlobalMaxPool", "GlobalMeanPool", "Layer", "MaxPool", "MeanPool",
    "NoOpLayer", "Parallel", "ReshapeLayer", "SamePad", "SkipConnection", "WrappedFunction",
    "celu", "elu", "gelu", "gelu_erf", "glorot_normal", "glorot_uniform", "hardsigmoid",
    "hardtanh", "identity", "kaiming_normal", "kaiming_uniform", "leakyrelu", "logsigmoid",
    "mish", "ones32", "rand32", "randn32", "relu", "relu6", "selu", "sigmoid",
    "sigmoid_fast", "silu", "softplus", "softsign", "swish", "tanh", "tanh_fast", "zeros32",
]  # fmt: skip
