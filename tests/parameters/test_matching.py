"""Which module of a file is which layer, and what is said where that is not certain."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.runtime.artifact import read
from tests.parameters.test_torch import arrays_of, drawn, torch_result

Array = np.ndarray[Any, Any]


def classifier() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3, bias=False),
        torch.nn.BatchNorm2d(3),
        torch.nn.ReLU(),
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 3, 6)),
        torch.nn.ReLU(),
        *(torch.nn.Linear(6, 6) for _ in range(8)),
    )


def ours() -> Any:
    return nn.Chain(
        nn.Conv((3, 3), 1, 3, use_bias=False),
        nn.BatchNorm(3, nn.relu),
        nn.FlattenLayer(),
        nn.Dense(36, 6, nn.relu),
        *(nn.Dense(6, 6) for _ in range(8)),
    )


IMAGE = drawn(2, 1, 6, 5)


def compared(made: Any, theirs: torch.nn.Module) -> None:
    y, _ = ours()(IMAGE, made.params, lxc.testmode(made.state))
    np.testing.assert_allclose(y, torch_result(theirs, IMAGE), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("prefix", ["", "net.", "model.encoder."])
def test_numbered_modules_are_taken_in_order(prefix: str) -> None:
    theirs = classifier()
    arrays = {f"{prefix}{name}": array for name, array in arrays_of(theirs).items()}
    shuffled = dict(sorted(arrays.items()))
    made = lxc.convert_params(shuffled, ours())
    assert made.report.loaded == 2 + 1 + 2 + 9 * 2
    compared(made, theirs)


def test_a_compiled_model_says_what_its_layers_are() -> None:
    theirs, model = classifier(), ours()
    ps, st = lxc.setup(0, model)
    m = lxc.compile(model, IMAGE, ps, st, mode="test", target="x86-64-v2")
    made = lxc.convert_params(arrays_of(theirs), m)
    y, _ = m(IMAGE, made.params, {**st, **lxc.testmode(made.state)})
    np.testing.assert_allclose(y, torch_result(theirs, IMAGE), rtol=2e-5, atol=2e-6)
    bare = lxc.convert_params(arrays_of(theirs), model)
    for name, array in lxc.flat_names(bare.params).items():
        np.testing.assert_array_equal(lxc.flat_names(made.params)[name], array, name)


def test_the_ir_tells_of_loops_and_normalised_weights_too() -> None:
    model = nn.Chain(
        nn.Recurrence(nn.GRUCell(4, 4)),
        nn.WeightNorm(nn.Dense(4, 3), ("weight",), dims=(0,)),
    )
    theirs = torch.nn.ModuleList(
        [
            torch.nn.GRU(4, 4),
            torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(4, 3)),
        ]
    )
    ps, st = lxc.setup(0, model)
    m = lxc.compile(model, drawn(2, 5, 4), ps, st, target="x86-64-v2")
    by_layer = lxc.convert_params(arrays_of(theirs), model)
    by_ir = lxc.convert_params(arrays_of(theirs), read(m.artifact.with_members({})))
    names = lxc.flat_names(by_layer.params)
    assert lxc.flat_names(by_ir.params).keys() == names.keys()
    for name, array in lxc.flat_names(by_ir.params).items():
        np.testing.assert_array_equal(array, names[name], name)


def named() -> dict[str, Array]:
    return {
        f"{name}.{leaf}": np.ones((2, 2) if leaf == "weight" else 2, np.float32) * place
        for place, name in enumerate(("encoder", "decoder"), 1)
        for leaf in ("weight", "bias")
    }


def test_the_order_of_names_is_no_reason() -> None:
    model = nn.Chain(nn.Dense(2, 2), nn.Dense(2, 2))
    with pytest.raises(LxcError) as caught:
        lxc.convert_params(named(), model)
    assert caught.value.code == "LXC-E0409"
    assert "params.layer_1.weight is missing" in str(caught.value)
    assert "encoder.weight" in str(caught.value)
    rename = {"layer_1": "encoder", "layer_2": "decoder"}
    made = lxc.convert_params(named(), model, rename=rename)
    assert made.params["layer_1"]["bias"].tolist() == [1, 1]
    assert made.params["layer_2"]["bias"].tolist() == [2, 2]
    part = lxc.convert_params(named(), model, rename={"layer_2": "decoder"}, strict=False)
    assert part.report.loaded == 2
    assert [entry.name for entry in part.report.missing] == [
        "params.layer_1.weight",
        "params.layer_1.bias",
    ]
    assert [entry.name for entry in part.report.unexpected] == [
        "encoder.weight",
        "encoder.bias",
    ]


def test_numbers_that_differ_in_count_are_no_reason() -> None:
    arrays = arrays_of(torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(3))))
    with pytest.raises(LxcError, match=r"layer_1\.weight is missing"):
        lxc.convert_params(arrays, nn.Chain(nn.Dense(2, 2), nn.Dense(2, 2)))


WRONG: dict[str, Any] = {
    "a bias too many": (
        torch.nn.Linear(2, 2),
        nn.Dense(2, 2, use_bias=False),
        "bias is not in the model",
    ),
    "a bias too few": (
        torch.nn.Linear(2, 2, bias=False),
        nn.Dense(2, 2),
        "params.bias is missing",
    ),
    "no statistics": (torch.nn.LayerNorm(2), nn.BatchNorm(2), "running_mean is missing"),
    "no statistics of groups": (
        torch.nn.GroupNorm(2, 4),
        nn.GroupNorm(4, 2),
        "running_mean is missing",
    ),
    "another kind": (torch.nn.BatchNorm1d(2), nn.Dense(2, 2), "running_mean"),
    "another size": (torch.nn.Linear(2, 3), nn.Dense(2, 2), r"float32\[3, 2\]"),
    "projections": (
        torch.nn.LSTM(2, 4, proj_size=2),
        nn.Recurrence(nn.LSTMCell(2, 4)),
        "weight_hr",
    ),
    "gates": (torch.nn.GRU(2, 2), nn.Recurrence(nn.LSTMCell(2, 2)), "does not fit"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name: str) -> None:
    theirs, layer, words = WRONG[name]
    with pytest.raises(LxcError, match=words) as caught:
        lxc.convert_params(arrays_of(theirs), layer)
    assert caught.value.code == "LXC-E0409"


def test_damaged_leaves_are_coded_errors() -> None:
    layer = nn.Chain(nn.Recurrence(nn.GRUCell(2, 2)), nn.Dense(2, 2))
    good = {f"0.{n}_l0": np.ones(6) for n in ("weight_ih", "weight_hh", "bias_ih")}
    for bad in (np.ones(()), np.ones(5), np.ones((6, 1))):
        arrays = {**good, "0.bias_hh_l0": bad, "1.weight": np.ones((2, 2))}
        with pytest.raises(LxcError) as caught:
            lxc.convert_params(arrays, layer)
        assert caught.value.code == "LXC-E0409"
    for style in ("flax", "kaun", "lux", "lux-hdf5"):
        with pytest.raises(LxcError) as caught:
            lxc.convert_params({"0/x": np.ones(3), "1/y": np.ones(3)}, layer, style=style)
        assert caught.value.code == "LXC-E0409"


def test_an_unknown_style_or_goal_is_refused() -> None:
    for like, style in ((nn.Dense(2, 2), "caffe"), (3, "torch")):
        with pytest.raises(LxcError) as caught:
            lxc.convert_params({}, like, style=style)
        assert caught.value.code == "LXC-E0001"


def test_what_is_not_changed_is_not_copied() -> None:
    arrays = arrays_of(torch.nn.Linear(3, 2))
    made = lxc.convert_params(arrays, nn.Dense(3, 2))
    assert np.shares_memory(made.params["weight"], arrays["weight"])
    assert not made.params["weight"].flags.writeable
