"""lxc as a C program calls it: the entry function of the artifact's library."""

import ctypes

from cpu_suite.contenders.c_loop import checked, loops
from cpu_suite.contenders.own import placed
from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the loop around `model_run` on one struct."""
    library = loops(prepared.folder)
    made = placed(prepared, threads)
    made.call()  # The first call writes the addresses of the parameters into the struct.
    run = ctypes.cast(made.call.bound.engine.library.run, ctypes.c_void_p)

    def timed(count: int) -> float:
        return checked(library.time_model(run, made.call.frame.pointer, count))

    return Ready(lambda: timed(1), made.outputs, timed=timed)
