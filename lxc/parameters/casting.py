"""Floats in another float type; nothing else is cast, and nothing becomes infinite."""

from collections.abc import Mapping

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array
from lxc.runtime.fitting import FLOATS
from lxc.runtime.signature import DTYPES

NAMES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}


def cast(arrays: Mapping[str, Array], name: str) -> dict[str, Array]:
    """Return arrays with their floats in the float type of a short name."""
    dtype = DTYPES[NAMES[name]]
    made, lost = {}, []
    for path, array in arrays.items():
        made[path] = array
        if array.dtype.name in FLOATS and array.dtype != dtype:
            with np.errstate(over="ignore"):
                made[path] = array.astype(dtype)
            if not np.array_equal(np.isfinite(made[path]), np.isfinite(array)):
                lost.append(path)
    if lost:
        raise LxcError(
            "LXC-E0409",
            f"some numbers are too large for {name}",
            actual=", ".join(lost),
            hint="bf16 has the range of f32" if name == "f16" else None,
        )
    return made
