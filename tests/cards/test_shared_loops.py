"""Loops whose units the blocks of a card share: with the bits of one launch per kernel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn, ops
from lxc.ir.graph import Graph
from lxc.ir.node import Node
from lxc.ir.types import Array
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from lxc.targets.cuda import launches
from lxc.targets.cuda.architectures import SM_80
from lxc.targets.cuda.device_code import device_source
from lxc.targets.cuda.entry import lower_for_card
from lxc.targets.cuda.grid_kernels import make_grid_kernel
from lxc.targets.cuda.images import Image, usages
from lxc.targets.cuda.templates.recurrence.forms import loop_form
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop, grid_loop_of
from lxc.targets.cuda.templates.recurrence.plan import recurrence_of
from lxc.targets.cuda.toolchain import find_device_compiler
from lxc.targets.llvm.addresses import Address
from tests.cards.emulated import driver
from tests.cards.emulator import programs
from tests.cards.emulator.block import Block
from tests.cards.emulator.faults import Fault
from tests.cards.emulator.programs import emulate, planned
from tests.cards.limits import check_fits
from tests.cards.toy import Emulated
from tests.emulation.machines import cards
from tests.targets.test_recurrent import parameters, tensor_graph
from tests.targets.test_rows import drawn, graph_of

MACHINE = TARGETS["cuda"].machine
Case = tuple[Graph, list[Array], list[list[Any]]]


def the_loop(graph: Graph) -> Node:
    """Return the loop of a graph as it is compiled for cards."""
    _, program = target_program(graph, TARGETS["cuda"])
    (loop,) = [node for node in program.run.nodes if node.op.name == "scan"]
    return loop


def of_cell(cell: Any, batch: Any, length: Any = 2) -> Graph:
    """Return a loop over a cell of 8 features."""
    model = nn.Recurrence(cell, return_sequence=True)
    spec = lxc.TensorSpec((batch, length, 8))
    return tensor_graph(model, spec, *parameters(model))


LONG = lxc.Dim("T", 1, 1 << 20)
"""So many steps that their input is multiplied within each of them."""


def cell_case(cell: Any, length: Any = 2) -> Case:
    """Return a loop over a cell, and five rows of two steps for it."""
    model = nn.Recurrence(cell, return_sequence=True)
    ps, st = parameters(model)
    graph = tensor_graph(model, lxc.TensorSpec((lxc.Dim("N", 1, 8), length, 8)), ps, st)
    return graph, [drawn(5, 2, 8)], [list(ps.values()), list(st.values())]


def loop_case(function: Callable[..., Any], *arrays: Array) -> Case:
    """Return a loop that is written out."""
    specs = [lxc.TensorSpec(one.shape, one.dtype) for one in arrays]
    return graph_of(function, *specs), list(arrays), []


def two(first: Any, second: Any, xs: Any, weight: Any) -> Any:
    """Return the ends of a loop, backwards, whose carries change places."""

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        one, other = carry
        return (other, ops.tanh(ops.matmul(one, weight) - x)), one * x

    (one, other), rows = ops.scan(step, (first, second), xs, reverse=True)
    return [one, other, rows]


def twice(carry: Any, xs: Any, first: Any, second: Any) -> Any:
    """Return every state of a loop in whose steps one product reads what another made."""

    def step(before: Any, x: Any) -> tuple[Any, Any]:
        inner = ops.tanh(ops.matmul(ops.maximum(before, -0.5), first))
        return ops.matmul(inner, second) + x, inner

    return list(ops.scan(step, carry, xs))


CASES: dict[str, Callable[[], Case]] = {
    "lstm": lambda: cell_case(nn.LSTMCell(8, 34, train_memory=True)),
    "gru": lambda: cell_case(nn.GRUCell(8, 45), LONG),
    "two": lambda: loop_case(
        two, drawn(2, 132), drawn(2, 132), drawn(3, 2, 132), drawn(132, 132) / 9
    ),
    "twice": lambda: loop_case(
        twice,
        *(drawn(1, 130), drawn(2, 1, 130)),
        *(drawn(130, 130) / 9, drawn(130, 130, seed=1) / 9),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_blocks_that_share_a_loop_make_the_bits_of_blocks_that_do_not(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, inputs, trees = CASES[name]()
    program, found = planned(graph, MACHINE), []
    for choose in (grid_loop_of, recurrence_of):
        monkeypatch.setattr(programs, "loop_form", choose)
        outputs, algorithms = emulate(program, MACHINE, inputs, *trees)
        assert ("scan by 2 blocks" in algorithms) == (choose is grid_loop_of)
        found.append(outputs)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.isfinite(one).all()


def unordered(block: Block, name: str, wait: Callable[[], None]) -> None:
    """Wait for other blocks as if that ordered nothing."""
    block.meet(name)
    wait()


def alone(block: Block, name: str, wait: Callable[[], None]) -> None:
    """Let only the first block wait for others."""
    block.meet(name)
    if block.number == 0:
        wait()
        block.grid_phase += 1


def again(block: Block, name: str, wait: Callable[[], None]) -> None:
    """Wait for other blocks twice, with one number."""
    wait()
    wait()


@pytest.mark.parametrize(
    ("meet", "kind"), [(unordered, "race"), (alone, "race"), (again, "divergence")]
)
def test_blocks_that_do_not_wait_as_they_should_are_found(
    meet: Callable[..., None], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Block, "meet_blocks", meet)
    monkeypatch.setattr(programs, "loop_form", grid_loop_of)
    graph, inputs, _ = CASES["two"]()
    with pytest.raises(Fault) as raised:
        emulate(planned(graph, MACHINE), MACHINE, inputs)
    assert raised.value.kind == kind


def test_what_blocks_exchange_begins_where_a_card_moves_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Blocks ask for the counter all the time, so nothing else is near it."""
    graph, places = of_cell(nn.RNNCell(8, 260), 1, length=1), []
    exchange = launches.Launches.exchange

    def noted(calls: launches.Launches, plan: GridLoop) -> list[Address]:
        places.extend(exchange(calls, plan))
        return places

    monkeypatch.setattr(launches.Launches, "exchange", noted)
    _, program = target_program(graph, TARGETS["cuda"])
    assert (program.run.arena_bytes or 0) % launches.LINE
    lower_for_card(program, "model", MACHINE)
    assert len(places) == 2
    assert [int(one.offset) % launches.LINE for one in places] == [0, 0]


@dataclass(frozen=True)
class Shifted(nn.Layer):
    """A layer that adds the end of a loop over its params."""

    def init_params(self, rng: Any) -> Any:
        shapes = {"start": (2, 260), "xs": (2, 2, 260), "weight": (260, 260)}
        return {name: drawn(*shape) / 16 for name, shape in shapes.items()}

    def __call__(self, x: Any, ps: Any, st: Any) -> Any:
        return x + plain(ps["start"], ps["xs"], ps["weight"]), st


def test_a_loop_over_params_is_computed_once() -> None:
    model, x = Shifted(), drawn(2, 260)
    ps = model.init_params(None)
    for leaf in ps.values():
        leaf.flags.writeable = False
    with cards():
        card = Emulated(driver())
        compiled = lxc.compile(model, lxc.TensorSpec(x.shape), ps, {}, target="cuda")
        before = card["meetings"]
        for _ in range(2):
            y, _ = compiled(x, ps, {})
        assert card["meetings"] - before == 1
    end = ps["start"].astype("f8")
    for row in ps["xs"]:
        end = end @ ps["weight"] + row
    np.testing.assert_allclose(y, x + end, rtol=0, atol=1e-5)


def test_cards_take_the_largest_loop() -> None:
    graph = of_cell(nn.LSTMCell(8, 1024), lxc.Dim("N", 1, 64))
    plan = grid_loop_of(the_loop(graph))
    assert isinstance(plan, GridLoop)
    assert (plan.blocks, plan.most_rows) == (128, 8)
    _, program = target_program(graph, TARGETS["cuda"])
    kernel = make_grid_kernel("loop", plan, program.run.dims)
    source = device_source({"loop": kernel.function}).whole
    content, said = find_device_compiler().compile(source, SM_80)
    check_fits(kernel, Image(SM_80, content, usages(said)))


def plain(carry: Any, xs: Any, weight: Any) -> Any:
    """Return the end of a loop."""
    return ops.scan(lambda c, x: (ops.matmul(c, weight) + x, None), carry, xs)[0]


def moved(carry: Any, xs: Any, weight: Any) -> Any:
    """Return the ends of a loop that moves numbers from unit to unit."""

    def step(before: Any, x: Any) -> tuple[Any, None]:
        one, other = before
        return (ops.matmul(one, weight) + x, other + one[:, 75:225]), None

    return list(ops.scan(step, (carry, carry[:, :150]), xs)[0])


REFUSED: dict[str, tuple[Callable[..., Any], int, int]] = {
    "up to 8 rows of the batch": (plain, 9, 300),
    "a unit takes 129 threads": (plain, 3, 33000),
    "a step moves numbers between its units": (moved, 3, 300),
}


@pytest.mark.parametrize("why", REFUSED)
def test_other_loops_are_launches_of_their_steps(why: str) -> None:
    function, rows, units = REFUSED[why]
    shapes = (rows, units), (5, rows, units), (units, units)
    plan = loop_form(the_loop(graph_of(function, *map(lxc.TensorSpec, shapes))))
    assert isinstance(plan, str)
    assert why in plan


def test_explain_says_when_blocks_share_a_loop() -> None:
    _, program = target_program(
        of_cell(nn.GRUCell(8, 512), lxc.Dim("N", 1, 64)), TARGETS["cuda"]
    )
    (found,) = TARGETS["cuda"].back_end.decisions(program)
    assert str(found).startswith("resident")
    assert "all steps in one kernel of 25 blocks" in str(found)
    assert "for up to 8 rows of the batch; elsewhere each kernel" in str(found)
