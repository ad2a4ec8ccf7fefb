"""Many threads, several models, and child processes."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.runtime import CompiledModel, load

Toy = Any
Array = np.ndarray[Any, Any]


def rows(count: int, seed: int) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)


@pytest.mark.parametrize("bound", [False, True])
def test_eight_threads_get_the_results_of_one(
    model: CompiledModel, toy: Toy, bound: bool
) -> None:
    params, state = toy.trees()
    fixed = model.bind(params, state)
    wrong: list[str] = []

    def work(number: int) -> None:
        inputs = [rows(1 + (number + i) % 64, number * 100 + i) for i in range(8)]
        expected = [toy.result(params, state, x).tobytes() for x in inputs]
        for turn in range(400):
            x, after = inputs[turn % 8], None
            if bound:
                y, after = fixed(x, state)
            else:
                y, after = model(x, params, state, threads=1 + turn % 3)
            if y.tobytes() != expected[turn % 8] or after["count"] != len(x):
                wrong.append(f"thread {number}, turn {turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_sixteen_threads_share_sixteen_arenas(model: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    bound, start = model.bind(params, state), threading.Barrier(16)
    wrong: list[int] = []

    def work(number: int) -> None:
        x, count = rows(64, number), np.array(0, np.int32)
        y = np.empty_like(x)
        expected = toy.result(params, state, x)
        placed = bound.at(inputs=x, outputs=y, state={**state, "count": count})
        start.wait()
        for _ in range(500):
            placed()
            made = model(x, params, state)[0]
            if (y != expected).any() or (made != expected).any():
                wrong.append(number)
            y[:] = 0
        if count != 500 * 64:
            wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 1 <= len(model.engine.frames.free) <= 16


def test_three_models_in_one_process_do_not_mix(make_toy: Callable[[str], Toy]) -> None:
    params, state = make_toy("one").trees()
    models = [make_toy(name).model() for name in ("one", "two", "three")]
    models.append(make_toy("one").model())
    x = rows(5, 0)
    expected = make_toy("one").result(params, state, x)
    for model in [*models, *models]:
        np.testing.assert_array_equal(model(x, params, state)[0], expected)
    addresses = {id(model.engine.library.run) for model in models}
    assert len(addresses) == len(models)
    pools = {model.engine.frames.pool for model in models}
    assert len(pools) == 1


def test_the_same_file_loaded_twice_is_two_libraries(toy_path: Path, toy: Toy) -> None:
    first, second = load(toy_path), load(toy_path)
    assert first.engine.library.pool() != second.engine.library.pool()


def mapped_files() -> str:
    return Path("/proc/self/maps").read_text()


def test_no_file_stays_behind_a_mapped_library(toy_path: Path) -> None:
    load(toy_path)
    paths = {line.split()[-1] for line in mapped_files().splitlines() if "toy-" in line}
    assert not [path for path in paths if Path(path).exists()]
    deleted = [line for line in mapped_files().splitlines() if "/toy-" in line]
    assert deleted
    assert all(line.endswith("(deleted)") for line in deleted)


CHILD = """
import os, sys
import numpy as np
from lxc.runtime import load

model = load(sys.argv[1])
x = np.ones((64, 4), np.float32)
expected = model(x, model.params, model.state, threads=4)[0].tobytes()
children = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        ok = all(
            model(x, model.params, model.state, threads=4)[0].tobytes() == expected
            for _ in range(50)
        )
        os._exit(0 if ok else 1)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
assert model(x, model.params, model.state, threads=4)[0].tobytes() == expected
sys.exit(0 if codes == [0] * 5 else 1)
"""


def test_a_child_process_computes_with_threads_of_its_own(
    model: CompiledModel, toy: Toy, tmp_path: Path
) -> None:
    params, state = toy.trees()
    path = tmp_path / "saved.lxc"
    model.save(path, params=params, state=state)
    command = [sys.executable, "-c", CHILD, str(path)]
    finished = subprocess.run(command, timeout=60, check=False, capture_output=True)
    assert finished.returncode == 0, finished.stderr.decode()


WITHOUT_COMPILER = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tvm", "tvm_ffi", "networkx", "rich", "click"}:
            raise ImportError(name + " is not installed")

sys.meta_path.insert(0, Refuse())
import numpy as np
from lxc.runtime import load

model = load(sys.argv[1])
y, _ = model(np.ones((2, 4), np.float32), model.params, model.state)
print(y.sum())
"""


def test_a_model_runs_where_the_compiler_is_not_installed(
    model: CompiledModel, toy: Toy, tmp_path: Path
) -> None:
    params, state = toy.trees()
    path = tmp_path / "saved.lxc"
    model.save(path, params=params, state=state)
    command = [sys.executable, "-c", WITHOUT_COMPILER, str(path)]
    finished = subprocess.run(command, timeout=60, check=True, capture_output=True)
    expected = toy.result(params, state, np.ones((2, 4), np.float32)).sum()
    assert float(finished.stdout) == expected


def test_importing_the_runtime_costs_little_beyond_its_libraries(tmp_path: Path) -> None:
    code = (
        "import time, numpy, ml_dtypes, safetensors\n"
        "start = time.process_time()\nimport lxc.runtime\n"
        "print(time.process_time() - start)"
    )
    times = []
    environment = {
        **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPYCACHEPREFIX": str(tmp_path),
    }
    for _ in range(4):
        finished = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, env=environment
        )
        times.append(float(finished.stdout))
    assert min(times) < 0.1, times
