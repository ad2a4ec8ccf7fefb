"""Loops whose steps a card computes in one launch: with the bits of several."""

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import lxc
from lxc import nn, ops
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Node
from lxc.ir.types import Array
from lxc.runtime.artifact import read
from lxc.runtime.load import load
from lxc.targets import TARGETS
from lxc.targets.compile import build_artifact, target_program
from lxc.targets.cuda import launches
from lxc.targets.cuda.architectures import SM_80
from lxc.targets.cuda.device_code import device_source
from lxc.targets.cuda.images import usages
from lxc.targets.cuda.kernel import make_loop_kernel
from lxc.targets.cuda.templates.recurrence.forms import loop_form
from lxc.targets.cuda.templates.recurrence.memory import MOST_SHARED, Recurrence
from lxc.targets.cuda.templates.recurrence.plan import recurrence_of
from lxc.targets.cuda.toolchain import find_device_compiler
from lxc.tree import flatten
from tests.cards.emulator import programs
from tests.cards.emulator.block import Block
from tests.cards.emulator.faults import Fault
from tests.cards.emulator.programs import emulate, planned
from tests.emulation.machines import cards
from tests.targets.test_recurrent import parameters, tensor_graph
from tests.targets.test_rows import drawn, graph_of

MACHINE = TARGETS["cuda"].machine
CELLS = {
    "lstm": nn.LSTMCell(72, 16, train_memory=True),
    "gru": nn.GRUCell(72, 18, train_state=True),
    "rnn": nn.RNNCell(72, 19),
}
WAYS = {"one launch": loop_form, "launches": lambda _: "not asked for"}


def the_loop(graph: Graph) -> Node:
    """Return the loop of a graph as it is compiled for cards."""
    _, program = target_program(graph, TARGETS["cuda"])
    (loop,) = [node for node in program.run.nodes if node.op.name == "scan"]
    return loop


def both_ways(
    graph: Graph, inputs: Sequence[Array], monkeypatch: pytest.MonkeyPatch, *trees: Any
) -> list[tuple[Array, ...]]:
    """Return the outputs of a loop as one launch, and as one for each kernel of a step."""
    found, program = [], planned(graph, MACHINE)
    for way, choose in WAYS.items():
        monkeypatch.setattr(programs, "loop_form", choose)
        outputs, algorithms = emulate(program, MACHINE, inputs, *trees)
        is_one = any(name.startswith("scan by") for name in algorithms)
        assert is_one == (way == "one launch")
        found.append(outputs)
    return found


@pytest.mark.parametrize(
    ("kind", "most", "rows"), [("lstm", 400, 4), ("gru", 200, 2), ("rnn", 9, 1)]
)
def test_cells_have_the_bits_of_one_launch_per_step(
    kind: str, most: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.Recurrence(CELLS[kind], return_sequence=True)
    ps, st = parameters(model)
    graph = tensor_graph(model, lxc.TensorSpec((lxc.Dim("N", 1, most), 3, 72)), ps, st)
    plan = recurrence_of(the_loop(graph))
    assert isinstance(plan, Recurrence)
    assert plan.block_rows == rows
    x = drawn(5, 3, 72)
    trees = list(ps.values()), list(st.values())
    one, several = both_ways(graph, [x], monkeypatch, *trees)
    np.testing.assert_array_equal(one[0], several[0])
    assert np.isfinite(one[0]).all()


def narrow(carry: Any, xs: Any, down: Any, up: Any) -> Any:
    """Return every state of a loop with two products, of one and of several chains."""

    def step(before: Any, x: Any) -> tuple[Any, Any]:
        inner = ops.matmul(ops.maximum(before, -0.5), down)
        return ops.tanh(ops.matmul(inner, up) + x), inner

    return list(ops.scan(step, carry, xs))


def two(first: Any, second: Any, xs: Any, weight: Any) -> Any:
    """Return the ends of a loop, backwards, whose carries change places."""

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        one, other = carry
        return (other, ops.tanh(ops.matmul(one, weight) - x)), one * x

    (one, other), rows = ops.scan(step, (first, second), xs, reverse=True)
    return [one, other, rows]


def masked(carry: Any, xs: Any, mask: Any) -> Any:
    """Return what a loop made whose steps share a number for each element of the batch."""

    def step(before: Any, x: Any) -> tuple[Any, Any]:
        after = before * mask
        return after + x, after

    return list(ops.scan(step, carry, xs))


def sums(carry: Any, xs: Any) -> Any:
    """Return running sums in bfloat16."""

    def step(before: Any, x: Any) -> tuple[Any, Any]:
        after = before * 0.5 + x
        return after, after

    return list(ops.scan(step, carry, xs))


LOOPS: dict[str, tuple[Callable[..., Any], tuple[Array, ...]]] = {
    "narrow": (
        narrow,
        (drawn(2, 260), drawn(2, 2, 260), drawn(260, 9) / 9, drawn(9, 260, seed=1) / 9),
    ),
    "two": (two, (drawn(3, 12), drawn(3, 12, seed=1), drawn(4, 3, 12), drawn(12, 12))),
    "masked": (masked, (drawn(3, 4, 5), drawn(2, 3, 4, 5), drawn(3, 4, 5, seed=1))),
    "sums": (
        sums,
        (drawn(6, 5).astype(ml_dtypes.bfloat16), drawn(3, 6, 5).astype(ml_dtypes.bfloat16)),
    ),
}


def traced(function: Callable[..., Any], arrays: Sequence[Array]) -> Graph:
    return graph_of(function, *[lxc.TensorSpec(one.shape, one.dtype) for one in arrays])


@pytest.mark.parametrize("name", LOOPS)
def test_loops_of_every_form_have_the_bits_of_one_launch_per_kernel(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, arrays = LOOPS[name]
    graph = traced(function, arrays)
    one, several = both_ways(graph, arrays, monkeypatch)
    exact, _ = evaluate(graph, arrays, wide=True)
    for found, expected, wide in zip(one, several, exact, strict=True):
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_allclose(found.astype("f8"), wide, rtol=0.02, atol=1e-3)


def test_a_loop_whose_threads_do_not_wait_races(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Block, "meet", lambda block, name: None)
    function, arrays = LOOPS["two"]
    with pytest.raises(Fault) as raised:
        emulate(planned(traced(function, arrays), MACHINE), MACHINE, arrays)
    assert raised.value.kind == "race"


def across(carry: Any, xs: Any) -> Any:
    """Return the end of a loop in which every sample reads all others."""
    return ops.scan(lambda c, x: (c + ops.sum(c * x, 0, keepdims=True), None), carry, xs)[0]


def first(carry: Any, xs: Any) -> Any:
    """Return the end of a loop in which every sample reads the first one."""
    return ops.scan(lambda c, x: (c * c[:1] + x, None), carry, xs)[0]


def wide(carry: Any, xs: Any, weight: Any) -> Any:
    """Return the end of a loop whose weights fill more than a block has."""
    return ops.scan(lambda c, x: (ops.matmul(c, weight) + x, None), carry, xs)[0]


REFUSED: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "rows of the batch meet": (first, [(3, 4), (5, 3, 4)]),
    "a step computes reduce": (across, [(3, 4), (5, 3, 4)]),
    f"of which it has {MOST_SHARED}": (wide, [(3, 300), (5, 3, 300), (300, 300)]),
}


@pytest.mark.parametrize("why", REFUSED)
def test_other_loops_are_launches_of_their_steps(why: str) -> None:
    function, shapes = REFUSED[why]
    plan = recurrence_of(the_loop(graph_of(function, *map(lxc.TensorSpec, shapes))))
    assert isinstance(plan, str)
    assert why in plan


def recurrence(units: int) -> tuple[Recurrence, Graph]:
    """Return how an LSTM with the product of its input in front is computed."""
    model = nn.Recurrence(nn.LSTMCell(72, units))
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 9), 4, 72))
    graph = tensor_graph(model, spec, *parameters(model))
    plan = recurrence_of(the_loop(graph))
    assert isinstance(plan, Recurrence)
    return plan, graph


@pytest.mark.parametrize(("units", "held"), [(64, 64), (96, 96), (128, 92)])
def test_weights_are_in_registers_as_far_as_these_go(units: int, held: int) -> None:
    plan, _ = recurrence(units)
    assert [*plan.held.values()] == [held]
    (product,) = plan.products.values()
    assert bool(plan.weights) == (held < product.depth)
    assert plan.shared_bytes <= MOST_SHARED


def test_the_largest_state_spills_nothing() -> None:
    plan, graph = recurrence(128)
    _, program = target_program(graph, TARGETS["cuda"])
    kernel = make_loop_kernel("loop", plan, program.run.dims, noalias=True)
    source = device_source({"loop": kernel.function}).whole
    _, said = find_device_compiler().compile(source, SM_80)
    usage = usages(said)["loop"]
    assert (usage.spilled_bytes, kernel.threads) == (0, 512)
    assert usage.registers <= 128


def test_a_large_batch_is_multiplied_with_the_input_in_front_of_the_loop() -> None:
    model = nn.Recurrence(nn.LSTMCell(128, 128))
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 256), 100, 128))
    loop = the_loop(tensor_graph(model, spec, *parameters(model)))
    plan = recurrence_of(loop)
    assert isinstance(plan, Recurrence)
    assert [one.depth for one in plan.products.values()] == [128]


def test_explain_says_how_loops_are_computed() -> None:
    _, graph = recurrence(32)
    _, program = target_program(graph, TARGETS["cuda"])
    (resident,) = TARGETS["cuda"].back_end.decisions(program)
    assert str(resident).startswith("resident")
    assert "all steps in one kernel: a block keeps" in str(resident)
    function, shapes = REFUSED["rows of the batch meet"]
    other = graph_of(function, *map(lxc.TensorSpec, shapes))
    _, program = target_program(other, TARGETS["cuda"])
    (stepwise,) = TARGETS["cuda"].back_end.decisions(program)
    assert str(stepwise).startswith("stepwise")
    assert "rows of the batch meet in a step; it would take: rows" in str(stepwise)


def test_numbers_that_are_not_finite_stay_in_their_row() -> None:
    function, arrays = LOOPS["two"]
    first, *rest = (one.copy() for one in arrays)
    first[1, 3], rest[0][2, 0] = np.nan, np.inf
    graph = traced(function, arrays)
    before, _ = emulate(planned(graph, MACHINE), MACHINE, arrays)
    after, _ = emulate(planned(graph, MACHINE), MACHINE, [first, *rest])
    np.testing.assert_array_equal(after[0][0], before[0][0])
    assert np.isnan(after[0][1]).all() or np.isnan(after[1][1]).all()


def leaves(*trees: Any) -> list[Array]:
    """Return the arrays of trees."""
    return [np.asarray(leaf) for leaf in flatten(trees)[0]]


def test_any_batch_and_any_length_are_one_launch_with_the_same_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = nn.LSTMCell(72, 30, train_memory=True)
    model = nn.StatefulRecurrentCell(nn.Recurrence(cell, return_sequence=True))
    ps, st = parameters(model)
    dims = lxc.Dim("N", 1, 400), lxc.Dim("T", 1, 12)
    graph = tensor_graph(model, lxc.TensorSpec((*dims, 72)), ps, st)
    x = drawn(17, 12, 72)
    with cards():
        calls = []
        for way, choose in WAYS.items():
            monkeypatch.setattr(launches, "loop_form", choose)
            packed = build_artifact(graph, [TARGETS["cuda"]], name="recurrent")
            (record,) = read(packed).manifest.targets
            algorithms = [one["algorithm"] for one in record.kernels]
            assert ("scan by 4 rows" in algorithms) == (way == "one launch")
            calls.append(load(packed))
        one, several = calls
        whole, after = one(x, ps, st)
        expected, state = several(x, ps, st)
        for found, wanted in zip(
            leaves(whole, after), leaves(expected, state), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)
        pieces, middle = [], st
        for begin, end in ((0, 1), (1, 5), (5, 12)):
            y, middle = one(x[4:6, begin:end], ps, middle)
            pieces += list(y)
        np.testing.assert_array_equal(np.stack(pieces), np.stack(whole)[:, 4:6])
