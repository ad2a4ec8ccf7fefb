"""State that is None at first, in files, in bound models and in placed calls."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.runtime.checkpoint import flatten_names, read_checkpoint
from lxc.runtime.signature_json import signature_from_json
from lxc.tree import Optional

BATCH = 2
Trees = tuple[nn.Layer, Any, Any, lxc.CompiledModel]


@pytest.fixture(scope="module")
def trees() -> Trees:
    model = nn.StatefulRecurrentCell(nn.GRUCell(3, 4))
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 3))
    return model, ps, st, lxc.compile(model, spec, ps, st, target="native")


def steps(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).standard_normal((count, BATCH, 3), np.float32)


def test_a_saved_artifact_holds_no_carry_until_there_is_one(
    trees: Trees, tmp_path: Path
) -> None:
    _, ps, st, compiled = trees
    compiled.save(tmp_path / "fresh.lxc", params=ps, state=st)
    fresh = lxc.load(tmp_path / "fresh.lxc")
    assert fresh.state["carry"] is None
    y, after = compiled(steps(1)[0], ps, st)
    compiled.save(tmp_path / "warm.lxc", params=ps, state=after)
    warm = lxc.load(tmp_path / "warm.lxc")
    np.testing.assert_array_equal(warm.state["carry"][0], y)
    assert "carry.present" not in flatten_names(warm.state)
    lxc.runtime.save_params(tmp_path / "state.safetensors", after)
    assert set(read_checkpoint(tmp_path / "state.safetensors").arrays) == {
        "cell.rng",
        "carry.0",
    }


def test_a_bound_model_takes_none_and_carries(trees: Trees) -> None:
    model, ps, st, compiled = trees
    bound = compiled.bind(ps, st)
    want = st
    for x in steps(3):
        y, st = bound(x, st)
        expected, want = model(x, ps, want)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_a_placed_call_updates_the_carry_in_place(trees: Trees) -> None:
    model, ps, st, compiled = trees
    bound = compiled.bind(ps, st)
    x, y = np.empty((BATCH, 3), np.float32), np.empty((BATCH, 4), np.float32)
    present, hidden = np.zeros((), np.bool_), np.zeros((BATCH, 4), np.float32)
    state = {**st, "carry": Optional(present, (hidden,))}
    run = bound.at(inputs=x, outputs=y, state=state)
    want = st
    for step in steps(3):
        x[:] = step
        run()
        expected, want = model(step, ps, want)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        assert present
        np.testing.assert_array_equal(hidden, y)


def test_a_placed_call_needs_memory_for_the_carry(trees: Trees) -> None:
    _, ps, st, compiled = trees
    x, y = np.empty((BATCH, 3), np.float32), np.empty((BATCH, 4), np.float32)
    with pytest.raises(LxcError, match="Optional"):
        compiled.bind(ps, st).at(inputs=x, outputs=y, state=st)
    _, after = compiled(x, ps, st)
    run = compiled.bind(ps, st).at(inputs=x, outputs=y, state=after)
    expected, _ = compiled(x, ps, after)
    run()
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize(
    "change", [{"frozen": True}, {"shape": [3]}, {"shape": ["N"]}, {"dtype": "int32"}]
)
def test_a_manifest_with_another_leaf_that_says_what_is_there_is_refused(
    trees: Trees, change: dict[str, Any]
) -> None:
    value = trees[-1].signature.to_json()
    assert value["state"]["leaves"][1]["name"] == "carry.present"
    value["state"]["leaves"][1].update(change)
    with pytest.raises(LxcError) as caught:
        signature_from_json(value)
    assert caught.value.code == "LXC-E0402"


def test_a_manifest_with_a_frozen_leaf_that_may_be_missing_is_refused(trees: Trees) -> None:
    value = trees[-1].signature.to_json()
    value["state"]["leaves"][2]["frozen"] = True
    with pytest.raises(LxcError, match="may be missing"):
        signature_from_json(value)
