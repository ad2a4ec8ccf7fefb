"""ONNX Runtime with all its graph optimisations, inputs and outputs bound once."""

from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared
from lxc.benchmarking.onnx_runtime import BoundSession, session_for


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the run on bound memory."""
    session, arrays = session_for(prepared.onnx, threads), prepared.inputs()
    inputs = {wanted.name: arrays[wanted.name] for wanted in session.get_inputs()}
    bound = BoundSession(session, inputs)
    return Ready(bound.run, lambda: [*bound.outputs().values()], kept=(arrays, bound))
