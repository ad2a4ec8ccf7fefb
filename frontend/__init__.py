"""Layers in, graph out: the layer API, set-up and tracing."""

from lxc.frontend.layer import Layer
from lxc.frontend.setup import apply, setup, testmode, trainmode, update_state
from lxc.frontend.trace import trace_layer

__all__ = [
    "Layer",
    "apply",
    "setup",
    "testmode",
    "trace_layer",
    "trainmode",
    "update_state",
]
