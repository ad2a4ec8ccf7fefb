"""The layers of the Lux family."""

from lxc.frontend.layers.adaptive import AdaptiveMaxPool, AdaptiveMeanPool
from lxc.frontend.layers.basic import (
    ActivationFunction,
    FlattenLayer,
    NoOpLayer,
    ReshapeLayer,
    SelectDim,
    WrappedFunction,
    as_layer,
)
from lxc.frontend.layers.bilinear import Bilinear
from lxc.frontend.layers.branch import BranchLayer, Parallel, SkipConnection
from lxc.frontend.layers.chain import Chain
from lxc.frontend.layers.conv import Conv, CrossCor
from lxc.frontend.layers.dropout import AlphaDropout, Dropout
from lxc.frontend.layers.embedding import Embedding
from lxc.frontend.layers.frozen import FrozenLayer, freeze, unfreeze
from lxc.frontend.layers.group_norm import GroupNorm, InstanceNorm
from lxc.frontend.layers.gru import GRUCell
from lxc.frontend.layers.hidden_dropout import VariationalHiddenDropout
from lxc.frontend.layers.layer_norm import LayerNorm
from lxc.frontend.layers.linear import Dense
from lxc.frontend.layers.lstm import LSTMCell
from lxc.frontend.layers.maxout import Maxout
from lxc.frontend.layers.norm import BatchNorm
from lxc.frontend.layers.pairwise import PairwiseFusion
from lxc.frontend.layers.pool import GlobalMaxPool, GlobalMeanPool, MaxPool, MeanPool
from lxc.frontend.layers.recurrence import Recurrence, StatefulRecurrentCell
from lxc.frontend.layers.recurrent_cell import RecurrentCell
from lxc.frontend.layers.rnn import RNNCell
from lxc.frontend.layers.scale import Scale
from lxc.frontend.layers.shuffle import PixelShuffle
from lxc.frontend.layers.transposed import ConvTranspose
from lxc.frontend.layers.upsample import Upsample
from lxc.frontend.layers.weight_norm import WeightNorm

__all__ = [
    "ActivationFunction",
    "AdaptiveMaxPool",
    "AdaptiveMeanPool",
    "AlphaDropout",
    "BatchNorm",
    "Bilinear",
    "BranchLayer",
    "Chain",
    "Conv",
    "ConvTranspose",
    "CrossCor",
    "Dense",
    "Dropout",
    "Embedding",
    "FlattenLayer",
    "FrozenLayer",
    "GRUCell",
    "GlobalMaxPool",
    "GlobalMeanPool",
    "GroupNorm",
    "InstanceNorm",
    "LSTMCell",
    "LayerNorm",
    "MaxPool",
    "Maxout",
    "MeanPool",
    "NoOpLayer",
    "PairwiseFusion",
    "Parallel",
    "PixelShuffle",
    "RNNCell",
    "Recurrence",
    "RecurrentCell",
    "ReshapeLayer",
    "Scale",
    "SelectDim",
    "SkipConnection",
    "StatefulRecurrentCell",
    "Upsample",
    "VariationalHiddenDropout",
    "WeightNorm",
    "WrappedFunction",
    "as_layer",
    "freeze",
    "unfreeze",
]
