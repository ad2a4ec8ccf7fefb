"""The float type that a model of Kaun is made in."""

import numpy as np
import pytest

from lxc import kaun
from lxc.errors import LxcError
from lxc.tree import flatten
from tests.conformance.columns import Column, close, draw
from tests.conformance.kaun_kinds import LAYERS, kind
from tests.conformance.rows import row

DTYPES = ("float16", "bfloat16", "float32", "float64")


@row("KN-07")
@row("T45")
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_model_has_one_float_type(dtype: str, column: Column) -> None:
    model = kaun.sequential(
        [
            kaun.conv1d(1, 2),
            kaun.batch_norm(2),
            kaun.gelu(),
            kaun.flatten(),
            kaun.linear(8, 3),
        ]
    )
    vars = kaun.init(model, dtype)
    leaves = flatten([vars.params, vars.state])[0]
    assert {leaf.dtype.name for leaf in leaves} == {dtype}
    x = draw(3, 1, 4)
    call = column.built_kaun(model, x.astype(vars.dtype), vars, training=True)
    y, after = call(x.astype(vars.dtype), vars, None, None)
    assert y.dtype.name == dtype
    assert {leaf.dtype.name for leaf in flatten(after.state)[0]} == {dtype}
    wide = kaun.init(model, "float64")
    y64, after64 = kaun.apply(model, wide, x.astype(np.float64), training=True)
    tolerance = {"float16": 5e-3, "bfloat16": 5e-2, "float32": 1e-5, "float64": 1e-12}[
        dtype
    ]
    close(y.astype(np.float64), y64, rtol=tolerance, atol=tolerance)
    means = (at.state[1]["running_mean"].astype(np.float64) for at in (after, after64))
    close(*means, rtol=tolerance, atol=tolerance)


@row("KN-07")
@row("T45")
@pytest.mark.parametrize("layer", LAYERS, ids=kind)
def test_an_input_of_another_type_is_refused_not_cast(
    layer: kaun.Layer, column: Column
) -> None:
    for given, model in (
        ("float64", "float32"),
        ("float32", "bfloat16"),
        ("int32", "float16"),
    ):
        vars = kaun.init(layer, model)
        message = f"input dtype {given} does not match model dtype {model}"
        with pytest.raises(LxcError, match=message) as caught:
            column.kaun(layer, np.ones((4, 4, 4, 4), given), vars)
        assert caught.value.code == "LXC-E0103"


@row("KN-07")
@row("T45")
def test_an_artifact_takes_no_other_type_either(column: Column) -> None:
    layer = kaun.linear(2, 2)
    vars = kaun.init(layer)
    call = column.built_kaun(layer, draw(3, 2), vars)
    if column.name != "interpreter":
        with pytest.raises(LxcError, match="float64") as caught:
            call(np.ones((3, 2)), vars, None, None)
        assert caught.value.code in ("LXC-E0103", "LXC-E0501")


@row("KN-07")
def test_a_model_is_of_floats() -> None:
    for dtype in ("int32", "bool"):
        with pytest.raises(LxcError, match="float type"):
            kaun.init(kaun.relu(), dtype)
