"""The layers of the Lux family."""

from lxc.frontend.layers.basic import (
    ActivationFunction,
    FlattenLayer,
    NoOpLayer,
    ReshapeLayer,
    WrappedFunction,
    as_layer,
)
from lxc.frontend.layers.branch import BranchLayer, Parallel, SkipConnection
from lxc.frontend.layers.chain import Chain
from lxc.frontend.layers.conv import Conv, CrossCor
from lxc.frontend.layers.dropout import Dropout
from lxc.frontend.layers.linear import Dense
from lxc.frontend.layers.norm import BatchNorm
from lxc.frontend.layers.pool import GlobalMaxPool, GlobalMeanPool, MaxPool, MeanPool

__all__ = [
    "ActivationFunction",
    "BatchNorm",
    "BranchLayer",
    "Chain",
    "Conv",
    "CrossCor",
    "Dense",
    "Dropout",
    "FlattenLayer",
    "GlobalMaxPool",
    "GlobalMeanPool",
    "MaxPool",
    "MeanPool",
    "NoOpLayer",
    "Parallel",
    "ReshapeLayer",
    "SkipConnection",
    "WrappedFunction",
    "as_layer",
]
