"""Parameters of Lux.jl: its names are ours, its arrays have their axes in another order."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.tree import flatten, unflatten

Array = np.ndarray[Any, Any]
CHAIN = nn.Chain(
    nn.Conv((3, 2), 2, 4, nn.relu),
    nn.ConvTranspose((2, 2), 4, 3),
    nn.CrossCor((2, 1), 3, 3),
    nn.BatchNorm(3),
    nn.FlattenLayer(),
    nn.Dense(45, 5),
    nn.SkipConnection(nn.Dense(5, 5), nn.Bilinear((5, 5), 6)),
    nn.LayerNorm((6,), affine=True, dims=-1),
    nn.Scale(6),
)
MATRICES = ("weight_i", "weight_h", "weight_ih", "weight_hh", "weight")
COLUMNS = ("bias", "bias_i", "bias_h", "hidden_state", "memory")


def drawn_trees(layer: Any) -> tuple[Any, Any]:
    generator = np.random.default_rng(8)

    def drawn(tree: Any) -> Any:
        leaves, structure = flatten(tree)
        made = [generator.uniform(0.2, 1, leaf.shape).astype(leaf.dtype) for leaf in leaves]
        return unflatten(structure, made)

    ps, st = lxc.setup(0, layer)
    return drawn(ps), drawn(st)


def in_julia(name: str, array: Array) -> Array:
    """Return an array with the shape that Lux.jl has for it: J(in reversed order)."""
    leaf, layer = name.rpartition(".")[2], name.rpartition(".")[0]
    if leaf in COLUMNS and not layer.endswith(("layer_4", "layer_9")):
        if array.ndim == 1 and layer.endswith(("layer_1", "layer_2", "layer_3")):
            return array.reshape(1, 1, -1, 1)
        return array.reshape(-1, 1)
    if leaf in MATRICES and (array.ndim == 2 or layer.endswith("connection")):
        return array  # (out, in) and (out, in1, in2) are written as they are
    return array.T


@pytest.mark.parametrize("style", ["lux", "lux-hdf5"])
@pytest.mark.parametrize(
    "layer",
    [
        CHAIN,
        nn.Chain(
            nn.Embedding(7, 4),
            nn.Recurrence(nn.LSTMCell(4, 4, train_state=True, train_memory=True)),
            disable_optimizations=True,
        ),
        nn.Chain(nn.Recurrence(nn.GRUCell(4, 4)), nn.Dense(4, 4)),
        nn.Chain(nn.Recurrence(nn.RNNCell(4, 4)), nn.Dense(4, 4)),
    ],
    ids=["layers", "LSTM", "GRU", "RNN"],
)
def test_a_model_gets_back_what_julia_holds(layer: Any, style: str) -> None:
    ps, st = drawn_trees(layer)
    stored = {}
    for section, tree in (("ps", ps), ("st", st)):
        for name, array in lxc.flat_names(tree).items():
            if section == "st" and "running" not in name:
                continue
            is_table = isinstance(layer.children[0][1], nn.Embedding) and "layer_1." in name
            julia = array.T if is_table else in_julia(name, array)
            stored[f"{section}/{name.replace('.', '/')}"] = julia
    if style == "lux-hdf5":
        stored = {name: array.T for name, array in stored.items()}
    made = lxc.convert_params(stored, layer, style=style)
    assert made.report.unexpected == ()
    for name, array in lxc.flat_names(ps).items():
        np.testing.assert_array_equal(lxc.flat_names(made.params)[name], array, name)
    for name, array in lxc.flat_names(st).items():
        if "running" in name:
            np.testing.assert_array_equal(lxc.flat_names(made.state)[name], array, name)


def test_pairs_of_biases_of_newer_versions_are_taken() -> None:
    layer = nn.Recurrence(nn.GRUCell(3, 2))
    ps, _ = drawn_trees(layer)
    bias = np.arange(6, dtype=np.float32)
    stored = {
        "weight_ih": ps["weight_i"],
        "weight_hh": ps["weight_h"],
        "bias_ih": bias,
        "bias_hh": 10 * bias,
    }
    made = lxc.convert_params(stored, layer, style="lux")
    np.testing.assert_array_equal(made.params["weight_i"], ps["weight_i"])
    np.testing.assert_array_equal(made.params["bias_i"], [4, 5])
    np.testing.assert_array_equal(made.params["bias_h"], [0, 11, 22, 33, 40, 50])
