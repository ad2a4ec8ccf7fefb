"""Embedding."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, draw, f32, same
from tests.conformance.rows import row

BATCH = lxc.Dim("N", 1, 8)
TABLE = {"weight": draw(7, 3)}


def rows_of(ids: Any) -> np.ndarray[Any, Any]:
    """Return the rows that torch finds."""
    table = torch.tensor(TABLE["weight"])
    return torch.nn.functional.embedding(torch.tensor(ids), table).numpy()


@row("EMB-01")
def test_an_embedding_is_a_row_of_the_table(column: Column) -> None:
    model = nn.Embedding(7, 3)
    assert lxc.setup(0, model)[0]["weight"].shape == (7, 3)
    for ids in (
        np.int32(4),
        np.array([6, 0], np.int32),
        np.array([[6, 0], [1, 1]], np.int32),
    ):
        y, st = column(model, np.asarray(ids), TABLE, {})
        assert y.shape == (*ids.shape, 3)
        same(y, rows_of(ids))
        assert st == {}


@row("EMB-01")
def test_an_embedding_takes_any_batch(column: Column) -> None:
    model = nn.Chain(nn.Embedding(7, 3), nn.FlattenLayer())
    ps = {"layer_1": TABLE, "layer_2": {}}
    st: Any = {"layer_1": {}, "layer_2": {}}
    call = column.built(model, lxc.TensorSpec((BATCH, 4), "int64"), ps, st)
    for count in (1, 3, 8):
        ids = np.random.default_rng(count).integers(0, 7, (count, 4))
        same(call(ids, ps, st)[0], rows_of(ids).reshape(count, 12))


@row("EMB-02", eager_because="initial values are drawn in Python")
def test_the_table_is_drawn_from_the_standard_normal_distribution() -> None:
    table = lxc.setup(0, nn.Embedding(300, 200))[0]["weight"]
    assert table.dtype == np.float32
    assert abs(table.mean()) < 0.02
    assert abs(table.std() - 1) < 0.02
    assert np.abs(table).max() > 3.5
    asked = nn.Embedding(2, 3, init_weight=lambda rng, *shape: np.full(shape, 2.0))
    same(lxc.setup(0, asked)[0]["weight"], np.full((2, 3), 2.0))


@row("EMB-02")
def test_rows_are_not_scaled(column: Column) -> None:
    ps = {"weight": np.ones((2, 4), np.float32)}
    same(column(nn.Embedding(2, 4), np.array([1]), ps, {})[0], f32([[1, 1, 1, 1]]))


@row("EMB-03")
@pytest.mark.parametrize(
    "ids", [f32([0, 1]), np.eye(7, dtype=np.float32), np.ones(7, bool)]
)
def test_ids_are_integers(column: Column, ids: np.ndarray[Any, Any]) -> None:
    with pytest.raises(LxcError, match="integers") as caught:
        column.fresh(nn.Embedding(7, 3), ids)
    assert caught.value.code == "LXC-E0103"


@row("EMB-03")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_an_id_outside_of_the_table_is_an_error(column: Column, dtype: str) -> None:
    model = nn.Embedding(7, 3)
    call = column.built(model, lxc.TensorSpec((2, 2), dtype), TABLE, {})
    fine = np.array([[0, 6], [3, 1]], dtype)
    same(call(fine, TABLE, {})[0], rows_of(fine.astype(np.int64)))
    for wrong in (7, 200, *(() if dtype == "uint8" else (-1,))):
        ids = fine.copy()
        ids[1, 0] = wrong
        with pytest.raises(LxcError, match=r"0\.\.6") as caught:
            call(ids, TABLE, {})
        assert caught.value.code in ("LXC-E0103", "LXC-E0501")
        assert str(wrong) in str(caught.value.actual)


@row("EMB-03")
def test_ids_are_checked_behind_a_change_of_shape(column: Column) -> None:
    model = nn.Chain(lambda x: x.T.reshape(-1).astype(np.int64), nn.Embedding(7, 3))
    ps = {"layer_1": {}, "layer_2": TABLE}
    st: Any = {"layer_1": {}, "layer_2": {}}
    ids = np.array([[0, 1, 2], [3, 4, 6]], np.int32)
    call = column.built(model, lxc.TensorSpec((BATCH, 3), "int32"), ps, st)
    same(call(ids, ps, st)[0], rows_of(ids.T.reshape(-1).astype(np.int64)))
    with pytest.raises(LxcError, match=r"0\.\.6"):
        call(ids + 1, ps, st)


@row("EMB-03")
def test_compiled_code_reads_nothing_outside_of_the_table(column: Column) -> None:
    def both(x: Any) -> Any:
        return x[:, 0] * 1000, x[:, 1] - 1000

    model = nn.Chain(both, nn.Parallel(None, nn.Embedding(7, 3), nn.Embedding(7, 3)))
    other = {"weight": TABLE["weight"] + 1}
    ps = {"layer_1": {}, "layer_2": {"layer_1": TABLE, "layer_2": other}}
    st: Any = {"layer_1": {}, "layer_2": {"layer_1": {}, "layer_2": {}}}
    ids = np.array([[1, 2], [6, 0]], np.int32)
    if column.name in ("eager", "interpreter"):
        with pytest.raises(LxcError, match=r"0\.\.6"):
            column(model, ids, ps, st)
        return
    high, low = column(model, ids, ps, st)[0]
    same(high, TABLE["weight"][[6, 6]])
    same(low, other["weight"][[0, 0]])


@row("EMB-03", eager_because="sizes are checked before anything is computed")
def test_a_table_has_rows() -> None:
    for vocab, dim in ((0, 3), (3, 0)):
        with pytest.raises(LxcError, match="at least 1") as caught:
            nn.Embedding(vocab, dim)
        assert caught.value.code == "LXC-E0101"
