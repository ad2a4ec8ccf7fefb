"""JAX: the case as a function of arrays, compiled ahead of time."""

import jax
import numpy as np

from cpu_suite.case import Array
from cpu_suite.contenders.ready import NotWritten, Ready
from cpu_suite.jax_models import FAMILIES
from cpu_suite.prepared import Prepared


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the compiled function; XLA takes a thread for every processor it may use."""
    case = prepared.case
    if case.family not in FAMILIES:
        raise NotWritten
    weights = {name: jax.numpy.asarray(w) for name, w in prepared.weights().items()}
    function = FAMILIES[case.family](weights, **case.options)
    inputs = [jax.numpy.asarray(array) for array in prepared.inputs().values()]
    compiled = jax.jit(function).lower(*inputs).compile()

    def read() -> list[Array]:
        y = compiled(*inputs)
        return [np.asarray(part) for part in (y if isinstance(y, tuple) else (y,))]

    return Ready(lambda: jax.block_until_ready(compiled(*inputs)), read)
