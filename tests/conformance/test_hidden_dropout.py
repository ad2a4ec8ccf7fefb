"""VariationalHiddenDropout: a mask that is kept."""

from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, draw, f32, same
from tests.conformance.rows import row


def kept(y: Any) -> Any:
    """Return where something came through."""
    return np.asarray(y) != 0


@row("VHD-01")
@row("VHD-02")
@row("T29")
def test_the_mask_is_kept_until_a_new_one_is_asked_for(column: Column) -> None:
    model, x = nn.VariationalHiddenDropout(0.25), np.ones((8, 16), np.float32)
    ps, st = lxc.setup(0, model)
    assert list(st) == ["rng", "training", "update_mask", "mask"]
    assert st["update_mask"]
    assert st["mask"] is None
    call = column.built(model, x, ps, st)
    first, one = call(x, ps, st)
    eager, want = model(x, ps, st)
    np.testing.assert_array_equal(first, eager)
    same(dict(one), dict(want))
    assert not np.array_equal(one["rng"], st["rng"])
    same(lxc.ops.random_uniform(st["rng"], (8, 16)) > 0.25, kept(first))
    assert not one["update_mask"]
    assert one["training"] is True
    assert one["mask"].shape == (8, 16)
    assert set(np.unique(one["mask"])) == {np.float32(0), np.float32(1 / 0.75)}
    assert 0.6 < kept(first).mean() < 0.9
    second, two = call(2 * x, ps, one)
    np.testing.assert_array_equal(second, 2 * first)
    same((second, dict(two)), model(2 * x, ps, want))
    np.testing.assert_array_equal(two["rng"], one["rng"])
    asked = lxc.update_state(two, "update_mask", True)
    third, three = call(x, ps, asked)
    assert (kept(third) != kept(first)).any()
    assert not three["update_mask"]
    same((third, dict(three)), model(x, ps, lxc.update_state(want, "update_mask", True)))


@row("VHD-02")
def test_the_mask_of_whole_numbers_is_scaled_too(column: Column) -> None:
    model, x = nn.VariationalHiddenDropout(0.25), np.full((8, 16), 3)
    y, after = column(model, x, *lxc.setup(0, model))
    assert set(np.unique(y)) == {0, 4}
    assert after["mask"].max() == 1 / 0.75


@row("VHD-01")
@row("API-05")
def test_two_of_them_are_asked_at_once(column: Column) -> None:
    model = nn.Chain(nn.VariationalHiddenDropout(0.5), nn.VariationalHiddenDropout(0.5))
    x = np.ones((4, 8), np.float32)
    ps, st = lxc.setup(0, model)
    call = column.built(model, x, ps, st)
    first, st = call(x, ps, st)
    assert (st["layer_1"]["mask"] != st["layer_2"]["mask"]).any()
    again, st = call(x, ps, st)
    np.testing.assert_array_equal(again, first)
    _, after = call(x, ps, lxc.update_state(st, "update_mask", True))
    for name in ("layer_1", "layer_2"):
        assert (after[name]["mask"] != st[name]["mask"]).any()


@row("VHD-03")
@row("D14")
def test_test_mode_touches_nothing(column: Column) -> None:
    model, x = nn.VariationalHiddenDropout(0.5, dims=1), draw(4, 8)
    ps, st = lxc.setup(0, model)
    quiet = lxc.testmode(st)
    call = column.built(model, x, ps, quiet)
    y, after = call(x, ps, quiet)
    np.testing.assert_array_equal(y, x)
    assert after["mask"] is None
    assert after["update_mask"]
    np.testing.assert_array_equal(after["rng"], st["rng"])
    _, trained = model(x, ps, st)
    y, after = call(x, ps, lxc.testmode(trained))
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(after["mask"], trained["mask"])
    assert not after["update_mask"]
    again, _ = model(x, ps, lxc.trainmode(after))
    np.testing.assert_array_equal(kept(again), kept(model(x, ps, st)[0]))


@row("VHD-04")
def test_a_kept_mask_that_does_not_fit_is_refused(column: Column) -> None:
    model = nn.VariationalHiddenDropout(0.5)
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 4))
    call = column.built(model, spec, ps, st)
    _, after = call(draw(2, 4), ps, st)
    with pytest.raises(LxcError, match="mask"):
        call(draw(3, 4), ps, after)
    anew = lxc.update_state(after, "mask", None)
    y, _ = call(draw(3, 4), ps, anew)
    np.testing.assert_array_equal(y, model(draw(3, 4), ps, anew)[0])


@row(
    "VHD-04", eager_because="compiled code has one shape of mask; there it is dropped first"
)
def test_in_python_a_new_mask_may_have_another_shape() -> None:
    model = nn.VariationalHiddenDropout(0.5)
    ps, st = lxc.setup(0, model)
    _, after = model(draw(2, 4), ps, st)
    _, other = model(draw(3, 4), ps, lxc.update_state(after, "update_mask", True))
    assert other["mask"].shape == (3, 4)


@row("VHD-05a", eager_because="it is a no-op by construction")
def test_nothing_to_drop_is_a_no_op() -> None:
    model = nn.VariationalHiddenDropout(0.0)
    assert isinstance(model, nn.NoOpLayer)
    assert lxc.setup(0, model) == ({}, {})


@row("VHD-05b")
def test_everything_dropped_gives_zeros(column: Column) -> None:
    model, x = nn.VariationalHiddenDropout(1.0), f32([[1, -np.inf, np.inf, np.nan]])
    ps, st = lxc.setup(0, model)
    y, _ = column(model, x, ps, st)
    close(y, np.zeros((1, 4)))
    np.testing.assert_array_equal(column(model, x, ps, lxc.testmode(st))[0], x)


@row("VHD-05c")
@row("D14")
def test_the_mask_has_its_reduced_shape(column: Column) -> None:
    model = nn.VariationalHiddenDropout(0.5, dims=1)
    x = np.ones((3, 16, 2, 2), np.float32)
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 8), 16, 2, 2))
    call = column.built(model, spec, ps, st)
    y, after = call(x, ps, st)
    assert after["mask"].shape == (1, 16, 1, 1)
    np.testing.assert_array_equal(y, np.broadcast_to(2 * kept(y[:1, :, :1, :1]), y.shape))
    wider, _ = call(np.ones((8, 16, 2, 2), np.float32), ps, after)
    np.testing.assert_array_equal(kept(wider)[0], kept(y)[0])
