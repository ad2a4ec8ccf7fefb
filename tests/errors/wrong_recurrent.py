"""Recurrent models and shared parameters that users get wrong: functions that fail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import lxc
from lxc import nn
from lxc.ir import Dim, TensorSpec
from tests.errors.wrong_models import traced

WRONG_RECURRENT: dict[str, Callable[[], object]] = {}


def wrong(model: Callable[[], object]) -> Callable[[], object]:
    """Enter a model into the list under its name."""
    WRONG_RECURRENT[model.__name__] = model
    return model


def zeros(*shape: int) -> np.ndarray[Any, Any]:
    """Return float32 zeros."""
    return np.zeros(shape, np.float32)


@wrong
def cell_gets_another_number_of_features() -> object:
    return traced(nn.Chain(nn.Dense(3, 4), nn.LSTMCell(5, 2)), 1, 3)


@wrong
def cell_gets_half_a_carry() -> object:
    model = nn.LSTMCell(3, 2)
    return model((zeros(1, 3), (zeros(1, 2),)), *lxc.setup(0, model))


@wrong
def cell_gets_the_carry_of_another_batch() -> object:
    model = nn.Chain(nn.StatefulRecurrentCell(nn.GRUCell(3, 2)), nn.Dense(2, 1))
    ps, st = lxc.setup(0, model)
    _, st = model(zeros(2, 3), ps, st)
    return model(zeros(1, 3), ps, st)


@wrong
def gates_have_too_few_initialisers() -> object:
    return nn.GRUCell(3, 2, init_bias=(nn.zeros32, nn.zeros32))


@wrong
def sequence_has_no_time() -> object:
    return traced(nn.Recurrence(nn.GRUCell(3, 2)), 4, 3)


@wrong
def sequence_is_empty() -> object:
    model = nn.Recurrence(nn.GRUCell(3, 2))
    return model([], *lxc.setup(0, model))


@wrong
def sequence_may_be_empty() -> object:
    return traced(nn.Recurrence(nn.GRUCell(3, 2)), 1, Dim("T", 0, 9), 3)


@wrong
def steps_differ_in_structure() -> object:
    model = nn.Recurrence(nn.GRUCell(3, 2))
    return model([zeros(1, 3), (zeros(1, 3), zeros(1, 3))], *lxc.setup(0, model))


@wrong
def length_of_a_symbolic_list_is_asked_for() -> object:
    steps = nn.Recurrence(nn.GRUCell(3, 2), return_sequence=True)
    model = nn.Chain(steps, lambda ys: ys[len(ys) // 2])
    return traced(model, 1, Dim("T", 1, 9), 3)


@wrong
def first_state_is_random_in_ones_own_way() -> object:
    cell = nn.GRUCell(3, 2, init_state=lambda rng, *shape: rng.random(shape))
    return traced(cell, 1, 3)


@wrong
def first_state_spreads_with_a_symbolic_batch() -> object:
    return traced(nn.GRUCell(3, 2, init_state=nn.glorot_uniform), Dim("N", 1, 9), 3)


@wrong
def first_state_has_another_shape() -> object:
    return traced(nn.GRUCell(3, 2, init_state=lambda rng, *shape: np.zeros(7)), 1, 3)


@wrong
def scan_changes_the_type_of_its_carry() -> object:
    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        return lxc.ops.astype(carry + x, "float64"), None

    model = nn.WrappedFunction(lambda x: lxc.ops.scan(step, zeros(2), x)[0])
    return traced(model, 5, 2)


@wrong
def scan_changes_the_structure_of_its_carry() -> object:
    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        return (carry, x), None

    model = nn.WrappedFunction(lambda x: lxc.ops.scan(step, zeros(2), x)[0])
    return traced(model, 5, 2)


@wrong
def scan_gets_sequences_of_two_lengths() -> object:
    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        return carry + x[0] + x[1], None

    return lxc.ops.scan(step, zeros(2), (zeros(5, 2), zeros(4, 2)))


@wrong
def scan_gets_no_sequence() -> object:
    return lxc.ops.scan(lambda carry, x: (carry, None), zeros(2), ())


@dataclass(frozen=True)
class Growing(nn.Layer):
    """A layer that adds to its state in every call."""

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return nothing yet."""
        return {"seen": None}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x, and another structure of the state each time."""
        return x, {"seen": (x, st["seen"])}


@wrong
def state_grows_with_every_call() -> object:
    return traced(nn.Chain(Growing(), nn.Dense(2, 2)), 1, 2)


@dataclass(frozen=True)
class Forgetful(nn.Layer):
    """A layer whose first value has another structure than what it keeps."""

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return nothing yet."""
        return {"last": None}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x plus what was kept."""
        last = nn.value_or(st["last"], (x, x))
        return x + last[0], {"last": (x,)}


@wrong
def first_value_of_a_state_has_another_structure() -> object:
    return traced(Forgetful(), 1, 2)


@wrong
def kept_mask_has_another_shape() -> object:
    model = nn.Chain(nn.Dense(2, 3), nn.VariationalHiddenDropout(0.5))
    ps, st = lxc.setup(0, model)
    _, st = model(zeros(2, 2), ps, st)
    return model(zeros(5, 2), ps, st)


@wrong
def shares_parameters_of_two_shapes() -> object:
    ps, _ = lxc.setup(0, nn.Chain(nn.Dense(3, 4), nn.Dense(4, 3)))
    return lxc.share_parameters(ps, ("layer_1.weight", "layer_2.weight"))


@wrong
def shares_what_is_not_there() -> object:
    ps, _ = lxc.setup(0, nn.Chain(nn.Dense(3, 4), nn.Dense(4, 3)))
    return lxc.share_parameters(ps, ("layer_1.weight", "layer_2.wieght"))


@wrong
def shared_parameters_differ_in_a_call() -> object:
    model = nn.BranchLayer(nn.Dense(2, 2), nn.Dense(2, 2))
    ps, st = lxc.setup(0, model)
    shared = lxc.share_parameters(ps, ("layer_1", "layer_2"))
    compiled = lxc.compile(model, TensorSpec((1, 2)), shared, st, target="native")
    return compiled(zeros(1, 2), ps, st)


@wrong
def placed_call_has_no_memory_for_a_carry() -> object:
    model = nn.StatefulRecurrentCell(nn.GRUCell(3, 2))
    ps, st = lxc.setup(0, model)
    compiled = lxc.compile(model, TensorSpec((1, 3)), ps, st, target="native")
    return compiled.bind(ps, st).at(inputs=zeros(1, 3), outputs=zeros(1, 2), state=st)


@dataclass(frozen=True)
class Remembering(nn.Layer):
    """A layer with a state that a function makes of the old one."""

    rule: Callable[[Any, Any], Any]

    def init_state(self, rng: Any) -> dict[str, Any]:
        """Return nothing yet."""
        return {"last": None}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x, and what the rule makes of it."""
        return x, {"last": self.rule(x, st["last"])}


@wrong
def state_is_read_as_if_it_were_there() -> object:
    return traced(Remembering(lambda x, last: x if last is None else 0.9 * last + x), 1, 2)


@wrong
def state_that_was_none_becomes_a_setting() -> object:
    return traced(Remembering(lambda x, last: True), 1, 2)


@wrong
def state_that_was_none_has_an_entry_present() -> object:
    return traced(Remembering(lambda x, last: {"present": x}), 1, 2)


@dataclass(frozen=True)
class Shrinking(nn.Layer):
    """A cell whose first carry has two entries, and the later ones one."""

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x."""
        if isinstance(x, tuple):
            return (x[0], (x[0],)), st
        return (x, (x, x)), st


@wrong
def cell_returns_another_carry_later() -> object:
    return traced(nn.StatefulRecurrentCell(Shrinking()), 1, 2)


@wrong
def shares_a_path_with_nothing() -> object:
    return lxc.share_parameters(lxc.setup(0, nn.Dense(2, 2))[0], ())


@wrong
def first_state_is_random_without_a_key() -> object:
    cell = nn.GRUCell(3, 2, init_state=nn.randn32)
    ps, _ = lxc.setup(0, cell)
    return lxc.trace(cell, np.zeros((1, 3), np.float32), ps, {})


@wrong
def cell_lacks_its_trained_state() -> object:
    cell = nn.GRUCell(3, 2, train_state=True)
    ps, st = lxc.setup(0, cell)
    del ps["hidden_state"]
    return lxc.trace(cell, np.zeros((1, 3), np.float32), ps, st)


@wrong
def layer_norm_lacks_its_bias() -> object:
    layer = nn.LayerNorm(3, affine=True)
    return lxc.trace(layer, np.zeros((1, 3), np.float32), {"scale": np.ones(3)}, {})


@dataclass(frozen=True, init=False)
class Unfinished(nn.RecurrentCell):
    """A cell that says neither how it begins nor what it does."""

    def __init__(self) -> None:
        """Take two features, give two."""
        object.__setattr__(self, "inputs", 2)
        object.__setattr__(self, "outputs", 2)


@wrong
def cell_says_nothing_of_its_beginning() -> object:
    return traced(Unfinished(), 1, 2)


@wrong
def cell_says_nothing_of_its_steps() -> object:
    model = Unfinished()
    return model((zeros(1, 2), (zeros(1, 2),)), *lxc.setup(0, model))
