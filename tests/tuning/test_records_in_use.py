"""Records decide what is compiled, and nothing else does: no clock, no order of finding."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.__main__ import run
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.evaluate import evaluate
from lxc.passes import Choices, Decision
from lxc.passes.decision_list import decisions_from_json
from lxc.passes.records import NO_RECORDS, Records
from lxc.passes.records_text import digest_of
from lxc.record_file import write_records
from lxc.runtime.model import CompiledModel
from lxc.targets.compile import lowered_program, target_program
from lxc.targets.report import kernel_records, tuning_decisions
from lxc.tree import flatten
from lxc.tuning.questions import algorithm_questions, tile_questions
from tests.tuning.models import (
    LEVEL,
    PRODUCTS,
    SQUARE,
    STRIDED,
    TARGETS,
    drawn,
    flat,
    forced,
    record_of,
)

ROOT = Path(__file__).parents[2]
(TARGET,) = TARGETS
ROWS = lxc.Dim("N", 1, 40)


def compiled(model: Any, x: Any, records: Records) -> CompiledModel:
    """Return a model compiled with records."""
    return lxc.compile(model, x, *lxc.setup(0, model), target=LEVEL, records=records)


def decisions(model: CompiledModel, about: str) -> list[Decision]:
    """Return what the artifact says was decided about something."""
    stored = json.loads(model.artifact.read("explain.json"))[LEVEL]
    return [one for one in decisions_from_json(stored) if one.about == about]


@pytest.mark.parametrize(
    ("model", "x", "y"),
    [
        (PRODUCTS, lxc.TensorSpec((ROWS, 24)), drawn(37, 24)),
        (STRIDED, lxc.TensorSpec((2, 16, 11, 9)), drawn(2, 16, 11, 9)),
    ],
    ids=["products", "convolution"],
)
def test_tiles_of_any_shape_give_the_same_bits(model: Any, x: Any, y: Any) -> None:
    questions = tile_questions(flat(model, *x.shape), TARGET, Choices())
    trees = lxc.setup(0, model)
    expected, shapes = b"", set()
    for place in (0, 2, 99):
        records = NO_RECORDS
        for one in questions:
            records = forced(records, one.answer, place)
        tuned = compiled(model, x, records)
        assert tuned.artifact.manifest.options["records"] == digest_of(records)
        kernels = [one for one in tuned.target.kernels if one["tuned"]]
        assert len(kernels) == len(questions) == len(decisions(tuned, "tiles"))
        shapes.add(tuple(one["tiles"] for one in kernels))
        for threads in (1, 2):
            found = tuned(y, *trees, threads=threads)[0].tobytes()
            expected = expected or found
            assert found == expected
    assert len(shapes) == 3


def test_explanations_tell_what_records_say_of_kernels() -> None:
    graph = flat(PRODUCTS, 5, 24)
    first, second = (one.answer for one in tile_questions(graph, TARGET, Choices()))
    records = forced(NO_RECORDS, first, 1)
    records = records.with_record(second, record_of(second, "99x99"))
    choices = Choices(records=records)
    _, program = target_program(graph, TARGET, choices)
    calls = lowered_program(program, TARGET, "model", choices).calls
    followed, ignored = sorted(map(str, tuning_decisions(calls)), reverse=True)
    assert followed.startswith("tuned ")
    assert f"tuned: measured 1.0 us for {first.options[1]}, 2.0 us for" in followed
    assert ignored.startswith("modelled ")
    assert "asks for 99x99, which is no way any more; it would take: lxc" in ignored
    said = kernel_records(calls, lambda _: {})
    found = {one["tiles"]: one["tuned"] for one in said if one["tiles"]}
    assert found == {first.options[1]: True, second.options[0]: False}


@pytest.mark.parametrize("name", ["direct", "winograd 2x2"])
def test_a_record_chooses_the_algorithm_of_a_convolution(name: str) -> None:
    x = drawn(1, 8, 9, 10)
    graph = flat(SQUARE, *x.shape)
    (question,) = algorithm_questions(graph, TARGET, Choices())
    answer = question.answer
    assert {*answer.options} == {"direct", "winograd 2x2", "winograd 4x4"}
    model = compiled(SQUARE, x, NO_RECORDS.with_record(answer, record_of(answer, name)))
    (found,) = [one["algorithm"] for one in model.target.kernels if "conv" in one["ops"]]
    assert found == (name if name != "direct" else "blocked_conv by tiles")
    (decision,) = decisions(model, "algorithm")
    assert decision.rule == name
    assert f"tuned: measured 1.0 us for {name}" in decision.reason
    ps, st = lxc.setup(0, SQUARE)
    y, _ = model(x, ps, st)
    leaves = flatten(ps)[0], flatten(st)[0]
    (narrow,), _ = evaluate(graph, [x], *leaves)
    (wide,), _ = evaluate(graph, [x], *leaves, wide=True)
    close = agreement(np.asarray(y), narrow, wide, longest_sum(graph))
    assert close.holds, close


def test_exact_compilation_does_not_ask_for_algorithms() -> None:
    graph = flat(SQUARE, 1, 8, 9, 10)
    assert algorithm_questions(graph, TARGET, Choices(exact=True)) == []


def test_equal_records_make_equal_bytes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = flat(nn.Dense(24, 70), 5, 24)
    records = NO_RECORDS
    for question in tile_questions(graph, TARGET, Choices()):
        records = forced(records, question.answer, 2)
    path, source = tmp_path / "records.json", tmp_path / "net.lxir"
    write_records(path, records)
    source.write_text(str(graph))
    options = ["compile", str(source), "--target", LEVEL, "--records", str(path)]
    options += ["--name", "net", "--json", "-o"]
    assert run([*options, str(tmp_path / "here.lxc")]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["records SHA-256"] == digest_of(records)
    subprocess.run(
        [sys.executable, "-m", "lxc", *options, str(tmp_path / "there.lxc")],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "1", "PATH": "/usr/bin:/bin"},
        check=True,
    )
    here, there = ((tmp_path / f"{name}.lxc").read_bytes() for name in ("here", "there"))
    assert here == there
