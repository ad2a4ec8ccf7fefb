"""Weights of torch as the trees of lxc: the same paths, the names of lxc's layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cpu_suite.case import Array


def trees(weights: Mapping[str, Array]) -> tuple[Any, Any]:
    """Return parameters and state of a module with these weights; lists stay lists."""
    tree: dict[str, Any] = {}
    for path, array in weights.items():
        *folders, name = path.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        if name != "num_batches_tracked":
            place[name] = array
    return split(tree)


def split(tree: dict[str, Any]) -> tuple[Any, Any]:
    """Return the parameters and the state of a tree of weights."""
    if "running_mean" in tree:
        kept = {name: tree[name] for name in ("running_mean", "running_var")}
        return scaling(tree), {**kept, "training": False}
    if "weight_ih_l0" in tree:
        return recurrent(tree), {}
    weight = tree.get("weight")
    if isinstance(weight, np.ndarray):
        is_norm = weight.ndim == 1 and "bias" in tree
        return (scaling(tree) if is_norm else dict(tree)), {}
    pairs = {name: split(child) for name, child in tree.items()}
    ps = {name: pair[0] for name, pair in pairs.items()}
    st = {name: pair[1] for name, pair in pairs.items()}
    is_list = bool(pairs) and all(name.isdecimal() for name in pairs)
    return (list(ps.values()), list(st.values())) if is_list else (ps, st)


def scaling(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a norm."""
    return {"scale": tree["weight"], "bias": tree["bias"]}


def recurrent(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a cell: torch has two biases for every gate."""
    weights = {"weight_i": tree["weight_ih_l0"], "weight_h": tree["weight_hh_l0"]}
    of_input, of_state = tree["bias_ih_l0"], tree["bias_hh_l0"]
    hidden = weights["weight_h"].shape[1]
    if len(of_input) == 4 * hidden:
        return {**weights, "bias": of_input + of_state}
    both = of_input[: 2 * hidden] + of_state[: 2 * hidden]
    bias = np.concatenate([both, of_state[2 * hidden :]])
    return {**weights, "bias_i": of_input[2 * hidden :], "bias_h": bias}
