"""The digits network from layers to machine code: what a user may rely on, end to end."""

import os
import re
import shutil
import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

import lxc
from lxc.ir import evaluate
from lxc.ir.agreement import agreement, longest_sum
from lxc.runtime import CompiledModel
from lxc.tree import flatten
from tests.examples.conftest import Digits

ROOT = Path(__file__).parent.parent.parent


def check_logits(digits: Digits, logits: Any) -> None:
    """Hold every logit of the test split against the float64 meaning of the model."""
    graph = lxc.trace(digits.model, digits.spec, digits.ps, digits.st)
    leaves = flatten(digits.ps)[0], flatten(digits.st)[0]
    (exact,), _ = evaluate(graph, [digits.images], *leaves, wide=True)
    eager, _ = digits.model(digits.images, digits.ps, digits.st)
    close = agreement(logits, eager, exact, longest_sum(graph))
    assert close.holds, close
    assert (logits.argmax(1) == eager.argmax(1)).all()
    assert (logits.argmax(1) == digits.labels).mean() > 0.98


def test_logits_agree_with_the_float64_reference(
    digits: Digits, compiled: CompiledModel
) -> None:
    check_logits(digits, compiled(digits.images, digits.ps, digits.st)[0])


def test_a_batch_gives_the_bits_of_its_parts(
    digits: Digits, compiled: CompiledModel
) -> None:
    whole, _ = compiled(digits.images, digits.ps, digits.st)
    for low, high in ((0, 1), (1, 8), (8, 77), (77, 360)):
        part, _ = compiled(digits.images[low:high], digits.ps, digits.st)
        np.testing.assert_array_equal(part, whole[low:high])
    alone, _ = compiled(digits.images, digits.ps, digits.st, threads=1)
    np.testing.assert_array_equal(alone, whole)


def test_training_mode_threads_its_state(digits: Digits) -> None:
    st = eager_st = lxc.trainmode(digits.st)
    trained = lxc.compile(
        digits.model, digits.spec, digits.ps, st, target="native", name="digits"
    )
    for step in range(3):
        x = digits.images[step * 32 : step * 32 + 32]
        y, st = trained(x, digits.ps, st)
        eager_y, eager_st = digits.model(x, digits.ps, eager_st)
        np.testing.assert_allclose(y, eager_y, rtol=1e-4, atol=1e-4)
        (leaves, structure), (eager_leaves, eager_structure) = (
            flatten(st),
            flatten(eager_st),
        )
        assert structure == eager_structure
        for path, leaf, eager_leaf in zip(
            structure.paths(), leaves, eager_leaves, strict=True
        ):
            if path.endswith("rng"):
                np.testing.assert_array_equal(leaf, eager_leaf)
            np.testing.assert_allclose(leaf, eager_leaf, rtol=2e-5, atol=1e-6)


def test_the_library_needs_libc_and_libm_only(
    compiled: CompiledModel, tmp_path: Path
) -> None:
    path = tmp_path / "digits.lxc"
    compiled.save(path)
    with zipfile.ZipFile(path) as members:
        libraries = [name for name in members.namelist() if name.endswith(".so")]
        assert libraries
        for name in libraries:
            with members.open(name) as stored:
                dynamic = ELFFile(stored).get_section_by_name(".dynamic")
                assert isinstance(dynamic, DynamicSection)
                needed = {tag.needed for tag in dynamic.iter_tags("DT_NEEDED")}
            assert needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}


def hammer(digits: Digits, compiled: CompiledModel, calls: int) -> list[str]:
    """Call one model from eight threads; return what went wrong."""
    expected, _ = compiled(digits.images, digits.ps, digits.st)
    problems: list[str] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for call in range(calls):
            place = (number * 41 + call * 7) % (len(digits.images) - 3)
            count = 1 + call % 3
            y, _ = compiled(digits.images[place : place + count], digits.ps, digits.st)
            if not np.array_equal(y, expected[place : place + count]):
                problems.append(f"thread {number}, call {call}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


def test_eight_threads_call_one_model_ten_thousand_times_each(
    digits: Digits, compiled: CompiledModel
) -> None:
    assert hammer(digits, compiled, 10_000) == []


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def write_leaves(path: Path, arrays: list[Any]) -> None:
    """Write arrays as the C example reads them: their number of bytes, then the bytes."""
    with path.open("wb") as file:
        for array in arrays:
            contents = np.ascontiguousarray(array).tobytes()
            file.write(struct.pack("<i", len(contents)) + contents)


def test_a_c_program_prints_the_same_logits(
    digits: Digits, compiled: CompiledModel, tmp_path: Path
) -> None:
    compiled.save(tmp_path / "digits.lxc")
    folder = f"code/{compiled.target.name}"
    with zipfile.ZipFile(tmp_path / "digits.lxc") as members:
        for name in ("model.h", "model.so"):
            (tmp_path / name).write_bytes(members.read(f"{folder}/{name}"))
    leaves = [*flatten(digits.ps)[0], *flatten(digits.st)[0], digits.images[:1]]
    write_leaves(tmp_path / "leaves.bin", leaves)
    program = tmp_path / "classify"
    source = digits.folder / "classify.c"
    run(
        "cc",
        "-Wall",
        "-Werror",
        "-I",
        tmp_path,
        source,
        tmp_path / "model.so",
        "-o",
        program,
    )
    printed = run(program, tmp_path / "leaves.bin").stdout.split()
    expected, _ = compiled(digits.images[:1], digits.ps, digits.st)
    np.testing.assert_array_equal(np.array(printed, np.float32), expected[0])


COMPILE_TWICE = """
import hashlib, runpy, sys
import lxc
example = runpy.run_path(sys.argv[1], run_name="model")
ps, st = example["trained"]()
spec = lxc.TensorSpec((lxc.Dim("N", 1, 360), 1, 8, 8))
m = lxc.compile(example["model"], spec, ps, st, target=["x86-64-v2", "x86-64-v3"])
m.save("digits.lxc", params=ps, state=st)
print(hashlib.sha256(open("digits.lxc", "rb").read()).hexdigest())
"""


def test_bytes_do_not_depend_on_folder_or_hash_seed(digits: Digits, tmp_path: Path) -> None:
    digests = set()
    for seed, name in (("0", "one"), ("77", "another/deeper")):
        folder = tmp_path / name
        shutil.copytree(digits.folder, folder / "example")
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        script = (sys.executable, "-c", COMPILE_TWICE, str(folder / "example" / "model.py"))
        done = run(*script, cwd=folder, env=environment)
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_the_commands_of_the_readme_classify_the_test_split(
    digits: Digits, tmp_path: Path
) -> None:
    (commands,) = re.findall(
        r"```sh\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    run("bash", "-euo", "pipefail", "-c", commands, cwd=tmp_path, env=environment)
    check_logits(digits, np.load(tmp_path / "logits.npy"))
