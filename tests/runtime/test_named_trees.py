"""Trees and flat names, and other people's names."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lxc
from lxc import kaun
from lxc.errors import LxcError
from lxc.runtime.fitting import drops_to

Array = np.ndarray[Any, Any]


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def tree() -> Any:
    return {
        "layer_1": {"weight": zeros(2, 3), "bias": zeros(2)},
        "layer_10": [zeros(1), None, (zeros(4), 3, True)],
    }


def test_names_are_dotted_paths_and_settings_have_none() -> None:
    assert list(lxc.flat_names(tree())) == [
        "layer_1.weight",
        "layer_1.bias",
        "layer_10.0",
        "layer_10.2.0",
    ]


def test_one_array_has_the_empty_name() -> None:
    assert list(lxc.flat_names(zeros(2))) == [""]
    assert lxc.tree_of({"": np.ones(2)}, zeros(2)).tolist() == [1, 1]


def test_variables_have_names_of_both_parts() -> None:
    layer = kaun.compose(kaun.linear(2, 3), kaun.sequential([kaun.batch_norm(3)]))
    vars = kaun.init(layer)
    names = lxc.flat_names(vars)
    assert list(names) == [
        "params.left.weight",
        "params.left.bias",
        "params.right.0.scale",
        "params.right.0.bias",
        "state.right.0.running_mean",
        "state.right.0.running_var",
    ]
    again = lxc.tree_of({name: array + 1 for name, array in names.items()}, vars)
    assert again.state["right"][0]["running_var"].tolist() == [2, 2, 2]
    assert again.dtype == vars.dtype
    bare = kaun.make_vars(zeros(2), [], "float32")
    assert list(lxc.flat_names(bare)) == ["params"]
    assert lxc.tree_of({"params": np.ones(2, np.float32)}, bare).params.tolist() == [1, 1]


def test_a_tree_comes_back_from_its_names() -> None:
    names = {name: array + 1 for name, array in lxc.flat_names(tree()).items()}
    again = lxc.tree_of(names, tree())
    assert again["layer_10"][1] is None
    assert again["layer_10"][2][1:] == (3, True)
    assert isinstance(again["layer_10"][2], tuple)
    for name, array in lxc.flat_names(again).items():
        assert array is names[name]


TREES = st.recursive(
    st.builds(lambda size: zeros(size), st.integers(0, 3)) | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=8,
)


@given(TREES)
def test_any_tree_comes_back_from_its_names(found: Any) -> None:
    names = lxc.flat_names(found)
    again = lxc.tree_of(names, found)
    assert repr(again) == repr(found)
    assert list(lxc.flat_names(again)) == list(names)


@pytest.mark.parametrize(
    ("rename", "names"),
    [
        (None, ["a.weight", "a.bias", "b.a"]),
        (str.upper, ["A.WEIGHT", "A.BIAS", "B.A"]),
        ({"a": "first"}, ["first.weight", "first.bias", "b.a"]),
        ({"a": "first", "a.bias": "shift"}, ["first.weight", "shift", "b.a"]),
        ({"": "model"}, ["model.a.weight", "model.a.bias", "model.b.a"]),
        ({"": "model", "b.a": "c"}, ["model.a.weight", "model.a.bias", "c"]),
        ({"a": ""}, ["weight", "bias", "b.a"]),
    ],
    ids=str,
)
def test_other_names_follow_a_dict_or_a_function(rename: Any, names: list[str]) -> None:
    ours = {"a": {"weight": zeros(2), "bias": zeros(3)}, "b": {"a": zeros(4)}}
    flat = lxc.flat_names(ours, rename=rename)
    assert list(flat) == names
    again = lxc.tree_of(flat, ours, rename=rename)
    for name, array in lxc.flat_names(again).items():
        assert array.shape == lxc.flat_names(ours)[name].shape


def test_a_path_that_the_tree_lacks_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(LxcError, match=r"the path 'layer_1\.wieght'") as caught:
        lxc.flat_names(tree(), rename={"layer_1.wieght": "w"})
    assert caught.value.code == "LXC-E0001"
    assert "layer_1.weight" in str(caught.value.hint)


def test_two_leaves_with_one_name_are_refused() -> None:
    with pytest.raises(LxcError, match="two leaves one name") as caught:
        lxc.flat_names(tree(), rename=lambda name: name[:5])
    assert caught.value.code == "LXC-E0001"


@pytest.mark.parametrize(
    ("shape", "wanted", "drops"),
    [
        ((4, 1), (4,), True),
        ((1, 1, 1, 4, 1), (4,), True),
        ((2, 3, 1), (2, 3), True),
        ((1, 1), (1,), True),
        ((1,), (), True),
        ((1, 4, 1), (4, 1), True),
        ((4,), (4, 1), False),
        ((4, 1), (1, 4), False),
        ((2, 2), (4,), False),
        ((3, 1), (4,), False),
        ((4, 1, 2), (4,), False),
        ((4,), (4,), False),
    ],
)
def test_only_axes_of_size_one_are_dropped(
    shape: tuple[int, ...], wanted: tuple[int, ...], drops: bool
) -> None:
    assert drops_to(shape, wanted) is drops
