"""Kernels share their work among threads where the sizes of a call make it worth while."""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.ir.graph import Graph
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.runtime import CompiledModel
from lxc.targets.compile import emit
from lxc.targets.kernels.cost import cost_of
from lxc.targets.named import target_named

WIDTH = 256
MOST = 4096


class Parallel(ctypes.Structure):
    """`lxc_parallel` of the C header."""

    _fields_ = (("reserved", ctypes.c_void_p), ("tasks", ctypes.c_int32))


TASK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
LAUNCH = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, TASK, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32
)
THREADS = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)


class Pool(ctypes.Structure):
    """`lxc_pool` of the C header."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("launch", LAUNCH),
        ("threads", THREADS),
        ("context", ctypes.c_void_p),
    )


class RecordingPool:
    """A pool with one thread that claims to have more and notes what it is asked for."""

    def __init__(self, threads: int) -> None:
        self.launches: list[tuple[int, int]] = []
        size = ctypes.sizeof(Pool)
        self.struct = Pool(size, 1, LAUNCH(self.launch), THREADS(lambda _: threads), None)

    def launch(self, _: Any, task: Any, data: Any, tasks: int, threads: int) -> int:
        self.launches.append((tasks, threads))
        parallel = Parallel(None, tasks or 8 * threads)
        result = 0
        for index in reversed(range(parallel.tasks)):
            result |= task(index, ctypes.addressof(parallel), data)
        return int(result)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model whose work is one product of N rows, and nearly nothing else."""
    model = nn.Dense(WIDTH, WIDTH)
    ps, st = lxc.setup(0, model)
    x = lxc.TensorSpec((lxc.Dim("N", 1, MOST), WIDTH))
    path = tmp_path_factory.mktemp("parallel") / "rows.lxc"
    lxc.compile(model, x, ps, st).save(path, params=ps, state=st)
    return path


def rows(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(count).normal(size=(count, WIDTH)).astype(np.float32)


def recorded(model: CompiledModel, threads: int) -> RecordingPool:
    return use(model, RecordingPool(threads))


def use(model: CompiledModel, pool: RecordingPool) -> RecordingPool:
    model.engine.frames.pool = ctypes.addressof(pool.struct)
    model.engine.frames.free.clear()
    return pool


@pytest.mark.parametrize("count", [1, 8])
def test_a_call_with_little_work_asks_for_no_threads(saved: Path, count: int) -> None:
    model = lxc.load(saved)
    pool = recorded(model, 64)
    bound = model.bind(model.params, model.state)
    for threads in (None, 8):
        bound.way = threads or 0
        bound(rows(count), model.state)
    assert pool.launches == []


def test_threads_grow_with_the_work_of_a_call(saved: Path) -> None:
    model = lxc.load(saved)
    pool = recorded(model, 64)
    bound = model.bind(model.params, model.state)
    asked = []
    for count in (16, 64, 256, MOST):
        bound(rows(count), model.state)
        asked.append(pool.launches[-1] if pool.launches else (0, 0))
    assert len(pool.launches) == 3 + (asked[0] != (0, 0))
    assert asked == sorted(asked)
    assert 2 <= asked[1][1] < asked[2][1] < asked[3][1] == 64
    for tasks, threads in asked[1:]:
        assert threads <= tasks <= 8 * threads


TURNS = re.compile(r"in T.parallel\(T.int64\((\d+)\)\)")


@pytest.mark.parametrize("threads", [2, 3, 7, 64])
@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(40, 256, 200), (100, 512, 96)])
def test_every_task_has_something_to_do(
    tmp_path: Path, rows: int, inputs: int, outputs: int, threads: int
) -> None:
    model = nn.Dense(inputs, outputs)
    ps, st = lxc.setup(0, model)
    x = np.ones((rows, inputs), np.float32)
    lxc.compile(model, x, ps, st).save(tmp_path / "rows.lxc", params=ps, state=st)
    passes = passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))
    graph = run_passes(lxc.trace(model, x, ps, st), passes).program
    assert isinstance(graph, Graph)
    # The loop of the only kernel behind those that prepare the weights.
    turns = int(TURNS.findall(emit(graph, target_named("native"), "tir").decode())[-1])
    loaded = lxc.load(tmp_path / "rows.lxc")
    pool = recorded(loaded, threads)
    loaded.bind(loaded.params, loaded.state)(x, loaded.state)
    ((tasks, asked),) = pool.launches
    assert 2 <= asked <= tasks <= turns


class WatchingPool(RecordingPool):
    """A pool that notes how many rows of a result every task has written."""

    def __init__(self, threads: int, result: np.ndarray[Any, Any]) -> None:
        super().__init__(threads)
        self.rows: dict[int, int] = {}
        self.result = result

    def launch(self, _: Any, task: Any, data: Any, tasks: int, threads: int) -> int:
        def watched(index: int, parallel: Any, data: Any) -> int:
            before = np.count_nonzero(self.result.any(axis=1))
            failed = int(task(index, parallel, data))
            self.rows[index] = int(np.count_nonzero(self.result.any(axis=1)) - before)
            return failed

        return super().launch(_, watched, data, tasks, threads)


NORMALISED = 37 * 64
"""So many rows are an odd number of turns."""


@pytest.mark.parametrize("count", [NORMALISED, lxc.Dim("N", 1, MOST)])
def test_tasks_and_threads_do_as_much_as_others(tmp_path: Path, count: Any) -> None:
    model = nn.LayerNorm(WIDTH, dims=-1)
    ps, st = lxc.setup(0, model)
    path = tmp_path / "rows.lxc"
    lxc.compile(model, lxc.TensorSpec((count, WIDTH)), ps, st).save(path)
    loaded, x = lxc.load(path), rows(NORMALISED)
    found = []
    for threads in (2, 3, 5, 7):
        result = np.zeros_like(x)
        pool = WatchingPool(threads, result)
        use(loaded, pool)
        loaded.bind(ps, st).at(inputs=x, outputs=result)()
        ((tasks, asked),) = pool.launches
        assert asked == threads
        assert threads <= tasks <= 8 * threads
        done = np.array([pool.rows[index] for index in range(tasks)])
        assert done.sum() == NORMALISED
        shares = np.add.reduceat(done, np.arange(threads) * tasks // threads)
        found += [done, shares]
    turn = np.gcd.reduce(np.concatenate(found))
    for amounts in found:
        assert amounts.min() > 0
        assert amounts.max() - amounts.min() <= turn


def test_a_call_takes_no_more_threads_than_it_says(saved: Path) -> None:
    model = lxc.load(saved, threads=3)
    pool = recorded(model, 64)
    model(rows(MOST), model.params, model.state)
    assert pool.launches
    assert {threads for _, threads in pool.launches} == {3}


def test_results_do_not_depend_on_how_the_work_is_shared(saved: Path) -> None:
    model = lxc.load(saved)
    for count in (1, 7, 64, 300):
        x = rows(count)
        made = []
        for threads in (1, 2, 5, 64):
            pool = recorded(model, threads)
            made.append(model(x, model.params, model.state)[0].tobytes())
            assert not pool.launches or threads > 1
        assert len(set(made)) == 1


COUNT_THREADS = """
import os, sys
import numpy as np
import lxc.runtime

model = lxc.runtime.load(sys.argv[1])
bound = model.bind(model.params, model.state, threads=1)
bound.way = 4
counts = []
for rows in (1, 4, int(sys.argv[2])):
    x = np.ones((rows, model.signature.inputs.leaves[0].shape[1]), np.float32)
    for _ in range(20):
        bound(x, model.state)
    counts.append(len(os.listdir("/proc/self/task")))
print(*(count - counts[0] for count in counts))
"""


def said_by(program: str, *arguments: object) -> list[str]:
    """Return the words that a Python program prints in a process of its own."""
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, env=alone, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split()


def test_small_calls_start_no_threads_and_a_large_one_does(saved: Path) -> None:
    assert said_by(COUNT_THREADS, saved, MOST) == ["0", "0", "3"]


ONE_PROCESSOR = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np
import lxc.runtime

before = len(os.listdir("/proc/self/task"))
model = lxc.runtime.load(sys.argv[1])
shape = (int(sys.argv[2]), model.signature.inputs.leaves[0].shape[1])
model(np.ones(shape, np.float32), model.params, model.state)
print(len(os.listdir("/proc/self/task")) - before)
"""


def test_a_process_with_one_processor_starts_no_threads(saved: Path) -> None:
    assert said_by(ONE_PROCESSOR, saved, MOST) == ["0"]


FORK = """
import os, sys
import numpy as np
import lxc.runtime

model = lxc.runtime.load(sys.argv[1])
bound = model.bind(model.params, model.state, threads=4)
shape = (int(sys.argv[2]), model.signature.inputs.leaves[0].shape[1])
x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
expected = bound(x, model.state)[0].tobytes()
good = 0
for _ in range(3):
    child = os.fork()
    if child == 0:
        same = all(bound(x, model.state)[0].tobytes() == expected for _ in range(3))
        os._exit(0 if same and len(os.listdir("/proc/self/task")) == 4 else 1)
    good += os.waitpid(child, 0)[1] == 0
print(good, bound(x, model.state)[0].tobytes() == expected)
"""


def test_a_child_of_a_process_with_threads_has_its_own(saved: Path) -> None:
    assert said_by(FORK, saved, MOST) == ["3", "True"]


def test_a_kernel_that_never_has_enough_to_do_shares_nothing() -> None:
    model = nn.Dense(8, 8)
    ps, st = lxc.setup(0, model)
    graph = lxc.trace(model, lxc.TensorSpec((4, 8)), ps, st)
    costs = [cost_of(node) for node in graph.nodes]
    assert costs
    assert not any(cost.pays_threads for cost in costs)
