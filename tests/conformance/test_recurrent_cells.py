"""What holds for every recurrent cell."""

from typing import Any

import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close_sums, draw
from tests.conformance.rows import row


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
@row("RNN-04")
@row("LST-03")
@row("GRU-03c")
def test_what_a_cell_refuses(column: Column, kind: Any) -> None:
    model = kind(4, 3)
    ps, st = lxc.setup(0, model)
    for x in (draw(2, 5), draw(4), draw(2, 2, 4), (draw(2, 4), draw(2, 3))):
        with pytest.raises(LxcError) as caught:
            column(model, x, ps, st)
        assert caught.value.code == "LXC-E0103"
    count = 2 if kind is nn.LSTMCell else 1
    with pytest.raises(LxcError, match="carry"):
        column(model, (draw(2, 4), (draw(3, 3),) * count), ps, st)


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
@row("RNN-01")
@row("LST-01")
@row("GRU-01")
def test_a_cell_takes_any_number_of_samples(column: Column, kind: Any) -> None:
    model = kind(4, 3)
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 4), "float32")
    call = column.built(model, spec, ps, st)
    for count in (1, 3, 8):
        x = draw(count, 4, seed=count)
        close_sums(call(x, ps, st)[0][0], model(x, ps, st)[0][0])
