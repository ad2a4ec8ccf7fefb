"""The random numbers that recurrent cells start from."""

import numpy as np

import lxc
from lxc import nn
from tests.conformance.columns import Column, f32
from tests.conformance.rows import row


@row("RNN-05e")
@row("RNN-06")
def test_random_first_states_have_the_spread_of_their_initialisers(column: Column) -> None:
    makers = (
        *(nn.randn32, nn.rand32, nn.glorot_uniform, nn.glorot_normal),
        *(nn.kaiming_uniform, nn.kaiming_normal),
    )
    cells = [nn.RNNCell(1, 8, nn.identity, init_state=make) for make in makers]
    model, x = nn.BranchLayer(*cells), np.zeros((400, 1), np.float32)
    ps, st = lxc.setup(0, model)
    own = {
        "weight_ih": np.zeros((8, 1), np.float32),
        "weight_hh": np.eye(8, dtype=np.float32),
    }
    ps = {name: {**part, **own} for name, part in ps.items()}
    ys, _ = column(model, x, ps, st)
    normal, unit, uniform, narrow, wide, spread = (np.asarray(y) for y, _ in ys)
    assert abs(normal.mean()) < 0.06
    assert 0.95 < normal.std() < 1.05
    assert unit.min() >= 0
    assert 0.99 < unit.max() < 1
    # A state is a matrix (outputs, samples): the samples count as its inputs.
    for drawn, bound in ((uniform, (6 / 408) ** 0.5), (wide, (6 / 400) ** 0.5)):
        assert 0.98 * bound < drawn.max() <= bound
        assert -bound <= drawn.min() < -0.98 * bound
    for drawn, deviation in ((narrow, (2 / 408) ** 0.5), (spread, (2 / 400) ** 0.5)):
        assert 0.95 < drawn.std() / deviation < 1.05
        assert np.abs(drawn).max() > 2.5 * deviation


@row("LST-06d")
@row("LST-06e")
@row("LST-06f")
def test_state_and_memory_are_drawn_apart(column: Column) -> None:
    model = nn.LSTMCell(1, 8, init_state=nn.rand32, init_memory=nn.randn32)
    x = np.zeros((200, 1), np.float32)
    ps, st = lxc.setup(0, model)
    weight_h = np.zeros((4, 8, 8), np.float32)
    weight_h[2] = np.eye(8)
    zeros = {"weight_i": np.zeros((32, 1), np.float32), "weight_h": weight_h.reshape(32, 8)}
    call = column.built(model, x, ps, st)
    # A shut input gate shows c, and a shut forget gate tanh(h).
    found = []
    for gates in ([-100, 100, 0, 0], [100, -100, 0, 0]):
        (_, (_, c)), _ = call(x, {**zeros, "bias": np.repeat(f32(gates), 8)}, st)
        found.append(np.asarray(c))
    memory, state = found[0], np.arctanh(found[1].astype(np.float64))
    assert state.min() > -1e-6
    assert 0.45 < state.mean() < 0.55
    assert 0.95 < memory.std() < 1.05
    assert abs(np.corrcoef(memory.ravel(), state.ravel())[0, 1]) < 0.08
