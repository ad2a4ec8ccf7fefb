"""The model of the artifacts in this folder.

They were made by `lxc compile model.py:model -o VERSION.lxc --input 'x=f32[N,6,5]'
--dim N=1..4 --target x86-64-v2` (and `cuda-sm80`) of each version, and `xz -9e`.
"""

from typing import Any

import numpy as np

import lxc
from lxc import nn, ops

CELL = nn.Recurrence(nn.LSTMCell(5, 4))
DENSE = nn.Dense(4, 3, nn.relu)
CONSTANT = np.arange(400, dtype=np.float32).reshape(1, 400) / 400


class Small(nn.Layer):
    """A recurrent cell, a dense layer, a large constant, and state of all kinds."""

    def init_params(self, rng: Any) -> Any:
        """Return the parameters of the cell and of the dense layer."""
        return {"cell": CELL.init_params(rng), "dense": DENSE.init_params(rng)}

    def init_state(self, rng: Any) -> Any:
        """Return what stays, what counts calls and what sums them up."""
        fixed = {"calls": np.int64(3), "kept": np.array([0.5], np.float32)}
        return {"cell": CELL.init_state(rng), "total": np.zeros(3, np.float32), **fixed}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return two outputs and the next state."""
        h, cell = CELL(x, ps["cell"], st["cell"])
        y, _ = DENSE(h, ps["dense"], {})
        total = st["total"] + ops.sum(y, axis=0) * st["kept"][0]
        far = y[:, :1] + CONSTANT
        new = {"cell": cell, "calls": st["calls"] + 1, "total": total}
        return {"y": y, "far": far}, {**st, **new}


model = Small()
SPEC = lxc.TensorSpec((lxc.Dim("N", 1, 4), 6, 5))
