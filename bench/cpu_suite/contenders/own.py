"""lxc through its pre-bound call: fixed arrays, parameters prepared."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lxc
from cpu_suite.case import Array
from cpu_suite.contenders.ready import Ready
from cpu_suite.lxc_models import model_of, state_of
from cpu_suite.prepared import Prepared
from lxc.runtime.bound import Placed
from lxc.tree import flatten


@dataclass(frozen=True)
class Made:
    """The placed call of a case, the outputs it leaves, and facts about the artifact."""

    call: Placed
    outputs: Callable[[], list[Array]]
    notes: dict[str, Any]


def placed(prepared: Prepared, threads: int, precision: str = "float32") -> Made:
    """Compile a case, bind it and fix its arrays; state is updated in place."""
    case = prepared.case
    model, ps, st = model_of(case, prepared.weights())
    arrays = prepared.inputs()
    given = tuple(arrays[one.name] for one in case.inputs if not one.state)
    x = given[0] if len(given) == 1 else given
    st, kept = state_of(case, st, arrays)
    with every_processor():
        compiled = lxc.compile(model, x, ps, st, target="native", precision=precision)
    bound = compiled.bind(ps, st, threads=threads)
    # The outputs lie where the first call put them.
    outputs, _ = bound(x, st)
    places, _ = flatten(outputs)
    call = bound.at(inputs=x, outputs=outputs, state=st if kept else None)
    notes = {
        "artifact_bytes": compiled.artifact.size,
        "kernels": [kernel["algorithm"] for kernel in compiled.target.kernels],
    }
    return Made(call, lambda: [*places, *kept], notes)


def build(prepared: Prepared, threads: int, precision: str = "float32") -> Ready:
    """Return the placed call from Python."""
    made = placed(prepared, threads, precision)
    return Ready(made.call, made.outputs, made.notes)


@contextmanager
def every_processor() -> Iterator[None]:
    """Let this process use all processors for a while, then its own again."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        for task in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(task), own)
