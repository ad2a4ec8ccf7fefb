"""Set-up, modes, edits of the state, activations, initial values and counts."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.ir.node import walk
from lxc.passes import LAYER_PIPELINE, passes_named, run_passes
from lxc.tree import flatten
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row

TREES = "it makes trees, or edits them, before anything is computed"
VALUES = "initial values are drawn before anything is computed"
OPTION = "the function is chosen when the layer is made"


def nested() -> Any:
    """Return a model with the mode at several depths."""
    body = nn.Parallel(None, nn.Chain(nn.Dense(4, 3), nn.BatchNorm(3)), nn.Dropout(0.5))
    return nn.Chain(nn.Dense(4, 4), nn.BranchLayer(body, nn.BatchNorm(4)))


@row("API-01", eager_because=TREES)
def test_one_seed_gives_one_model_and_one_generator_several() -> None:
    same(lxc.setup(3, nested()), lxc.setup(3, nested()))
    generator = np.random.default_rng(3)
    first, second = lxc.setup(generator, nested()), lxc.setup(generator, nested())
    same(first, lxc.setup(3, nested()))
    for one, two in zip(flatten(first[0])[0], flatten(second[0])[0], strict=True):
        assert one.ndim < 2 or not np.array_equal(one, two)
    keys = [st["layer_2"]["layer_1"]["layer_2"]["rng"] for _, st in (first, second)]
    assert not np.array_equal(*keys)


@row("API-01", eager_because=TREES)
def test_parameters_are_drawn_child_by_child_before_any_state() -> None:
    order = []

    class Noted(nn.Layer):
        def __init__(self, name: str) -> None:
            self.name = name

        def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
            order.append(f"ps {self.name}")
            return {}

        def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
            order.append(f"st {self.name}")
            return {}

    model = nn.Chain(Noted("a"), nn.Parallel(None, Noted("b"), Noted("c")), Noted("d"))
    ps, st = lxc.setup(0, model)
    assert order == [f"{kind} {name}" for kind in ("ps", "st") for name in "abcd"]
    assert (
        ps
        == st
        == {"layer_1": {}, "layer_2": {"layer_1": {}, "layer_2": {}}} | {"layer_3": {}}
    )


@row("API-02")
def test_apply_calls_the_layer_and_a_state_gives_one_result(column: Column) -> None:
    model = nn.Chain(nn.Dense(5, 5), nn.Dropout(0.5))
    ps, st = lxc.setup(0, model)
    x = draw(5, 5)
    call = column.built(model, x, ps, st)
    same(call(x, ps, st), call(x, ps, st))
    y, after = call(x, ps, st)
    expected, state = lxc.apply(model, x, ps, st)
    close_sums(y, expected)
    same(np.asarray(y) == 0, expected == 0)
    same(after, state)
    same((expected, state), model(x, ps, st))


@row("API-03", eager_because=TREES)
@row("API-04", eager_because=TREES)
def test_modes_reach_every_depth_and_change_nothing_else() -> None:
    _, st = lxc.setup(0, nested())
    before = deepcopy(st)
    off = lxc.testmode(st)
    same(st, before)
    branch = off["layer_2"]["layer_1"]
    flags = (branch["layer_1"]["layer_2"], branch["layer_2"], off["layer_2"]["layer_2"])
    assert [part["training"] for part in flags] == [False] * 3
    same(flatten(off)[0], flatten(st)[0])
    same(lxc.trainmode(off), st)
    same(lxc.testmode(lxc.trainmode(st)), off)
    mixed: Any = {"a": [{"training": True}, ({"training": False, "b": 1.0},)]}
    assert lxc.trainmode(mixed) == {
        "a": [{"training": True}, ({"training": True, "b": 1},)]
    }


@row("API-05", eager_because=TREES)
def test_update_state_replaces_whole_entries_everywhere() -> None:
    st: Any = {"a": {"carry": (f32([1]), f32([2])), "training": True}, "b": [{"carry": 0}]}
    before = deepcopy(st)
    assert lxc.update_state(st, "carry", None) == {
        "a": {"carry": None, "training": True},
        "b": [{"carry": None}],
    }
    same(lxc.update_state(st, "absent", 1), before)
    same(st, before)


@row("API-05")
def test_two_variational_dropouts_get_both_masks_anew(column: Column) -> None:
    model = nn.Chain(nn.VariationalHiddenDropout(0.5), nn.VariationalHiddenDropout(0.5))
    ps, st = lxc.setup(0, model)
    x = np.ones((8, 8), np.float32)
    call = column.built(model, x, ps, st)
    _, st = call(x, ps, st)
    kept = call(x, ps, st)[1]
    asked = lxc.update_state(st, "update_mask", True)
    anew = call(x, ps, asked)[1]
    for name in ("layer_1", "layer_2"):
        assert bool(np.all(asked[name]["update_mask"]))
        same(np.asarray(kept[name]["mask"]), np.asarray(st[name]["mask"]))
        assert not np.array_equal(anew[name]["mask"], st[name]["mask"])


@row("API-06")
def test_another_mode_never_runs_the_code_of_the_first(column: Column) -> None:
    model = nn.Chain(nn.Dense(4, 4), nn.Dropout(0.5))
    ps, st = lxc.setup(0, model)
    off = lxc.testmode(st)
    x = draw(6, 4)
    call = column.built(model, x, ps, st)
    trained, tested = call(x, ps, st)[0], column(model, x, ps, off)[0]
    assert 0 < np.count_nonzero(np.asarray(trained) == 0) < 24
    weight, bias = (torch.tensor(leaf) for leaf in ps["layer_1"].values())
    close_sums(tested, functional.linear(torch.tensor(x), weight, bias).numpy())
    if column.name == "eager":
        same(call(x, ps, off)[0], tested)
    if "level" not in column.name:
        return
    with pytest.raises(LxcError, match="another value of training") as caught:
        call(x, ps, off)
    assert caught.value.code == "LXC-E0504"
    assert caught.value.layer == "layer_2"
    assert caught.value.expected == "layer_2.training = true"
    assert caught.value.actual == "layer_2.training = false"


@row("API-06", eager_because=TREES)
def test_the_mode_is_a_setting_and_never_a_tensor() -> None:
    model = nn.Dropout(0.5)
    ps, st = lxc.setup(0, model)
    assert st["training"] is True
    x = draw(2, 2)
    graphs = [str(lxc.trace(model, x, ps, state)) for state in (st, lxc.testmode(st))]
    assert ["random_bits" in graph for graph in graphs] == [True, False]
    assert [value.name for value in lxc.trace(model, x, ps, st).state] == ["$rng"]
    with pytest.raises(LxcError) as caught:
        lxc.trace(model, x, ps, {**st, "training": np.array(True)})
    assert caught.value.code == "LXC-E0104"


@row("API-07", eager_because=OPTION)
def test_same_pads_are_equal_printable_and_accepted_by_every_pad() -> None:
    assert nn.SamePad() == nn.SamePad()
    assert repr(nn.SamePad()) == "SamePad()"
    x = draw(1, 2, 5, 7)
    for make in (
        partial(nn.Conv, (2, 3), 2, 2),
        partial(nn.CrossCor, (2, 3), 2, 2),
        partial(nn.ConvTranspose, (2, 3), 2, 2),
        partial(nn.MaxPool, (2, 3), stride=1),
        partial(nn.MeanPool, (2, 3), stride=1),
    ):
        model = make(pad=nn.SamePad())
        assert model(x, *lxc.setup(0, model))[0].shape == x.shape
        assert model == make(pad=nn.SamePad())


def op_names(model: Any, *shape: int) -> list[str]:
    """Return the ops of a traced model, its layers unfolded."""
    graph = lxc.trace(model, lxc.TensorSpec(shape), *lxc.setup(0, model))
    flat = run_passes(graph, passes_named(LAYER_PIPELINE)).program
    return [node.op.name for node in walk(flat.nodes)]  # type: ignore[union-attr]


@row("API-08")
def test_an_activation_is_any_elementwise_function(column: Column) -> None:
    class Power:
        """A callable without a hash."""

        __hash__ = None  # type: ignore[assignment]

        def __call__(self, x: Any) -> Any:
            return x**2

    functions: tuple[tuple[Any, Any], ...] = (
        (lambda x: x + 1, lambda x: x + 1),
        (np.sin, torch.sin),
        (Power(), torch.square),
        (abs, torch.abs),
        (nn.identity, torch.clone),
    )
    model = nn.BranchLayer(*(nn.Dense(3, 3, own) for own, _ in functions))
    ps, st = lxc.setup(0, model)
    x = draw(4, 3)
    outputs, _ = column(model, x, ps, st)
    for (_, other), y, part in zip(functions, outputs, ps.values(), strict=True):
        expected = other(torch.tensor(x) @ torch.tensor(part["weight"]).T)
        close_sums(y, expected.numpy())


@row("API-08", eager_because="the row is about the graph")
def test_the_default_activation_adds_nothing_to_the_graph() -> None:
    assert op_names(nn.Dense(2, 3), 4, 2) == op_names(nn.Dense(2, 3, nn.identity), 4, 2)
    assert op_names(nn.Dense(2, 3), 4, 2) == ["dot_general", "broadcast", "add"]
    assert op_names(nn.Dense(2, 3, nn.tanh), 4, 2)[-1] == "tanh"


@row("API-08", eager_because=OPTION)
def test_an_activation_that_is_no_function_is_refused() -> None:
    makers: tuple[Any, ...] = (partial(nn.Dense, 2, 3), partial(nn.BatchNorm, 3))
    for make in makers:
        with pytest.raises(LxcError, match="an activation is a function") as caught:
            make(5)
        assert caught.value.code == "LXC-E0101"
        assert caught.value.actual == "activation: 5"


ACTIVATED: dict[str, Callable[..., Any]] = {
    "Dense": partial(nn.Dense, 3, 3),
    "Scale": partial(nn.Scale, 3),
    "Bilinear": partial(nn.Bilinear, (3, 3), 3),
    "Conv": partial(nn.Conv, (1,), 3, 3),
    "ConvTranspose": partial(nn.ConvTranspose, (1,), 3, 3),
    "CrossCor": partial(nn.CrossCor, (1,), 3, 3),
    "BatchNorm": partial(nn.BatchNorm, 3),
    "GroupNorm": partial(nn.GroupNorm, 3, 3),
    "InstanceNorm": partial(nn.InstanceNorm, 3),
    "LayerNorm": partial(nn.LayerNorm, (3,)),
}


@row("API-09", eager_because=OPTION)
@pytest.mark.parametrize("name", ACTIVATED)
def test_only_tanh_and_sigmoid_may_be_faster(name: str) -> None:
    make = ACTIVATED[name]
    for exact in (nn.tanh, nn.sigmoid, np.tanh, lxc.ops.tanh, lxc.ops.sigmoid):
        fast = nn.sigmoid_fast if "sigmoid" in exact.__name__ else nn.tanh_fast
        assert make(exact).activation is fast
        assert make(exact, allow_fast_activation=False).activation is exact
    for other in (nn.relu, nn.identity, nn.swish, np.sin):
        assert make(other).activation is other
    assert make().activation is nn.identity


def deepcopies(ps: Any, st: Any) -> Any:
    """Return the parameters once per entry of the state, none of them shared."""
    return {name: deepcopy(ps) for name in st}


@row("API-09")
def test_fast_activations_agree_to_a_millionth(column: Column) -> None:
    x = np.linspace(-9, 9, 257, dtype=np.float32)[:, None]
    ps = {"weight": f32([[1]]), "bias": f32([0])}
    options = [(f, fast) for f in (nn.tanh, nn.sigmoid) for fast in (True, False)]
    model = nn.BranchLayer(
        *(nn.Dense(1, 1, f, allow_fast_activation=fast) for f, fast in options)
    )
    _, st = lxc.setup(0, model)
    outputs, _ = column(model, x, deepcopies(ps, st), st)
    wide = torch.tensor(x, dtype=torch.float64)
    for place, function in enumerate((torch.tanh, torch.sigmoid)):
        fast, exact = outputs[2 * place : 2 * place + 2]
        close(fast, np.asarray(exact), rtol=0, atol=1e-6)
        close(exact, function(wide).numpy(), rtol=2**-22, atol=0)
        close(fast, function(wide).numpy(), rtol=2**-20, atol=0)


def log_cosh(x: torch.Tensor) -> Any:
    return torch.logaddexp(x, -x) - np.log(2)


TORCH: dict[str, Callable[[Any], Any]] = {
    "identity": lambda x: x,
    "relu": functional.relu,
    "relu6": functional.relu6,
    "leakyrelu": functional.leaky_relu,
    "rrelu": functional.rrelu,
    "trelu": partial(functional.threshold, threshold=1, value=0),
    "thresholdrelu": partial(functional.threshold, threshold=1, value=0),
    "elu": functional.elu,
    "selu": functional.selu,
    "celu": functional.celu,
    "gelu": partial(functional.gelu, approximate="tanh"),
    "gelu_tanh": partial(functional.gelu, approximate="tanh"),
    "gelu_sigmoid": lambda x: x * torch.sigmoid(1.702 * x),
    "gelu_erf": functional.gelu,
    "swish": functional.silu,
    "silu": functional.silu,
    "hardswish": functional.hardswish,
    "lisht": lambda x: x * torch.tanh(x),
    "softplus": functional.softplus,
    "softsign": functional.softsign,
    "logcosh": log_cosh,
    "hardtanh": functional.hardtanh,
    "hardsigmoid": functional.hardsigmoid,
    "mish": functional.mish,
    "logsigmoid": functional.logsigmoid,
    "tanhshrink": functional.tanhshrink,
    "softshrink": functional.softshrink,
    "hardshrink": functional.hardshrink,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "tanh_fast": torch.tanh,
    "sigmoid_fast": torch.sigmoid,
}
POINTS = [0, 1e-4, 0.3, 0.5, 0.7, 0.99, 1, 1.01, 2, 3, 3.5, 6, 7, 20, 100]


@row("API-10")
def test_the_activations_are_those_of_torch(column: Column) -> None:
    x = f32([[-point, point] for point in POINTS] + [[np.nan, -np.nan]])
    model = nn.BranchLayer(**{name: getattr(nn, name) for name in TORCH})
    outputs = column.fresh(model, x)
    wide = torch.tensor(x, dtype=torch.float64)
    for name, y in zip(TORCH, outputs, strict=True):
        expected = TORCH[name](wide).numpy()
        assert np.asarray(y).dtype == np.float32
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6, err_msg=name)
        assert np.isnan(np.asarray(y)[-1]).all(), name


@row("API-10")
def test_activations_take_options_and_infinities(column: Column) -> None:
    x = f32([-np.inf, -2, -1, -0.25, 0, 0.25, 1, 2, np.inf])
    options: dict[str, tuple[Any, Any]] = {
        "leakyrelu": ({"slope": 2.5}, partial(functional.leaky_relu, negative_slope=2.5)),
        "rrelu": (
            {"low": 0.2, "high": 0.4},
            partial(functional.rrelu, lower=0.2, upper=0.4),
        ),
        "trelu": ({"theta": -0.5}, partial(functional.threshold, threshold=-0.5, value=0)),
        "elu": ({"alpha": 1.5}, partial(functional.elu, alpha=1.5)),
        "celu": ({"alpha": 1.5}, partial(functional.celu, alpha=1.5)),
        "softshrink": ({"width": 0.2}, partial(functional.softshrink, lambd=0.2)),
        "hardshrink": ({"width": 0.2}, partial(functional.hardshrink, lambd=0.2)),
        "softplus": ({}, functional.softplus),
        "logsigmoid": ({}, functional.logsigmoid),
        "logcosh": ({}, log_cosh),
        "selu": ({}, functional.selu),
        "hardtanh": ({}, functional.hardtanh),
    }
    functions = {n: partial(getattr(nn, n), **own) for n, (own, _) in options.items()}
    model = nn.BranchLayer(**functions)
    outputs = column.fresh(model, x)
    wide = torch.tensor(x, dtype=torch.float64)
    for (name, (_, other)), y in zip(options.items(), outputs, strict=True):
        expected = other(wide).numpy()
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6, err_msg=name)


@row("API-10")
@row("T38")
def test_gelu_is_the_tanh_form(column: Column) -> None:
    model = nn.BranchLayer(nn.gelu, nn.gelu_erf)
    tanh_form, exact = column.fresh(model, f32([1]))
    close(tanh_form, [0.841192])
    close(exact, [0.841345])


@row("API-10")
def test_logcosh_is_precise_around_zero(column: Column) -> None:
    x = f32([1e-3, -1e-3, 0.1, 0.999, 1.001, 50])
    y = column.fresh(nn.WrappedFunction(nn.logcosh), x)
    wide = x.astype(np.float64)
    expected = np.where(np.abs(wide) < 0.01, wide**2 / 2 - wide**4 / 12, 0)
    near = torch.tensor(wide[2:]).cosh().log().numpy()
    close(y, np.concatenate([expected[:2], near]), rtol=1e-6, atol=0)


def draws(initializer: Any, *shape: int) -> Any:
    return initializer(np.random.default_rng(0), *shape)


def largest(model: Any) -> float:
    """Return the largest weight that twenty models begin with."""
    weights = [lxc.setup(seed, model)[0]["weight"] for seed in range(20)]
    return float(np.abs(weights).max())


@row("API-11a", eager_because=VALUES)
def test_glorot_uniform_reads_fans_of_each_rank() -> None:
    for shape, fans in (((5000,), 5001), ((300, 200), 500), ((20, 30, 3, 3), 450)):
        weight = draws(nn.glorot_uniform, *shape)
        bound = (6 / fans) ** 0.5
        assert weight.dtype == np.float32
        assert weight.shape == shape
        assert 0.98 * bound < np.abs(weight).max() <= bound
        assert abs(weight.mean()) < 0.05 * bound


@row("API-11a", eager_because=VALUES)
@row("T44", eager_because=VALUES)
def test_fans_are_those_of_the_layer_whatever_the_order_of_the_axes() -> None:
    for model, shape, bound in (
        (nn.Conv((3, 3), 4, 8), (8, 4, 3, 3), 0.235702),
        (nn.CrossCor((3, 3), 4, 8), (8, 4, 3, 3), 0.235702),
        (nn.Bilinear((2, 3), 4), (4, 2, 3), 0.547723),
        (nn.Dense(2, 10), (10, 2), 0.707107),
    ):
        assert lxc.setup(0, model)[0]["weight"].shape == shape
        assert 0.98 * bound < largest(model) <= bound * (1 + 1e-6)


@row("API-11b", eager_because=VALUES)
def test_constants_ignore_the_generator() -> None:
    for initializer, value in ((nn.zeros32, 0), (nn.ones32, 1)):
        generator = np.random.default_rng(0)
        same(initializer(generator, 2, 3), np.full((2, 3), value, np.float32))
        assert generator.random() == np.random.default_rng(0).random()


@row("API-11c", eager_because=VALUES)
def test_randn32_is_normal() -> None:
    values = draws(nn.randn32, 300, 200)
    assert values.dtype == np.float32
    assert abs(values.mean()) < 0.02
    assert abs(values.std() - 1) < 0.02
    assert 0.0015 < np.mean(np.abs(values) > 3) < 0.004


@row("API-11d", eager_because=VALUES)
def test_the_other_initialisers_have_their_spread() -> None:
    size = (300, 200)
    spread = {
        nn.glorot_normal: (2 / 500) ** 0.5,
        nn.kaiming_normal: (2 / 200) ** 0.5,
        nn.kaiming_uniform: (2 / 200) ** 0.5,
    }
    for initializer, deviation in spread.items():
        weight = draws(initializer, *size)
        assert weight.dtype == np.float32
        assert abs(weight.std() / deviation - 1) < 0.02
    unit = draws(nn.rand32, *size)
    assert unit.dtype == np.float32
    assert 0 <= unit.min() < 0.001
    assert 0.999 < unit.max() < 1
    # An untruncated normal of 60,000 draws has some beyond three deviations.
    assert np.abs(draws(nn.glorot_normal, *size)).max() > 3 * spread[nn.glorot_normal]
    bound = (6 / 200) ** 0.5
    assert 0.999 * bound < np.abs(draws(nn.kaiming_uniform, *size)).max() <= bound


def initialiser_of(dtype: str) -> Any:
    return lambda rng, *shape: np.asarray(rng.standard_normal(shape), np.dtype(dtype))


@row("API-12")
def test_the_type_of_initial_values_is_the_parameter_type(column: Column) -> None:
    shapes = []

    def weight(rng: np.random.Generator, *shape: int) -> Any:
        shapes.append(shape)
        return rng.standard_normal(shape)

    model = nn.Dense(2, 3, init_weight=weight, init_bias=initialiser_of("float16"))
    ps, st = lxc.setup(0, model)
    assert shapes == [(3, 2)]
    assert (ps["weight"].dtype, ps["bias"].dtype) == (np.float64, np.float16)
    x = draw(4, 2)
    y, _ = column(model, x, ps, st)
    assert np.asarray(y).dtype == np.float64
    product = torch.tensor(x, dtype=torch.float64) @ torch.tensor(ps["weight"]).T
    close(y, (product + torch.tensor(ps["bias"])).numpy(), rtol=1e-12, atol=1e-12)


@row("API-12", eager_because=VALUES)
def test_what_no_parameter_can_be_made_of_is_refused() -> None:
    def flat(rng: np.random.Generator, *shape: int) -> Any:
        return np.zeros(6, np.float32)

    def words(rng: np.random.Generator, *shape: int) -> Any:
        return np.full(shape, "a")

    for wrong, actual in ((flat, "float32 of shape (6,)"), (words, "of shape (3, 2)")):
        with pytest.raises(LxcError, match=f"{wrong.__name__} does not return") as caught:
            lxc.setup(0, nn.Dense(2, 3, init_weight=wrong))
        assert caught.value.code == "LXC-E0101"
        assert str(caught.value.actual).endswith(actual)


def counted() -> Any:
    return nn.Chain(
        nn.Dense(784, 64), nn.BatchNorm(64, nn.relu), nn.Dense(64, 10), nn.BatchNorm(10)
    )


@row("API-13", eager_because=TREES)
def test_parameters_are_counted() -> None:
    ps, _ = lxc.setup(0, counted())
    assert lxc.parameter_count(ps) == 51_038
    assert lxc.parameter_count({}) == 0
    assert lxc.parameter_count(ps["layer_2"]) == 128


@row("API-14", eager_because=TREES)
def test_states_are_counted() -> None:
    _, st = lxc.setup(0, counted())
    parts = [lxc.state_count(part) for part in st.values()]
    assert parts == [0, 129, 0, 21]
    assert lxc.state_count(st) == 150
    _, random = lxc.setup(0, nn.Dropout(0.5))
    assert lxc.state_count(random) == 2
    assert lxc.state_count({"rng": random["rng"], "training": True, "carry": None}) == 3


@row("API-15")
def test_two_dropouts_in_one_chain_draw_apart(column: Column) -> None:
    copies = nn.BranchLayer(nn.Dropout(0.5), nn.Chain(nn.identity, nn.Dropout(0.5)))
    model = nn.Chain(lambda x: x + 1, copies)
    ps, st = lxc.setup(0, model)
    keys = [st["layer_2"][name]["rng"] for name in ("layer_1", "layer_2")]
    assert not np.array_equal(*keys)
    one, two = column(model, np.zeros((8, 8), np.float32), ps, st)[0]
    masks = [np.asarray(y) == 0 for y in (one, two)]
    assert all(0 < mask.sum() < 64 for mask in masks)
    assert not np.array_equal(*masks)


@row("API-15", eager_because=TREES)
def test_set_up_advances_the_generator_once_per_drawing_layer() -> None:
    generator = np.random.default_rng(5)
    _, st = lxc.setup(generator, nn.Chain(nn.Dropout(0.5), np.tanh, nn.Dropout(0.1)))
    twin = np.random.default_rng(5)
    for name in ("layer_1", "layer_3"):
        same(st[name]["rng"], twin.integers(0, 2**32, 2, dtype=np.uint32))
    assert generator.random() == twin.random()
