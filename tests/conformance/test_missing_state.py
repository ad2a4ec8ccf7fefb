"""State that is None at first, in layers and cells of one's own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn, ops
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32
from tests.conformance.rows import row


def agrees(
    column: Column, model: Any, inputs: Any, ps: Any, st: Any, spec: Any = None
) -> None:
    """Assert that a model called several times gives what it gives in Python."""
    call = column.built(model, inputs[0] if spec is None else spec, ps, st)
    after = want = st
    for x in inputs:
        y, after = call(x, ps, after)
        expected, want = model(x, ps, want)
        close_sums(np.stack(y) if isinstance(y, list) else y, np.asarray(expected))
    leaves, structure = lxc.tree.flatten(after)
    others, other = lxc.tree.flatten(want)
    assert structure == other
    for one, two in zip(leaves, others, strict=True):
        close_sums(one, two)


@dataclass(frozen=True)
class Delay(nn.Layer):
    """Add what came in some calls ago."""

    calls: int

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return a history that is empty."""
        return {"history": [None] * self.calls}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x plus the oldest entry."""
        *rest, oldest = st["history"]
        return x + nn.value_or(oldest, ops.zeros_like(x)), {"history": [x, *rest]}


@pytest.mark.parametrize("calls", [2, 10])
@row("T29")
def test_a_history_fills_up_one_call_after_the_other(column: Column, calls: int) -> None:
    inputs = [draw(2, 3, seed=n) for n in range(calls + 2)]
    agrees(column, Delay(calls), inputs, *lxc.setup(0, Delay(calls)))


@dataclass(frozen=True)
class InMode(nn.Layer):
    """Count calls in one mode; fail in the other one if it is told to."""

    mode: bool
    fails: bool = False

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return nothing yet."""
        return {"training": True, "sum": None}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the sum of what came in in this mode."""
        if st["training"] != self.mode:
            if self.fails:
                raise NotImplementedError
            return x, st
        total = nn.value_or(st["sum"], ops.zeros_like(x)) + x
        return total, {**st, "sum": total}


@pytest.mark.parametrize("mode", [True, False])
@row("T29")
def test_a_state_goes_from_mode_to_mode(column: Column, mode: bool) -> None:
    model, x = InMode(mode), f32([1, 2])
    _, st = lxc.setup(0, model)
    train, test = lxc.trainmode(st), lxc.testmode(st)
    calls = [column.built(model, x, {}, train), column.built(model, x, {}, test)]
    for _ in range(2):
        _, st = calls[0](x, {}, lxc.trainmode(st))
        _, st = calls[1](x, {}, lxc.testmode(st))
    close(st["sum"], 2 * x)


@row("T29")
def test_a_model_that_fails_in_the_other_mode_is_compiled(column: Column) -> None:
    _, st = lxc.setup(0, InMode(False, fails=True))
    agrees(column, InMode(False, fails=True), [f32([1])] * 2, {}, lxc.testmode(st))
    _, after = column(InMode(True, fails=True), f32([1]), {}, st)
    close(after["sum"], [1])


@row("VHD-03")
def test_layers_in_two_modes_take_masks(column: Column) -> None:
    drop = nn.VariationalHiddenDropout(0.5)
    model, x = nn.Chain(drop, drop), draw(2, 3)
    ps, st = lxc.setup(0, model)
    _, warm = model(x, ps, st)
    mixed, later = ({**s, "layer_2": lxc.testmode(s["layer_2"])} for s in (st, warm))
    y, _ = column.built(model, x, ps, mixed)(x, ps, later)
    close(y, model(x, ps, later)[0])


class OnlyInTraining:
    """A Kaun layer that keeps its last input in training."""

    def init(self, *_: Any, **__: Any) -> Any:
        """Return variables without one."""
        return kaun.make_vars({"w": np.ones(3, np.float32)}, {"last": None}, "float32")

    def apply(
        self,
        params: Any,
        state: Any,
        dtype: Any,
        training: bool,
        rngs: Any,
        ctx: Any,
        x: Any,
    ) -> tuple[Any, Any]:
        """Return x and, in training, the input before."""
        if not training:
            return x * params["w"], state
        return x + nn.value_or(state["last"], x), {"last": x}


@row("T29")
def test_a_kaun_state_goes_from_mode_to_mode(column: Column) -> None:
    layer, x = OnlyInTraining(), f32([1, 2, 3])
    fresh = layer.init()
    train = column.built_kaun(layer, x, fresh, training=True)
    test = column.built_kaun(layer, x, fresh)
    assert test(x, fresh, None, None)[1].state["last"] is None
    _, after = train(x, fresh, None, None)
    y, after = test(x, after, None, None)
    close(y, x)
    close(after.state["last"], x)
    close(train(2 * x, after, None, None)[0], 3 * x)


@dataclass(frozen=True)
class Nest(nn.Layer):
    """A cell that has a cell with a carry of its own, a mask and a count in its state."""

    def init_params(self, rng: Any) -> Any:
        """Return the parameters of the inner cell."""
        return nn.GRUCell(3, 3).init_params(rng)

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return the states of all three."""
        return {
            "cell": nn.StatefulRecurrentCell(nn.GRUCell(3, 3)).init_state(rng),
            "drop": nn.VariationalHiddenDropout(0.5).init_state(rng),
            "count": np.zeros((), np.int32),
        }

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the sum of all outputs of the inner cell so far."""
        before: Any = 0
        if isinstance(x, tuple):
            x, (before,) = x
        y, cell = nn.StatefulRecurrentCell(nn.GRUCell(3, 3))(x, ps, st["cell"])
        y, drop = nn.VariationalHiddenDropout(0.5)(y, {}, st["drop"])
        y = y + before
        return (y, (y,)), {"cell": cell, "drop": drop, "count": st["count"] + 1}


@row("SRC-03")
@row("RCR-05")
def test_a_cell_of_ones_own_runs_any_length_from_one(column: Column) -> None:
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 4), lxc.Dim("T", 1, 9), 3))
    inputs = [draw(2, length, 3, seed=length) for length in (4, 1, 9)]
    listed = nn.StatefulRecurrentCell(nn.Recurrence(Nest(), return_sequence=True))
    for model in (listed, nn.Recurrence(Nest())):
        agrees(column, model, inputs, *lxc.setup(0, model), spec)


@dataclass(frozen=True)
class Late(nn.Layer):
    """A cell whose state appears with the first carry, one call after it."""

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return nothing yet."""
        return {"last": None}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the sum of input, carry and what was kept."""
        if not isinstance(x, tuple):
            return (x, (x,)), st
        x, (before,) = x
        return (x + before, (x,)), {"last": nn.value_or(st["last"], x) + 1}


@row("SRC-01")
def test_a_state_may_appear_after_the_carry(column: Column) -> None:
    model = nn.StatefulRecurrentCell(Late())
    agrees(column, model, [draw(2, 3, seed=n) for n in range(4)], *lxc.setup(0, model))


class Plain(nn.RecurrentCell):
    """A cell without parameters, whose output is not its carry and whose state counts."""

    def __init__(self) -> None:
        """Take three features."""
        for name in ("inputs", "outputs"):
            object.__setattr__(self, name, 3)

    @property
    def first_values(self) -> tuple[Any, ...]:
        """Begin with ones."""
        return (nn.ones32,)

    def init_params(self, rng: Any) -> dict[str, Any]:
        """Return none."""
        return {}

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return a count besides the key."""
        return {**super().init_state(rng), "count": np.zeros((), np.float32)}

    def initial_carry(self, ps: Any, st: Any, x: Any) -> tuple[Any, Any]:
        """Keep the count."""
        carry, moved = super().initial_carry(ps, st, x)
        return carry, {**st, **moved}

    def step(self, x: Any, carry: Any, ps: Any) -> Any:
        """Return the sum."""
        return (x + carry[0],)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return twice the sum, and count."""
        (y, carry), st = super().__call__(x, ps, st)
        return (2 * y, carry), {**st, "count": st["count"] + 1}


@row("RCR-04")
def test_a_cell_with_a_call_of_its_own_is_called_for_each_step(column: Column) -> None:
    x = draw(2, 4, 3)
    ps, st = lxc.setup(0, Plain())
    y, after = column(nn.Recurrence(Plain()), x, ps, st)
    close_sums(y, 2 * (1 + x.sum(1)))
    close(after["count"], 4)


@dataclass(frozen=True)
class Branches(nn.Layer):
    """A cell whose inputs and outputs are trees."""

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return sums."""
        before: Any = 0
        if isinstance(x, tuple):
            x, (before,) = x
        total = x["a"] + x["b"][0] + before
        return ({"sum": total, "twice": [2 * total]}, (total,)), st


@row("RCR-01")
def test_the_last_output_may_be_a_tree(column: Column) -> None:
    x: Any = [{"a": draw(2, 3, seed=n), "b": (draw(3, seed=n),)} for n in range(3)]
    y, _ = column(nn.Recurrence(Branches()), x, {}, {})
    total = np.sum([step["a"] + step["b"][0] for step in x], 0)
    close_sums(y["sum"], total)
    close_sums(y["twice"][0], 2 * total)
    with pytest.raises(LxcError, match="cell returns a tree"):
        column(nn.Recurrence(Branches(), return_sequence=True), x, {}, {})


@row("LST-06b")
@row("RNN-05f")
def test_trained_starts_meet_inputs_of_another_type(column: Column) -> None:
    half = nn.Recurrence(nn.LSTMCell(3, 2, train_state=True, train_memory=True))
    ps, st = lxc.setup(0, half)
    ps = {name: array.astype(np.float16) for name, array in ps.items()}
    y, _ = column(half, draw(2, 4, 3), ps, st)
    wide = {name: array.astype(np.float32) for name, array in ps.items()}
    assert y.dtype == np.float32
    close(y, half(draw(2, 4, 3), wide, st)[0], rtol=1e-3, atol=1e-3)
