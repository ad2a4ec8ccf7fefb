"""Calls in the manner of the Kaun family: vars in, vars out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel, artifact
from lxc.runtime.signature import Group, Leaf
from lxc.tree import flatten

Toy = Any
KEY = np.array([1, 2], np.uint32)
SCALE = np.float32(3)


@dataclass(frozen=True)
class Vars:
    """What a model of the Kaun family takes."""

    params: Any
    state: Any
    dtype: str = "float32"


@pytest.fixture
def kaun(toy: Toy) -> CompiledModel:
    """Describe the code of the toy model, which reads x only, as one that takes more."""
    tree = flatten({"x": SCALE, "rngs": KEY, "ctx": {"scale": SCALE}})[1]
    x = toy.signature.inputs.leaves[0]
    leaves = (x, Leaf("rngs", "uint32", (2,)), Leaf("ctx.scale", "float32", ()))
    signature = replace(toy.signature, calling="kaun", inputs=Group(tree, leaves))
    source = artifact.write(
        None, signature=signature, targets=[toy.target()], members=toy.members()
    )
    return CompiledModel(artifact.read(source))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(LxcError) as caught:
        call()
    return caught.value.code


def test_vars_come_back_with_new_state_and_the_same_params(
    kaun: CompiledModel, toy: Toy
) -> None:
    params, state = toy.trees()
    x, before = np.ones((2, 4), np.float32), Vars(params, state, "float16")
    y, after = kaun(x, before, rngs=KEY, ctx={"scale": SCALE})
    np.testing.assert_array_equal(y, toy.result(params, state, x))
    assert after.params is params
    assert after.dtype == "float16"
    assert after.state["count"] == 2
    assert before.state["count"] == 0


@pytest.mark.parametrize("options", [{"foo": 1}, {"state": {}}, {"vars": None}])
def test_an_unknown_argument_is_a_coded_error(
    kaun: CompiledModel, toy: Toy, options: Any
) -> None:
    x, vars = np.ones((2, 4), np.float32), Vars(*toy.trees())
    given = {"rngs": KEY, "ctx": {"scale": SCALE}, **options}
    assert code_of(lambda: kaun(x, vars, **given)) == "LXC-E0505"
    assert code_of(lambda: kaun(x)) == "LXC-E0505"
    assert code_of(lambda: kaun(x, vars, KEY, {"scale": SCALE}, 1)) == "LXC-E0505"


def test_a_missing_key_is_a_coded_error(kaun: CompiledModel, toy: Toy) -> None:
    x, vars = np.ones((2, 4), np.float32), Vars(*toy.trees())
    assert code_of(lambda: kaun(x, vars, ctx={"scale": SCALE})) == "LXC-E0505"
    assert code_of(lambda: kaun(x, vars, rngs=KEY)) == "LXC-E0505"


def test_a_key_of_another_type_is_refused(kaun: CompiledModel, toy: Toy) -> None:
    x, vars = np.ones((2, 4), np.float32), Vars(*toy.trees())
    wrong = KEY.astype(np.int64)
    assert code_of(lambda: kaun(x, vars, wrong, {"scale": SCALE})) == "LXC-E0501"


def test_a_context_of_other_names_is_refused(kaun: CompiledModel, toy: Toy) -> None:
    x, vars = np.ones((2, 4), np.float32), Vars(*toy.trees())
    assert code_of(lambda: kaun(x, vars, KEY, {"shift": SCALE})) == "LXC-E0501"


def test_a_bound_model_takes_vars_too(kaun: CompiledModel, toy: Toy) -> None:
    params, state = toy.trees()
    x, vars = np.ones((2, 4), np.float32), Vars(params, state)
    bound = kaun.bind(vars)
    y, after = bound(x, vars, rngs=KEY, ctx={"scale": SCALE})
    np.testing.assert_array_equal(y, toy.result(params, state, x))
    assert after.state["count"] == 2
