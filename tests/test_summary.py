"""Tables of layers, and shapes without running."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn
from lxc.errors import LxcError
from lxc.model_summary import types_text
from lxc.tree import flatten, map_leaves

ROWS = lxc.Dim("N", 1, 64)


def digits() -> Any:
    return nn.Chain(
        nn.Conv((3, 3), 1, 4, nn.relu),
        nn.MaxPool((2, 2)),
        nn.FlattenLayer(),
        nn.Parallel(None, a=nn.Dense(36, 10), b=nn.BatchNorm(36)),
    )


def test_every_layer_has_a_row_in_order() -> None:
    model = digits()
    ps, st = lxc.setup(0, model)
    s = lxc.summary(model, lxc.TensorSpec((ROWS, 1, 8, 8)), ps, st, mode="test")
    found = [
        (r.depth, r.name, r.kind, types_text(r.outputs), r.parameters, r.state)
        for r in s.rows
    ]
    assert found == [
        (0, "", "Chain", "(f32[N, 10], f32[N, 36])", 40 + 370 + 72, 73),
        (1, "layer_1", "Conv", "f32[N, 4, 6, 6]", 40, 0),
        (1, "layer_2", "MaxPool", "f32[N, 4, 3, 3]", 0, 0),
        (1, "layer_3", "FlattenLayer", "f32[N, 36]", 0, 0),
        (1, "layer_4", "Parallel", "(f32[N, 10], f32[N, 36])", 442, 73),
        (2, "a", "Dense", "f32[N, 10]", 370, 0),
        (2, "b", "BatchNorm", "f32[N, 36]", 72, 73),
    ]
    assert [r.path for r in s.rows[4:]] == ["layer_4", "layer_4.a", "layer_4.b"]
    assert (s.parameters, s.state, s.parameter_bytes) == (482, 73, 4 * 482)


def test_operations_are_counted_per_layer_and_in_total() -> None:
    model = digits()
    ps, st = lxc.setup(0, model)
    s = lxc.summary(model, lxc.TensorSpec((1, 1, 8, 8)), ps, st, mode="test")
    flops = {r.path: r.flops for r in s.rows}
    assert flops["layer_1"] == 4 * 36 * (2 * 9 + 2)
    assert flops["layer_2"] == 4 * 9 * 4
    assert flops["layer_3"] == 0
    assert flops["layer_4.a"] == 10 * (2 * 36 + 1)
    inner = [r.flops for r in s.rows if r.depth == 1]
    assert s.flops == s.rows[0].flops == sum(map(int, map(str, inner)))
    symbolic = lxc.summary(model, lxc.TensorSpec((ROWS, 1, 8, 8)), ps, st, mode="test")
    assert symbolic.rows[1].flops == ROWS * 2880


def test_a_summary_never_runs_the_model() -> None:
    @dataclass(frozen=True)
    class Traced(nn.Layer):
        def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
            assert isinstance(x, lxc.Tensor)
            return x * 2, st

    huge = lxc.TensorSpec((2**40, 2**20))
    assert lxc.summary(Traced(), huge, {}, {}).flops == 2**60
    assert lxc.eval_shape(Traced(), np.zeros((2, 3)), {}, {}) == (
        lxc.TensorSpec((2, 3), np.dtype(np.float64)),
        {},
    )


def test_the_text_has_no_colours_and_one_line_per_layer() -> None:
    model = digits()
    s = lxc.summary(model, lxc.TensorSpec((ROWS, 1, 8, 8)), *lxc.setup(0, model))
    lines = str(s).splitlines()
    assert "\x1b" not in str(s)
    assert len(lines) == 2 + len(s.rows) + 3
    assert re.fullmatch(r"  layer +output +parameters +state +FLOPs", lines[0])
    assert lines[2].startswith("  Chain ")
    assert lines[7].startswith("      a: Dense ")
    assert lines[-2].split()[:3] == ["total", "482", "73"]
    assert lines[-1] == "1,928 bytes of parameters"


def test_printing_is_plain_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    layer = kaun.linear(1000, 50)
    lxc.summary(layer, lxc.TensorSpec((1, 1000)), kaun.init(layer)).print()
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "50,050" in printed


def test_notebooks_get_a_table() -> None:
    model = nn.Chain(nn.WrappedFunction(np.tanh), nn.Dense(2, 3))
    s = lxc.summary(model, lxc.TensorSpec((1, 2)), *lxc.setup(0, model))
    html = s._repr_html_()
    assert html.count("<tr>") == 1 + len(s.rows) + 1
    assert "<td>&emsp;layer_2: Dense</td><td>f32[1, 3]</td><td>9</td>" in html
    assert "36 bytes of parameters" in html

    class A(nn.Layer):
        def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
            return x, st

    A.__name__ = "<b>"
    assert "&lt;b&gt;" in lxc.summary(A(), np.zeros(2), {}, {})._repr_html_()


def test_layers_of_the_kaun_family_have_rows() -> None:
    layer = kaun.sequential(
        [
            kaun.linear(2, 3),
            kaun.relu(),
            kaun.compose(kaun.batch_norm(3), kaun.dropout(0.5)),
        ]
    )
    vars = kaun.init(layer)
    s = lxc.summary(layer, lxc.TensorSpec((ROWS, 2)), vars)
    assert [(r.path, r.kind, r.parameters, r.state) for r in s.rows] == [
        ("", "sequential", 15, 6),
        ("0", "linear", 9, 0),
        ("1", "relu", 0, 0),
        ("2", "compose", 6, 6),
        ("2.left", "batch_norm", 6, 6),
        ("2.right", "dropout", 0, 0),
    ]
    key = np.zeros(2, np.uint32)
    drawing = lxc.summary(layer, lxc.TensorSpec((ROWS, 2)), vars, training=True, rngs=key)
    assert str(s.rows[-1].flops) == "0"
    assert str(drawing.rows[-1].flops) != "0"


@dataclass(frozen=True)
class Twice(nn.Layer):
    """A layer that runs another one two times, and a function in between."""

    layer: nn.Layer

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"cell": self.layer.init_params(rng)}

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"cell": self.layer.init_state(rng)}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        x, cell = self.layer(x, ps["cell"], st["cell"])
        x, _ = nn.WrappedFunction(np.tanh)(x, {}, {})
        x, cell = self.layer(x, ps["cell"], cell)
        return x, {"cell": cell}


def test_a_layer_that_is_called_twice_has_one_row() -> None:
    model = nn.Chain(Twice(nn.BatchNorm(3)), nn.Dense(3, 3))
    ps, st = lxc.setup(0, model)
    s = lxc.summary(model, lxc.TensorSpec((5, 3)), ps, st, mode="test")
    one = lxc.summary(
        nn.BatchNorm(3), lxc.TensorSpec((5, 3)), *lxc.setup(0, nn.BatchNorm(3)), mode="test"
    )
    found = [(r.name, r.kind, r.calls, r.parameters, r.state) for r in s.rows]
    assert found == [
        ("", "Chain", 1, 18, 7),
        ("layer_1", "Twice", 1, 6, 7),
        ("cell", "BatchNorm", 2, 6, 7),
        ("", "WrappedFunction", 1, 0, 0),
        ("layer_2", "Dense", 1, 12, 0),
    ]
    assert s.rows[2].flops == 2 * int(str(one.flops))
    assert "cell: BatchNorm x 2" in str(s)


def test_a_layer_inside_of_a_loop_counts_every_step() -> None:
    model = nn.Recurrence(nn.RNNCell(4, 5))
    ps, st = lxc.setup(0, model)
    steps = lxc.Dim("T", 1, 9)
    s = lxc.summary(model, lxc.TensorSpec((3, steps, 4)), ps, st)
    one = lxc.summary(model, lxc.TensorSpec((3, 1, 4)), ps, st)
    found = [(r.kind, str(r.calls), r.parameters) for r in s.rows]
    assert found == [("Recurrence", "1", 50), ("RNNCell", "T", 50)]
    assert s.rows[1].flops == steps * int(str(one.rows[1].flops))
    assert types_text(s.rows[1].outputs) == "(f32[3, 5], (f32[3, 5],))"
    assert "RNNCell x T" in str(s)


def test_what_a_state_lacks_at_first_counts_as_one_entry() -> None:
    model = nn.Chain(nn.StatefulRecurrentCell(nn.RNNCell(4, 5)), nn.Dense(5, 2))
    ps, st = lxc.setup(0, model)
    s = lxc.summary(model, lxc.TensorSpec((3, 4)), ps, st)
    assert s.state == s.rows[0].state == s.rows[1].state == 2
    _, after = lxc.eval_shape(model, lxc.TensorSpec((3, 4)), ps, st)
    assert after["layer_1"]["carry"][0].shape == (3, 5)


def test_a_layer_around_another_shares_its_path() -> None:
    model = nn.Chain(nn.SkipConnection(nn.BatchNorm(3), np.add), nn.Dense(3, 3))
    s = lxc.summary(model, lxc.TensorSpec((5, 3)), *lxc.setup(0, model))
    found = [(r.path, r.name, r.kind, r.depth, r.state) for r in s.rows[1:3]]
    assert found == [
        ("layer_1", "layer_1", "SkipConnection", 1, 7),
        ("layer_1", "", "BatchNorm", 2, 7),
    ]


def test_a_shared_parameter_counts_in_every_layer_and_once_in_total() -> None:
    model = nn.Chain(nn.Dense(3, 3), nn.Dense(3, 3))
    ps, st = lxc.setup(0, model)
    ps["layer_2"]["weight"] = ps["layer_1"]["weight"]
    s = lxc.summary(model, lxc.TensorSpec((5, 3)), ps, st)
    assert [row.parameters for row in s.rows] == [15, 12, 12]
    assert (s.parameters, s.parameter_bytes) == (15, 60)


def test_shapes_are_those_of_a_run() -> None:
    model = digits()
    ps, st = lxc.setup(0, model)
    x = np.zeros((2, 1, 8, 8), np.float32)
    ran, shapes = model(x, ps, st), lxc.eval_shape(model, x, ps, st)
    assert flatten(shapes)[1] == flatten(ran)[1]
    for spec, array in zip(flatten(shapes)[0], flatten(ran)[0], strict=True):
        assert (spec.shape, spec.dtype) == (array.shape, array.dtype)


def test_shapes_may_be_symbolic_and_come_in_a_mode() -> None:
    model = digits()
    ps, st = lxc.setup(0, model)
    (a, _), state = lxc.eval_shape(
        model, lxc.TensorSpec((ROWS, 1, 8, 8)), ps, st, mode="test"
    )
    assert str(a.type) == "f32[N, 10]"
    assert state["layer_4"]["b"]["training"] is False


def test_shapes_of_specs_need_no_arrays() -> None:
    model = digits()
    ps, st = lxc.setup(0, model)
    as_specs = [
        map_leaves(lambda leaf: lxc.TensorSpec(leaf.shape, leaf.dtype), tree)
        for tree in (ps, st)
    ]
    x = lxc.TensorSpec((2, 1, 8, 8))
    assert lxc.eval_shape(model, x, *as_specs) == lxc.eval_shape(model, x, ps, st)
    assert lxc.summary(model, x, *as_specs) == lxc.summary(model, x, ps, st)


def test_shapes_of_the_kaun_family_come_as_variables() -> None:
    layer = kaun.sequential([kaun.linear(2, 3), kaun.batch_norm(3)])
    vars = kaun.init(layer, "float64")
    x = np.zeros((4, 2))
    y, after = lxc.eval_shape(layer, x, vars)
    assert y == lxc.TensorSpec((4, 3), np.dtype(np.float64))
    assert after.params[0]["weight"].shape == (2, 3)
    assert after.state[1]["running_var"].shape == (3,)
    assert after.dtype == np.float64


def test_a_list_of_known_length_has_a_shape_per_entry() -> None:
    model = nn.Recurrence(nn.RNNCell(4, 5), return_sequence=True)
    ps, st = lxc.setup(0, model)
    y, _ = lxc.eval_shape(model, lxc.TensorSpec((3, 6, 4)), ps, st)
    assert [spec.shape for spec in y] == [(3, 5)] * 6


def test_wrong_models_fail_as_in_a_trace() -> None:
    model = nn.Chain(nn.Dense(2, 3), nn.Dense(2, 3))
    ps, st = lxc.setup(0, model)
    for look in (lxc.summary, lxc.eval_shape):
        with pytest.raises(LxcError, match="layer_2") as caught:
            look(model, lxc.TensorSpec((1, 2)), ps, st)
        assert caught.value.code == "LXC-E0103"
        with pytest.raises(LxcError) as caught:
            look(model, lxc.TensorSpec((1, 2)), ps)
        assert caught.value.code == "LXC-E0001"
