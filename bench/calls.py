"""Measure what a call costs beside its work: a tiny network from Python and from C.

    python bench/calls.py [--rounds 50] [--threads 2] [--load-mb 45]

The network has ten leaves: one input, eight params, one output. Printed are nanoseconds per
call, the least of all rounds: the call on trees, the bound call, the placed call, the call
from C, and the time to load a large artifact; and the median launch of an empty parallel
region and load of a file that is not in memory. Needs a C compiler.
"""

import argparse
import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import lxc
from lxc import nn

TIMER = r"""
#include <stdint.h>
#include <time.h>

typedef struct lxc_parallel lxc_parallel;
typedef struct lxc_pool lxc_pool;
typedef int (*lxc_task)(int, lxc_parallel *, void *);
struct lxc_pool {
    uint32_t size, version;
    int (*launch)(const lxc_pool *, lxc_task, void *, int32_t, int32_t);
};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int nothing(int index, lxc_parallel *parallel, void *data) {
    (void)index, (void)parallel, (void)data;
    return 0;
}

int64_t time_calls(int32_t (*run)(const void *), const void *call, int32_t count) {
    int64_t start = now();
    for (int32_t i = 0; i < count; ++i)
        if (run(call) != 0) return -1;
    return now() - start;
}

int64_t time_launches(const lxc_pool *pool, int32_t threads, int32_t pause, int32_t count) {
    int64_t total = 0;
    for (int32_t i = 0; i < count; ++i) {
        for (int64_t stop = now() + pause; now() < stop;) continue;
        int64_t start = now();
        pool->launch(pool, nothing, 0, 8 * threads, threads);
        total += now() - start;
    }
    return total;
}
"""
LAYER = 8
BUSY, IDLE = 10_000, 300_000  # nanoseconds between two regions


def timer() -> ctypes.CDLL:
    """Return the library that calls and launches in a loop."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "timer.c"), Path(folder, "timer.so")
        source.write_text(TIMER)
        command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)]
        subprocess.run(command, check=True)
        loaded = ctypes.CDLL(str(library))
    for function in (loaded.time_calls, loaded.time_launches):
        function.restype = ctypes.c_int64
    loaded.time_calls.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    loaded.time_launches.argtypes = [ctypes.c_void_p, *[ctypes.c_int32] * 3]
    return loaded


def least(rounds: int, count: int, measure: Callable[[int], int]) -> float:
    """Return the least nanoseconds of one of `count` calls over all rounds."""
    measure(count)
    return min(measure(count) for _ in range(rounds)) / count


def repeated(call: Callable[[], object]) -> Callable[[int], int]:
    """Return the function that times a number of calls."""

    def measure(count: int) -> int:
        start = time.perf_counter_ns()
        for _ in range(count):
            call()
        return time.perf_counter_ns() - start

    return measure


def network() -> tuple[Any, Any, Any]:
    """Return a model with eight params, and values for it."""
    model = nn.Chain(*[nn.Dense(LAYER, LAYER, nn.relu) for _ in range(4)])
    ps, st = lxc.setup(0, model)
    return model, ps, lxc.testmode(st)


def time_calls(rounds: int, threads: int) -> dict[str, float]:
    """Return the nanoseconds of every kind of call."""
    model, ps, st = network()
    x, y = np.ones((1, LAYER), np.float32), np.empty((1, LAYER), np.float32)
    compiled = lxc.compile(model, x, ps, st, target="native")
    with tempfile.TemporaryDirectory() as folder:
        compiled.save(Path(folder, "calls.lxc"), params=ps, state=st)
        m = lxc.load(Path(folder, "calls.lxc"))
        stored, state = m.params, m.state
    writable = {
        name: {key: leaf.copy() for key, leaf in layer.items()}
        for name, layer in ps.items()
    }
    bound = m.bind(stored, state)
    placed = bound.at(inputs=x, outputs=y)
    placed()
    clock, library = timer(), m.engine.library
    run = ctypes.cast(library.run, ctypes.c_void_p).value
    pool, address = library.pool(), placed.frame.pointer
    calls = {
        "model(x, ps, st), stored ps": repeated(lambda: m(x, stored, state)),
        "model(x, ps, st), ps of setup": repeated(lambda: m(x, ps, st)),
        "model(x, ps, st), writable ps": repeated(lambda: m(x, writable, state)),
        "bound(x, st)": repeated(lambda: bound(x, state)),
        "bound(x, st, out=y)": repeated(lambda: bound(x, state, out=y)),
        "placed()": repeated(placed),
        "from C": lambda count: clock.time_calls(run, address, count),
    }
    times = {name: least(rounds, 20, call) for name, call in calls.items()}
    for label, pause in (("at once", BUSY), ("after a pause", IDLE)):
        each = [clock.time_launches(pool, threads, pause, 1) for _ in range(rounds)]
        times[f"region of {threads} threads, {label}"] = median(each)
    return times


def time_load(rounds: int, megabytes: int) -> dict[str, float]:
    """Return the nanoseconds of loading an artifact with params of this size."""
    side = int((megabytes * 2**20 / 4) ** 0.5)
    model = nn.Dense(side, side)
    ps, st = lxc.setup(0, model)
    compiled = lxc.compile(model, lxc.TensorSpec((1, side)), ps, st, target="native")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.lxc")
        compiled.save(path, params=ps, state=st)
        size = path.stat().st_size / 2**20
        load = least(rounds, 1, repeated(lambda: lxc.load(path)))
        read = least(rounds, 1, repeated(lambda: lxc.load(path).params))
        cold = median(cold_load(path) for _ in range(rounds))
    return {
        f"load of {size:.0f} MB": load,
        f"load of {size:.0f} MB, from disk": cold,
        "load, and read its params": read,
    }


def cold_load(path: Path) -> int:
    """Return the nanoseconds of loading a file that the system has to read again."""
    forget(path)
    start = time.perf_counter_ns()
    lxc.load(path)
    return time.perf_counter_ns() - start


def forget(path: Path) -> None:
    """Ask the system to drop what it keeps of a file in memory, after it is on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def main() -> None:
    """Measure and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--load-mb", type=int, default=45)
    options = parser.parse_args()
    times = time_calls(options.rounds, options.threads)
    times |= time_load(min(options.rounds, 10), options.load_mb)
    for name, nanoseconds in times.items():
        print(f"{name:36} {nanoseconds:14,.0f} ns")


if __name__ == "__main__":
    main()
