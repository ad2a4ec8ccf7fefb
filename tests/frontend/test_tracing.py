"""What tracing keeps: paths, lines, closures; and what it refuses."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup, trace_layer
from lxc.frontend import testmode as in_test_mode
from lxc.ir import Dim, Graph, TensorSpec
from lxc.ir import functions as ops
from lxc.ir.node import walk
from lxc.tree import flatten
from tests.frontend.modes import SUMS, Mode, close, draw, f32, run_graph, same, through_text

FILE = Path(__file__).name


def line_of(text: str) -> str:
    """Return where a line of this file stands, as locations name it."""
    lines = Path(__file__).read_text("utf-8").splitlines()
    places = enumerate(lines, 1)
    (number,) = (n for n, line in places if text in line and "line_of(" not in line)
    return f"{FILE}:{number}"


@dataclass(frozen=True)
class Gated(nn.Layer):
    """A user's layer that calls two others inside and has a parameter of its own."""

    gate: Any
    body: Any

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        return {
            "gate": self.gate.init_params(rng),
            "body": self.body.init_params(rng),
            "strength": np.float32(0.5) * np.ones(1, np.float32),
        }

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"gate": self.gate.init_state(rng), "body": self.body.init_state(rng)}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        gate, gate_state = self.gate(x, ps["gate"], st["gate"])
        y, body_state = self.body(x, ps["body"], st["body"])
        y = y * gate * ps["strength"]  # the line of the product
        return y, {"gate": gate_state, "body": body_state}


def gated() -> Any:
    body = nn.Chain(nn.Dense(3, 3), nn.BatchNorm(3))
    return nn.Chain(nn.Dense(4, 3), Gated(nn.Dense(3, 1, nn.sigmoid), body))


def places(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return the layer paths of every layer-level node, by kind."""
    return {
        str(node.attributes["kind"]): node.location.layers
        for node in walk(graph.nodes)
        if node.bodies
    }


def test_layers_inside_a_user_s_layer_get_nodes_and_paths() -> None:
    model = gated()
    graph = trace_layer(model, TensorSpec((2, 4)), *setup(0, model))
    assert [value.name for value in graph.params] == [
        "@layer_1.weight", "@layer_1.bias", "@layer_2.gate.weight", "@layer_2.gate.bias",
        "@layer_2.body.layer_1.weight", "@layer_2.body.layer_1.bias",
        "@layer_2.body.layer_2.scale", "@layer_2.body.layer_2.bias", "@layer_2.strength",
    ]  # fmt: skip
    assert places(graph)["BatchNorm"] == ("layer_2.body.layer_2",)
    assert places(graph)["Gated"] == ("layer_2",)
    dense = [n for n in walk(graph.nodes) if n.attributes.get("kind") == "Dense"]
    paths = {node.location.layers[0] for node in dense}
    assert paths == {"layer_1", "layer_2.gate", "layer_2.body.layer_1"}


def test_a_user_s_layer_runs_and_threads_its_state(run: Mode) -> None:
    model = gated()
    ps, st = setup(0, model)
    for step in range(3):
        x = draw(5, 4, seed=step)
        expected, after = model(x, ps, st)
        y, new = run.lux(model, x, ps, st)
        close(y, expected, **SUMS)
        for one, two in zip(flatten(new)[0], flatten(after)[0], strict=True):
            close(one, two, **SUMS)
        st = new
    assert not np.array_equal(
        st["layer_2"]["body"]["layer_2"]["running_mean"], np.zeros(3, np.float32)
    )


def test_a_node_knows_the_line_of_the_user_s_code() -> None:
    model = gated()
    graph = trace_layer(model, TensorSpec((2, 4)), *setup(0, model))
    lines = {
        node.location.source for node in walk(graph.nodes) if node.op.name == "multiply"
    }
    assert line_of("# the line of the product") in lines
    dense = next(n for n in walk(graph.nodes) if n.attributes.get("kind") == "Dense")
    assert dense.location.source == line_of("Gated(nn.Dense(3, 1, nn.sigmoid), body))")


def test_a_closure_over_a_traced_value_becomes_an_operand(run: Mode) -> None:
    @dataclass(frozen=True)
    class Outer(nn.Layer):
        def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
            total = ops.sum(x)
            inner = nn.Chain(
                lambda y: y * total, lambda y: y - total, disable_optimizations=True
            )
            empty: Any = {"layer_1": {}, "layer_2": {}}
            return inner(x, empty, empty)[0], st

    x = f32([1, 2])
    same(run.lux(Outer(), x, {}, {})[0], f32([0, 3]))


def test_a_tensor_that_left_its_call_is_refused() -> None:
    kept = []

    def keep(x: Any) -> Any:
        kept.append(x + 1)
        return x

    trace_layer(nn.WrappedFunction(keep), TensorSpec((2,)), {}, {})
    with pytest.raises(LxcError) as error:
        trace_layer(nn.WrappedFunction(lambda x: x + kept[0]), TensorSpec((2,)), {}, {})
    assert error.value.code == "LXC-E0107"


REFUSED: dict[str, Any] = {
    "bool": lambda x: x if bool(x.sum() > 0) else -x,
    "float": lambda x: x * float(x.sum()),
    "int": lambda x: x * int(x.sum()),
    "mask": lambda x: x[x > 0],
    "asarray": lambda x: np.asarray(x),
    "len": lambda x: len(x.sum()),
    "iter": lambda x: [row + 1 for row in x.sum()],
    "norm": lambda x: np.linalg.norm(x),
    "sort": lambda x: np.sort(x),
    "out": lambda x: np.add(x, x, out=np.zeros(2, np.float32)),
    "reduce": lambda x: np.add.reduce(x),
    "spacing": lambda x: np.spacing(x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wish_for_contents_is_refused_with_layer_and_line(name: str) -> None:
    model = nn.Chain(nn.Dense(2, 2), REFUSED[name])  # the line of the layers
    with pytest.raises(LxcError) as error:
        trace_layer(model, TensorSpec((3, 2)), *setup(0, model))
    assert error.value.code in ("LXC-E0104", "LXC-E0110")
    layer = f"layer_2 (WrappedFunction)  ({line_of('# the line of the layers')})"
    assert error.value.layer == layer
    line = line_of(f'"{name}": lambda')
    assert error.value.actual == f"asked for at {line}"


def test_a_tensor_is_iterated_along_its_first_axis(run: Mode) -> None:
    def swapped(x: Any) -> Any:
        first, second = x
        return tuple(row * 2 for row in (second, first))

    same(
        run.fresh(nn.WrappedFunction(swapped), f32([[1, 2], [3, 4]])),
        (f32([6, 8]), f32([2, 4])),
    )


def test_an_error_of_the_user_s_own_code_stays_and_names_the_layer() -> None:
    def broken(x: Any) -> Any:
        raise ZeroDivisionError("mine")

    model = nn.Chain(nn.Dense(2, 2), broken)
    with pytest.raises(ZeroDivisionError, match="mine") as error:
        trace_layer(model, TensorSpec((3, 2)), *setup(0, model))
    assert error.value.__notes__[0].startswith("in layer layer_2 (WrappedFunction)")


@dataclass(frozen=True)
class Counter(nn.Layer):
    """A layer that returns whatever state it is told to."""

    change: Any

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"count": np.zeros(2, np.float32)}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        return x, self.change(st)


@pytest.mark.parametrize(
    "change",
    [
        lambda st: {},
        lambda st: {"count": st["count"], "more": st["count"]},
        lambda st: {"count": None},
        lambda st: {"count": ops.sum(st["count"])},
        lambda st: {"count": st["count"].astype(np.float64)},
    ],
)
def test_a_state_that_changes_its_form_is_refused(change: Any) -> None:
    model = nn.Chain(nn.NoOpLayer(), Counter(change), disable_optimizations=True)
    with pytest.raises(LxcError) as error:
        trace_layer(model, TensorSpec((3,)), *setup(0, model))
    assert error.value.code == "LXC-E0109"
    assert error.value.layer is not None
    assert error.value.layer.startswith("layer_2 (Counter)")


def test_parameters_and_state_of_a_layer_may_lie_under_different_names() -> None:
    counter = Counter(lambda st: {"count": st["count"][:1]})

    @dataclass(frozen=True)
    class Outer(nn.Layer):
        def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
            y, counted = counter(x, ps["weights"], st["counts"])
            return y, {"counts": counted}

    state = {"counts": counter.init_state(np.random.default_rng(0))}
    with pytest.raises(LxcError) as error:
        trace_layer(Outer(), TensorSpec((3,)), {"weights": {}}, state)
    assert error.value.expected == "counts.count: f32[2]"
    assert error.value.actual == "counts.count: f32[1]"


def test_a_layer_that_returns_no_pair_is_refused(run: Mode) -> None:
    @dataclass(frozen=True)
    class Single(nn.Layer):
        def __call__(self, x: Any, ps: Any, st: Any) -> Any:
            return x

    with pytest.raises(LxcError) as error:
        run.lux(Single(), f32([1]), {}, {})
    assert error.value.code == "LXC-E0106"


def test_missing_parameters_are_named_by_their_path(run: Mode) -> None:
    model = nn.Chain(nn.Dense(2, 2), nn.BranchLayer(nn.Dense(2, 2), np.tanh))
    ps, st = setup(0, model)
    short = {**ps, "layer_2": {"layer_1": ps["layer_2"]["layer_1"]}}
    with pytest.raises(LxcError, match="no entry for layer_2") as error:
        run.lux(model, draw(1, 2), short, st)
    assert error.value.code == "LXC-E0105"


def test_a_symbolic_batch_serves_every_size() -> None:
    batch = Dim("N", 1, 9)
    model = nn.Chain(
        nn.Conv((3, 3), 1, 2, nn.relu, pad=1), nn.BatchNorm(2), nn.MaxPool((2, 2)),
        nn.Dropout(0.5), nn.FlattenLayer(), nn.Dense(8, 3),
    )  # fmt: skip
    ps, st = setup(0, model)
    for state in (st, in_test_mode(st)):
        graph = through_text(trace_layer(model, TensorSpec((batch, 1, 4, 4)), ps, state))
        assert [str(dim) for dim in graph.dims] == ["N"]
        for count in (1, 4, 9):
            x = draw(count, 1, 4, 4)
            expected, after = model(x, ps, state)
            y, new = run_graph(graph, x, ps, state)
            close(y, expected, **SUMS)
            for one, two in zip(flatten(new)[0], flatten(after)[0], strict=True):
                close(one, two, **SUMS)


def test_dimensions_of_one_name_have_one_range() -> None:
    model = nn.Parallel(None, nn.NoOpLayer(), nn.NoOpLayer())
    x = (TensorSpec((Dim("N", 1, 4),)), TensorSpec((Dim("N", 1, 5),)))
    with pytest.raises(LxcError, match="dimension N has two ranges"):
        trace_layer(model, x, *setup(0, model))


def test_the_wide_graph_is_the_exact_meaning_of_the_narrow_one() -> None:
    model = nn.Chain(nn.Dense(64, 32, nn.tanh), nn.Dense(32, 4))
    ps, st = setup(0, model)
    x = draw(16, 64)
    wide, _ = run_graph(trace_layer(model, x, ps, st), x, ps, st, wide=True)
    hidden = np.tanh(x.astype(np.float64) @ ps["layer_1"]["weight"].T.astype(np.float64))
    exact = hidden @ ps["layer_2"]["weight"].T.astype(np.float64)
    assert wide.dtype == np.float64
    close(wide, exact, rtol=1e-12, atol=1e-12)
