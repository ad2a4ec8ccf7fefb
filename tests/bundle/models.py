"""A model with every element type, constants, and a state that is as long as a batch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import lxc
from lxc import nn, ops
from lxc.bundling import bundle_of
from lxc.ir.graph import Graph
from lxc.runtime.checkpoint import Array, flatten_names
from lxc.targets import target_named

FLOATS = ("f16", "bf16", "f32", "f64")
INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")
ROWS = nn.Embedding(11, 5)
DENSE = nn.Dense(5, 3)
CONSTANT = np.arange(4000, dtype=np.float32).reshape(1, 4000) / 4000
BATCH = lxc.Dim("N", 1, 4)


class Kinds(nn.Layer):
    """Outputs of every element type, rows of a table, sums that are carried on."""

    def init_params(self, rng: Any) -> Any:
        """Return a table whose rows are read as they are, and a weight that is packed."""
        return {"rows": ROWS.init_params(rng), "dense": DENSE.init_params(rng)}

    def init_state(self, rng: Any) -> Any:
        """Return what is carried on for each row, what counts calls, and what stays."""
        fixed = {"calls": np.int64(3), "kept": np.array([0.5], np.float32)}
        return {"total": np.zeros(1, np.float32), **fixed}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return everything at once."""
        y = {kind: -x[kind] for kind in FLOATS} | {
            kind: x[kind] + x[kind] for kind in INTEGERS
        }
        row, _ = ROWS(x["row"], ps["rows"], {})
        dense, _ = DENSE(row, ps["dense"], {})
        y |= {"flag": ops.logical_not(x["flag"]), "dense": dense, "row": row}
        y["far"] = ops.log(x["f32"])
        y["near"] = x["f32"][:, :1] * CONSTANT
        total = st["total"] + ops.sum(x["f32"], axis=1) * st["kept"][0]
        return y, {**st, "total": total, "calls": st["calls"] + 1}


def kinds_graph() -> tuple[Graph, Mapping[str, Array], Mapping[str, Array]]:
    """Return the model's graph, its params, and that state that no batch decides."""
    model = Kinds()
    ps, st = lxc.setup(0, model)
    st["total"] = lxc.TensorSpec((BATCH,), "f32")
    x: dict[str, Any] = {kind: lxc.TensorSpec((BATCH, 300), kind) for kind in FLOATS}
    x |= {kind: lxc.TensorSpec((BATCH, 3), kind) for kind in INTEGERS}
    x |= {"flag": lxc.TensorSpec((BATCH,), "bool"), "row": lxc.TensorSpec((BATCH,), "i32")}
    graph = lxc.trace(model, x, ps, st, name="kinds")
    fixed = {name: st[name] for name in ("calls", "kept")}
    return graph, flatten_names(ps), flatten_names(fixed)


def kinds_bundle(target: str = "x86-64-v2") -> dict[str, bytes]:
    """Return a bundle of the model."""
    graph, params, state = kinds_graph()
    return bundle_of(
        graph,
        target_named(target),
        name="kinds",
        brought="embed",
        params=params,
        state=state,
    )
