"""What the layers of other frameworks hold, turned into canonical leaves.

A reader takes the leaves that it understands out of those of a module; what it leaves has
no place in lxc's layer.
"""

from collections.abc import Callable, Sequence

import numpy as np

from lxc.parameters.layouts import PROJECTIONS, flipped
from lxc.runtime.checkpoint import Array

Found = dict[str, Array]
Read = Callable[[str, str, Found], Found]
"""A reader of (meaning, kind of lxc's layer, leaves of the module)."""

STATISTICS = {"running_mean": "running_mean", "running_var": "running_var"}
PAIR = ("weight", "bias")
CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
STARTS = ("hidden_state", "memory")
MATRICES = ("linear", "rnn", "lstm", "gru")
CELLS = ("rnn", "lstm", "gru")
FLAX_GATES = {"rnn": ("",), "lstm": tuple("ifgo"), "gru": tuple("rzn")}


def taken(found: Found, names: dict[str, str]) -> Found:
    """Return leaves under other names, from `names` of old to new, and take them out."""
    return {new: found.pop(old) for old, new in names.items() if old in found}


def from_torch(meaning: str, kind: str, found: Found) -> Found:
    """Return canonical leaves of a module of torch; its batch counter is dropped."""
    found.pop("num_batches_tracked", None)
    if meaning == "attention":
        return torch_attention(found)
    names = CELL if meaning in CELLS else (*PAIR, "weight_g", "weight_v")
    return taken(found, {**dict(zip(names, names, strict=True)), **STATISTICS})


def torch_attention(found: Found) -> Found:
    """Return the projections of `torch.nn.MultiheadAttention`, which stacks three."""
    made = taken(found, {f"{name}_proj_weight": name for name in "qkv"})
    made |= taken(found, {"out_proj.weight": "out", "out_proj.bias": "out_bias"})
    for stacked, ending in (("in_proj_weight", ""), ("in_proj_bias", "_bias")):
        if stacked in found:
            parts = np.split(found.pop(stacked), 3)
            made |= {f"{name}{ending}": p for name, p in zip("qkv", parts, strict=True)}
    return made


def from_flax(meaning: str, kind: str, found: Found) -> Found:
    """Return canonical leaves of a module of Flax, whose kernels have `out` last."""
    if meaning == "attention":
        return flax_attention(found)
    if meaning in FLAX_GATES:
        return flax_gates(found, FLAX_GATES[meaning])
    made = taken(found, {"kernel": "weight", "embedding": "weight", "scale": "weight"})
    made |= taken(found, {"bias": "bias", "mean": "running_mean", "var": "running_var"})
    if meaning == "linear":
        made["weight"] = made["weight"].T
    elif meaning == "conv":
        made["weight"] = np.moveaxis(made["weight"], (-1, -2), (0, 1))
    elif meaning == "conv_transpose":
        # Flax slides the kernel as it is over the input that was spread.
        made["weight"] = flipped(np.moveaxis(made["weight"], (-2, -1), (0, 1)))
    return made


def flax_gates(found: Found, gates: Sequence[str]) -> Found:
    """Return the leaves of a cell that has a matrix per gate; what lacks a bias has 0."""
    made = {}
    for source, ending in (("i", "ih"), ("h", "hh")):
        kernels = [found.pop(f"{source}{gate}.kernel").T for gate in gates]
        made[f"weight_{ending}"] = np.concatenate(kernels)
        none = np.zeros(len(kernels[0]), kernels[0].dtype)
        biases = [found.pop(f"{source}{gate}.bias", none) for gate in gates]
        made[f"bias_{ending}"] = np.concatenate(biases)
    return made


def flax_attention(found: Found) -> Found:
    """Return the projections of an attention of Flax, which have an axis of heads."""
    made = {}
    parts = ("query", "key", "value", "out")
    for name, part in zip(PROJECTIONS, parts, strict=True):
        kernel = found.pop(f"{part}.kernel")
        width = kernel.shape[-1] if part == "out" else kernel.shape[0]
        shape = (-1, width) if part == "out" else (width, -1)
        made[name] = kernel.reshape(shape).T
        if f"{part}.bias" in found:
            made[f"{name}_bias"] = found.pop(f"{part}.bias").reshape(-1)
    return made


def from_kaun(meaning: str, kind: str, found: Found) -> Found:
    """Return canonical leaves of a layer of Kaun, whose matrices are [in, out]."""
    if meaning == "attention":
        made = taken(found, {f"{name}_proj": name for name in PROJECTIONS})
        biases = taken(found, {f"{name}_bias": f"{name}_bias" for name in PROJECTIONS})
        return {name: leaf.T for name, leaf in made.items()} | biases
    names = ("weight", "gamma", "scale", "embedding")
    made = taken(found, {name: "weight" for name in names if name in found})
    made |= taken(found, {"bias": "bias", "beta": "bias", **STATISTICS})
    if meaning == "linear":
        made["weight"] = made["weight"].T
    return made


def from_lux(meaning: str, kind: str, found: Found) -> Found:
    """Return canonical leaves of a layer of Lux.jl, in arrays with the shapes of Julia."""
    reversed_axes = {name: found.pop(name).T for name in list(found)}
    made = from_lux_hdf5(meaning, kind, reversed_axes)
    found.update(reversed_axes)
    return made


def from_lux_hdf5(meaning: str, kind: str, found: Found) -> Found:
    """Return canonical leaves of a layer of Lux.jl, its dimensions in reverse order.

    Convolutions of Lux.jl reverse their kernels, except `CrossCor`.
    """
    made = taken(found, dict.fromkeys(("weight", "scale"), "weight"))
    made |= taken(found, {name: name for name in ("bias", *CELL, *STARTS)} | STATISTICS)
    made |= taken(found, {"weight_i": "weight_ih", "weight_h": "weight_hh"})
    for name in made:
        flat = name in (*STARTS, *STATISTICS) or name.startswith("bias")
        if flat and meaning != "scale":
            made[name] = made[name].reshape(-1)
        elif meaning in MATRICES:
            made[name] = made[name].T
    if meaning == "bilinear":
        made["weight"] = made["weight"].T
    if meaning in ("conv", "conv_transpose") and kind != "CrossCor":
        made["weight"] = flipped(made["weight"])
    if meaning == "gru" and "bias_i" in found:
        return made | older_gru_biases(found)
    if meaning in CELLS and "bias" in made:
        made["bias_ih"] = made.pop("bias")
    return made


def older_gru_biases(found: Found) -> Found:
    """Return a pair of biases: older GRUs have one for the input that is `n`'s alone."""
    own = found.pop("bias_i").reshape(-1)
    first = np.concatenate([np.zeros(2 * len(own), own.dtype), own])
    return {"bias_ih": first, "bias_hh": found.pop("bias_h").reshape(-1)}


READERS: dict[str, Read] = {
    "torch": from_torch,
    "flax": from_flax,
    "kaun": from_kaun,
    "lux": from_lux,
    "lux-hdf5": from_lux_hdf5,
}
STYLES: Sequence[str] = tuple(READERS)
