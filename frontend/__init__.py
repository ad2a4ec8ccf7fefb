"""Layers in, graph out: the layer API, set-up and tracing."""

from lxc.frontend.casting import cast
from lxc.frontend.counts import parameter_count, state_count
from lxc.frontend.layer import Layer
from lxc.frontend.setup import apply, setup, testmode, trainmode, update_state
from lxc.frontend.sharing import share_parameters
from lxc.frontend.trace import trace_layer

__all__ = [
    "Layer",
    "apply",
    "cast",
    "parameter_count",
    "setup",
    "share_parameters",
    "state_count",
    "testmode",
    "trace_layer",
    "trainmode",
    "update_state",
]
