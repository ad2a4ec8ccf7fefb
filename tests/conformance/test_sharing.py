"""Tied parameters: one array, one buffer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close_sums, draw
from tests.conformance.rows import row


@dataclass(frozen=True)
class Tied(nn.Layer):
    """Look words up in a table, and score them with the same table."""

    words: int
    size: int

    def init_params(self, rng: Any) -> dict[str, Any]:
        """Return the table at both of its places."""
        table = rng.standard_normal((self.words, self.size)).astype(np.float32)
        return {"embedding": {"weight": table}, "head": {"weight": table}}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [batch, words]."""
        embedding = nn.Embedding(self.words, self.size)
        head = nn.Dense(self.size, self.words, use_bias=False)
        h, _ = embedding(x, ps["embedding"], {})
        y, _ = head(h, ps["head"], {})
        return y, st


@row("T53")
def test_a_change_of_a_shared_parameter_moves_both_outputs(column: Column) -> None:
    model = nn.BranchLayer(nn.Dense(3, 3), nn.Dense(3, 3))
    ps, st = lxc.setup(0, model)
    ps = lxc.share_parameters(ps, ("layer_1", "layer_2"))
    assert lxc.parameter_count(ps) == 12
    x = draw(2, 3)
    call = column.built(model, x, ps, st)
    (one, two), _ = call(x, ps, st)
    np.testing.assert_array_equal(one, two)
    close_sums(one, x @ ps["layer_1"]["weight"].T)
    other = {**ps["layer_1"], "weight": draw(3, 3, seed=1)}
    (one, two), _ = call(x, {"layer_1": other, "layer_2": other}, st)
    close_sums(one, x @ other["weight"].T)
    np.testing.assert_array_equal(one, two)


@row("T53")
def test_a_table_that_scores_too_is_stored_once(column: Column, tmp_path: Path) -> None:
    model, ids = Tied(7, 4), np.asarray([1, 5])
    ps, st = lxc.setup(0, model)
    assert ps["embedding"]["weight"] is ps["head"]["weight"]
    assert lxc.parameter_count(ps) == 28
    expected = ps["head"]["weight"][ids] @ ps["head"]["weight"].T
    call = column.built(model, ids, ps, st)
    close_sums(call(ids, ps, st)[0], expected)
    if not isinstance(call, lxc.CompiledModel):
        return
    assert [leaf.name for leaf in call.signature.params.leaves] == ["embedding.weight"]
    call.save(tmp_path / "tied.lxc", params=ps, state=st)
    loaded = lxc.load(tmp_path / "tied.lxc")
    assert loaded.params["embedding"]["weight"] is loaded.params["head"]["weight"]
    close_sums(loaded(ids, loaded.params, loaded.state)[0], expected)
    copies = {name: {"weight": part["weight"].copy()} for name, part in ps.items()}
    close_sums(loaded(ids, copies, st)[0], expected)
    copies["head"]["weight"][0, 0] += 1
    with pytest.raises(LxcError) as caught:
        loaded(ids, copies, st)
    assert caught.value.code == "LXC-E0509"


@row("T53", eager_because="what can be shared is decided before anything is computed")
def test_what_cannot_be_shared() -> None:
    ps, _ = lxc.setup(0, nn.Chain(nn.Dense(3, 4), nn.Dense(4, 3)))
    with pytest.raises(LxcError, match=r"layer_2\.weight cannot be the same"):
        lxc.share_parameters(ps, ("layer_1.weight", "layer_2.weight"))
    with pytest.raises(LxcError) as caught:
        lxc.share_parameters(ps, ("layer_1.weight", "layer_2.wight"))
    assert "layer_2.weight" in str(caught.value)


@row("T53")
def test_groups_that_meet_become_one(column: Column) -> None:
    model = nn.BranchLayer(nn.Dense(3, 3), nn.Dense(3, 3), nn.Dense(3, 3))
    ps, st = lxc.setup(0, model)
    for groups in (
        (("layer_1", "layer_2"), ("layer_3", "layer_2")),
        (("layer_1", "layer_2"), ("layer_2", "layer_3")),
    ):
        shared = lxc.share_parameters(ps, *groups)
        assert lxc.parameter_count(shared) == 12
        (one, two, three), _ = column(model, draw(2, 3), shared, st)
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)


@row("T53")
def test_kaun_variables_are_shared(column: Column) -> None:
    layer = kaun.sequential([kaun.linear(in_features=3, out_features=3) for _ in range(2)])
    vars = kaun.init(layer, dtype="float32", rng=0)
    shared = lxc.share_parameters(vars, ("0.weight", "1.weight"))
    assert lxc.parameter_count(shared) == 15
    weight, x = vars.params[0]["weight"], draw(2, 3)
    close_sums(column.kaun(layer, x, shared)[0], x @ weight @ weight)
