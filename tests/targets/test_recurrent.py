"""Loops in machine code: the same bits however they are cut, and steps without copies."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn, ops
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import walk
from lxc.ir.types import Array
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.runtime.load import load
from lxc.targets import TARGETS
from lxc.targets.compile import build_artifact, emit, target_program
from lxc.targets.target import Target
from tests.targets.backends import Compiled, compiled

CELLS = {
    "lstm": nn.LSTMCell(72, 60, train_memory=True),
    "gru": nn.GRUCell(72, 90, train_state=True),
    "rnn": nn.RNNCell(72, 70),
}


def tensor_graph(model: Any, x: Any, ps: Any, st: Any) -> Graph:
    """Return a model as operations."""
    passes = passes_named([*LAYER_PIPELINE, *TENSOR_PIPELINE])
    graph = run_passes(lxc.trace(model, x, ps, st), passes).program
    assert isinstance(graph, Graph)
    return graph


def parameters(model: Any) -> tuple[Any, Any]:
    """Return parameters without zeros, and the state."""
    ps, st = lxc.setup(3, model)
    source = np.random.default_rng(7)
    drawn = {key: source.normal(0, 0.3, leaf.shape) for key, leaf in ps.items()}
    return {key: leaf.astype(np.float32) for key, leaf in drawn.items()}, st


def sequence(batch: int, length: int) -> Array:
    """Return an input of the cells."""
    source = np.random.default_rng(batch + length)
    return source.normal(0, 1, (batch, length, 72)).astype(np.float32)


def with_cache(target: Target, size: int) -> Target:
    """Return the target as if it had a second cache of another size."""
    return replace(target, machine=replace(target.machine, second_cache=size))


def ran(target: Target, model: Any, x: Array, folder: Path) -> tuple[Array, int]:
    """Return the outputs of all steps, and how many products are inside of the loop."""
    ps, st = parameters(model)
    graph = tensor_graph(model, x, ps, st)
    _, program = target_program(graph, target)
    (loop,) = [node for node in program.run.nodes if node.op.name == "scan"]
    inside = [node for node in walk(loop.bodies[0].nodes) if node.op.kind == "reduction"]
    path = folder / f"{len(list(folder.iterdir()))}.lxc"
    path.write_bytes(build_artifact(graph, [target], name="recurrent"))
    return np.stack(load(path)(x, ps, st)[0], 1), len(inside)


@pytest.mark.parametrize("cell", CELLS.values(), ids=list(CELLS))
@pytest.mark.parametrize("target", compiled())
def test_a_product_in_front_of_the_loop_gives_the_bits_of_one_in_each_step(
    target: Compiled, cell: Any, tmp_path: Path
) -> None:
    model, x = nn.Recurrence(cell, return_sequence=True), sequence(24, 9)
    machine = TARGETS[target.name]
    in_front, fewer = ran(with_cache(machine, 1 << 30), model, x, tmp_path)
    in_steps, more = ran(with_cache(machine, 0), model, x, tmp_path)
    assert (fewer, more) == (1, 2)
    np.testing.assert_array_equal(in_front, in_steps)
    alone, _ = ran(machine, model, x[23:], tmp_path)
    np.testing.assert_array_equal(alone, in_steps[23:])


@pytest.mark.parametrize("cell", CELLS.values(), ids=list(CELLS))
@pytest.mark.parametrize("target", compiled())
def test_any_batch_and_any_length_of_one_artifact_give_the_same_bits(
    target: Compiled, cell: Any, tmp_path: Path
) -> None:
    model = nn.StatefulRecurrentCell(nn.Recurrence(cell, return_sequence=True))
    ps, st = parameters(model)
    x, batch = sequence(17, 12), lxc.Dim("N", 1, 40)
    spec = lxc.TensorSpec((batch, lxc.Dim("T", 1, 12), 72))
    graph = tensor_graph(model, spec, ps, st)
    path = tmp_path / "recurrent.lxc"
    path.write_bytes(build_artifact(graph, [TARGETS[target.name]], name="recurrent"))
    call = load(path)
    whole = np.stack(call(x, ps, st)[0], 1)
    for rows, ends in (
        (slice(0, 17), (1, 5, 12)),
        (slice(4, 5), (12,)),
        (slice(3, 9), (7, 12)),
    ):
        pieces, after, begin = [], st, 0
        for end in ends:
            y, after = call(x[rows, begin:end], ps, after)
            pieces += y
            begin = end
        np.testing.assert_array_equal(np.stack(pieces, 1), whole[rows])
    assert np.isfinite(whole).all()


STEPS = {"lstm": 3, "gru": 2, "rnn": 1}
"""Kernels of one step with the product of the input in front: gates, then cell by cell."""


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("listed", [True, False], ids=["sequence", "last"])
def test_a_step_is_few_kernels_and_copies_nothing(kind: str, listed: bool) -> None:
    """The RNN alone writes over what it reads as a whole, so its last output is copied."""
    model = nn.Recurrence(CELLS[kind], return_sequence=listed)
    graph = tensor_graph(model, sequence(2, 30), *parameters(model))
    target = TARGETS["x86-64-v3"]
    _, program = target_program(graph, target)
    (loop,) = [node for node in program.run.nodes if node.op.name == "scan"]
    assert len(loop.bodies[0].nodes) == STEPS[kind]
    text = emit(graph, target, "tir").decode()
    assert copies_in_loops(text) == (0 if listed or kind != "rnn" else 1)


def copies_in_loops(text: str) -> int:
    """Return how many copies of memory stand inside of loops."""
    lines = text.splitlines()
    return sum(
        "memmove" in line and inside_a_loop(lines, n) for n, line in enumerate(lines)
    )


def inside_a_loop(lines: list[str], number: int) -> bool:
    """Return whether a line of a function is indented more than the function's body."""
    depth = indent(lines[number])
    for line in reversed(lines[:number]):
        if line.strip() and indent(line) < depth:
            return line.lstrip().startswith("for ")
    return False


def indent(line: str) -> int:
    """Return how far a line is indented."""
    return len(line) - len(line.lstrip())


def test_a_loop_in_a_loop_writes_into_the_stack_of_both(tmp_path: Path) -> None:
    """The inner loop starts with the carry of the outer one."""

    def block(x: Any) -> Any:
        def walk_rows(carry: Any, rows: Any) -> tuple[Any, Any]:
            def step(h: Any, row: Any) -> tuple[Any, Any]:
                after = ops.tanh(ops.add(ops.multiply(h, np.float32(0.5)), row))
                return after, after

            return ops.scan(step, carry, rows)

        return ops.scan(walk_rows, x[0, 0], x)

    x = np.random.default_rng(1).normal(0, 1, (4, 3, 20)).astype(np.float32)
    model = nn.WrappedFunction(block)
    ps, st = lxc.setup(0, model)
    graph = tensor_graph(model, x, ps, st)
    path = tmp_path / "nested.lxc"
    path.write_bytes(build_artifact(graph, [TARGETS["x86-64-v2"]], name="nested"))
    last, rows = load(path)(x, ps, st)[0]
    (wide_last, wide_rows), _ = evaluate(graph, [x], [], list(st.values()), wide=True)
    np.testing.assert_allclose(last, wide_last, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rows, wide_rows, rtol=1e-5, atol=1e-6)
