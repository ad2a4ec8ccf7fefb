"""Models in every float type against float64, and inputs that are no floats."""

import inspect
import warnings
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import lxc
from lxc import kaun, nn, ops
from lxc.frontend.setup import with_mode
from lxc.ir.agreement import relative_error
from lxc.tree import flatten, map_leaves
from tests.conformance.columns import Column, columns, same
from tests.conformance.feeds import arrays
from tests.conformance.models import (
    KAUN_RUNS,
    LUX,
    LUX_RUNS,
    kaun_layers,
    kaun_model,
    kaun_sequences,
    layers_in,
    lux_model,
)

TOLERANCES = {
    np.dtype(np.float64): 1e-10,
    np.dtype(np.float16): 1e-3,
    np.dtype(ml_dtypes.bfloat16): 1.6e-2,
}
SIZES = {"N": 3}
KEY = np.array([3, 4], np.uint32)
WAYS = [
    pytest.param(column, dtype, id=f"{column.name.replace(' ', '-')}-{dtype.name}")
    for column in columns()
    for dtype in TOLERANCES
    if (column.name, dtype.name) != ("lowest level", "float64")
]
typed = pytest.mark.parametrize(("column", "dtype"), WAYS)


def agree(actual: Any, exact: Any, dtype: np.dtype[Any]) -> None:
    """Assert that floats are of a type and close to those of float64, all else equal."""
    leaves, structure = flatten(actual)
    others, other = flatten(exact)
    assert structure == other
    for number, (one, two) in enumerate(zip(leaves, others, strict=True)):
        if two.dtype == np.float64:
            assert one.dtype == dtype, number
            error = relative_error(np.asarray(one), two)
            assert error <= TOLERANCES[dtype], f"leaf {number}: {error:.2e}"
        else:
            np.testing.assert_array_equal(one, two, strict=True)


def in_float64(tree: Any) -> Any:
    """Return a tree with its floats in float64."""
    return lxc.cast(tree, "float64")


@typed
@pytest.mark.parametrize(("group", "mode"), LUX_RUNS)
def test_lux_layers_agree_with_float64(
    group: str, mode: str, dtype: np.dtype[Any], column: Column
) -> None:
    model, feeds = lux_model(group)
    x = arrays(feeds, SIZES, dtype)
    ps, st = (lxc.cast(tree, dtype) for tree in lxc.setup(0, model))
    st = with_mode(st, mode)
    exact = model(in_float64(x), in_float64(ps), in_float64(st))
    agree(column(model, x, ps, st), exact, dtype)


@typed
@pytest.mark.parametrize(("group", "training"), KAUN_RUNS)
def test_kaun_layers_agree_with_float64(
    group: str, training: bool, dtype: np.dtype[Any], column: Column
) -> None:
    model, feeds = kaun_model(group)
    x = arrays(feeds, SIZES, dtype)
    vars = kaun.init(model, dtype)
    rngs = KEY if training else None
    y, after = column.kaun(model, x, vars, training, rngs)
    wide = in_float64(vars)
    exact, wide_after = kaun.apply(model, wide, in_float64(x), training, rngs)
    agree((y, after.state), (exact, wide_after.state), dtype)


@typed
def test_a_type_is_kept_through_a_model(dtype: np.dtype[Any], column: Column) -> None:
    model = nn.Chain(nn.Conv((3, 3), 1, 4, nn.relu), nn.BatchNorm(4), nn.GlobalMeanPool())
    ps, st = (lxc.cast(tree, dtype) for tree in lxc.setup(0, model))
    x = np.ones((2, 1, 5, 5), dtype)
    y, after = column(model, x, ps, st)
    assert y.dtype == dtype
    assert {leaf.dtype for leaf in flatten(after)[0]} == {dtype}


def test_cast_converts_floats_and_nothing_else() -> None:
    model = nn.Chain(nn.BatchNorm(3), nn.Dropout(0.5), nn.Embedding(5, 3))
    ps, st = lxc.setup(0, model)
    tree = {"ps": ps, "st": st, "count": np.arange(3), "carry": None, "mask": [True]}
    half = lxc.cast(tree, "bf16")
    assert flatten(half)[1] == flatten(tree)[1]
    for before, after in zip(flatten(tree)[0], flatten(half)[0], strict=True):
        if before.dtype.kind == "f":
            assert after.dtype == ml_dtypes.bfloat16
            np.testing.assert_array_equal(after, before.astype(ml_dtypes.bfloat16))
        else:
            np.testing.assert_array_equal(after, before, strict=True)
        assert not after.flags.writeable
    same(tree["ps"], ps)
    assert lxc.cast(ps, np.float16)["layer_3"].path == "layer_3"


def test_cast_rounds_to_nearest_even_and_overflows_to_infinity() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cast = lxc.cast([np.array([2049.0, 2051.0, -1e30])], "float16")
    np.testing.assert_array_equal(cast[0], np.array([2048, 2052, -np.inf], np.float16))


def test_cast_changes_what_kaun_variables_demand() -> None:
    layer = kaun.linear(3, 2)
    vars = lxc.cast(kaun.init(layer), "float16")
    assert vars.dtype == np.float16
    assert vars.params["weight"].dtype == np.float16
    y, _ = kaun.apply(layer, vars, np.ones((1, 3), np.float16))
    assert y.dtype == np.float16
    with pytest.raises(lxc.LxcError, match="float32 does not match model dtype float16"):
        kaun.apply(layer, vars, np.ones((1, 3), np.float32))


@pytest.mark.parametrize("dtype", ["int32", "bool", "uint8"])
def test_models_cannot_be_cast_to_what_is_no_float(dtype: str) -> None:
    with pytest.raises(lxc.LxcError, match="element type is a float type") as caught:
        lxc.cast({}, dtype)
    assert caught.value.code == "LXC-E0101"


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_layers_sum_half_types_in_float32(half: str, column: Column) -> None:
    dtype = np.dtype(ml_dtypes.bfloat16) if half == "bfloat16" else np.dtype(half)
    total = nn.WrappedFunction(lambda x: ops.sum(x, (2, 3)))
    layers = [nn.Dense(4096, 2, use_bias=False), nn.Conv((64, 64), 1, 2), total]
    layers += [
        nn.GlobalMeanPool(),
        nn.MeanPool((64, 64)),
        nn.BatchNorm(1, track_stats=False, affine=False),
    ]
    layers += [nn.WrappedFunction(lambda x: ops.softmax(ops.reshape(x, (1, 4096))))]
    model = nn.Parallel(None, *layers)
    ps, st = lxc.setup(0, model)
    image = np.ones((1, 1, 64, 64), dtype)
    image[0, 0, ::2] = 3
    ones = map_leaves(np.ones_like, lxc.cast(ps, dtype))
    zeros = {**ones, "layer_2": {**ones["layer_2"], "bias": np.zeros(2, dtype)}}
    x = (image.reshape(1, 4096), *[image] * 6)
    (dense, conv, sum_, mean, pool, norm, soft), _ = column(model, x, zeros, st)
    for y, exact in ((dense, 8192), (conv, 8192), (sum_, 8192), (mean, 2), (pool, 2)):
        np.testing.assert_array_equal(y.astype(np.float32), np.full(y.shape, exact))
    np.testing.assert_allclose(norm.astype(np.float32), image - np.float32(2), 1e-4)
    np.testing.assert_allclose(soft.astype(np.float32).sum(), 1, 1.6e-2)


def test_whole_numbers_and_bools_select_and_compare(column: Column) -> None:
    def chosen(inputs: Any) -> Any:
        x, mask, ids, long = inputs
        kept = ops.where(mask, x, 0)
        near = ops.where(ops.less(ids, 3), kept, ops.astype(ids, np.float32))
        return near, ops.equal(long, ids), ops.add(long, ids), ops.logical_not(mask)

    x = np.arange(6, dtype=np.float32) - 2
    mask = np.array([True, False, True, True, False, True])
    ids = np.array([0, 3, 2, 5, -1, 2], np.int32)
    long = np.array([0, 2**40, 2, 5, -1, -(2**62)], np.int64)
    y, _ = column(nn.WrappedFunction(chosen), (x, mask, ids, long), {}, {})
    expected = np.where(ids < 3, np.where(mask, x, 0), ids.astype(np.float32))
    same(y, (expected.astype(np.float32), long == ids, long + ids, ~mask))


def test_images_of_bytes_become_floats(column: Column) -> None:
    scaled = nn.WrappedFunction(lambda x: ops.divide(ops.astype(x, np.float32), 255))
    model = nn.Chain(scaled, nn.FlattenLayer(), nn.Dense(256, 2))
    ps, st = lxc.setup(0, model)
    x = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    y, _ = column(model, x, ps, st)
    weight = np.asarray(ps["layer_3"]["weight"], np.float64)
    expected = (x.reshape(1, 256) / 255.0) @ weight.T
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint32"])
def test_tables_take_ids_of_every_integer_type(dtype: str, column: Column) -> None:
    model = nn.Embedding(5, 3)
    ps, st = lxc.setup(0, model)
    ids = np.array([[0, 4, 2], [1, 1, 3]], dtype)
    same(column(model, ids, ps, st)[0], np.asarray(ps["weight"])[ids])


def test_every_lux_layer_is_in_a_group() -> None:
    kinds = {kind for group in LUX.values() for kind in layers_in(dict(group()))}
    public = {name: getattr(nn, name) for name in nn.__all__}
    layers = {
        name
        for name, one in public.items()
        if inspect.isclass(one) and issubclass(one, nn.Layer) and not is_abstract(one)
    }
    assert layers <= kinds


def is_abstract(kind: type) -> bool:
    """Return whether users have to subclass a layer."""
    return kind.__call__ is nn.Layer.__call__ or kind is nn.RecurrentCell


def test_every_kaun_layer_is_in_a_group() -> None:
    made = {*kaun_layers(), *kaun_sequences()} | {"conv1d", "multi_head_attention"}
    public = {
        name
        for name in kaun.__all__
        if inspect.isfunction(getattr(kaun, name))
        and inspect.signature(getattr(kaun, name)).return_annotation is kaun.Layer
    }
    assert public <= made
