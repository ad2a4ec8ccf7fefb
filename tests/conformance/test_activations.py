"""Activations, and pads that keep sizes."""

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
from tests.conformance.columns import Column, close, close_sums, draw, f32
from tests.conformance.rows import row

OPTION = "the function is chosen when the layer is made"


@row("API-07")
def test_same_pads_are_equal_printable_and_accepted_by_every_pad(column: Column) -> None:
    assert nn.SamePad() == nn.SamePad()
    assert repr(nn.SamePad()) == str(nn.SamePad()) == "SamePad()"
    makers: tuple[Any, ...] = (
        partial(nn.Conv, (2, 3), 2, 2),
        partial(nn.CrossCor, (2, 3), 2, 2),
        partial(nn.ConvTranspose, (2, 3), 2, 2),
        partial(nn.MaxPool, (2, 3), stride=1),
        partial(nn.MeanPool, (2, 3), stride=1),
    )
    layers = [make(pad=nn.SamePad()) for make in makers]
    assert layers == [make(pad=nn.SamePad()) for make in makers]
    x = draw(1, 2, 5, 7)
    *_, largest_one, mean = outputs = column.fresh(nn.BranchLayer(*layers), x)
    assert [np.shape(y) for y in outputs] == [x.shape] * 5
    # Of a window of (2, 3), one row stands above the image and a column on each side.
    sides = (1, 1, 1, 0)
    wide = functional.pad(torch.tensor(x), sides, value=-np.inf)
    close(largest_one, functional.max_pool2d(wide, (2, 3), 1).numpy())
    wide = functional.pad(torch.tensor(x), sides)
    close(mean, functional.avg_pool2d(wide, (2, 3), 1).numpy())


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
