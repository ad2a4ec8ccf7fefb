"""Variables of a Kaun model: parameters, state, and the element type both were made in."""

from dataclasses import dataclass, replace
from reprlib import repr as shortened
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.tensor import shape_of, type_of
from lxc.ir.types import TensorType, dtype_of


@dataclass(frozen=True, eq=False)
class Vars:
    """Parameters and state as trees of dicts, lists and tensors; `[]` where there are none.

    `dtype` is the element type that every float layer of the model demands of its input.
    """

    params: Any
    state: Any
    dtype: np.dtype[Any]

    def with_params(self, params: Any) -> "Vars":
        """Return a copy with other parameters; they are checked when they are used."""
        return replace(self, params=params)

    def with_state(self, state: Any) -> "Vars":
        """Return a copy with another state; it is checked when it is used."""
        return replace(self, state=state)


def make_vars(params: Any, state: Any, dtype: Any) -> Vars:
    """Return variables of a layer of one's own."""
    return Vars(params, state, witness(dtype))


def witness(dtype: Any) -> np.dtype[Any]:
    """Return the float type that `dtype` names, or raise if it names another type."""
    named = dtype_of(dtype)
    if not named.is_float:
        raise LxcError(
            "LXC-E0101",
            "a model's element type is a float type",
            expected="dtype: f16, bf16, f32 or f64",
            actual=f"dtype: {named}",
        )
    return named.numpy


def check_dtype(x: Any, dtype: np.dtype[Any]) -> None:
    """Refuse an input of another element type than the model's: no silent casts."""
    given = dtype_given(x, str(dtype))
    if given != dtype:
        raise LxcError(
            "LXC-E0103",
            f"input dtype {given} does not match model dtype {dtype}",
            expected=f"x: {TensorType(dtype_of(dtype), shape_of(x))}",
            actual=f"x: {type_of(x)}",
            hint="convert the input, or set the model up in its type",
        )


def dtype_given(x: Any, wanted: str) -> np.dtype[Any]:
    """Return the element type of an input, or raise if it is no array (a list, say)."""
    given = getattr(x, "dtype", None)
    if isinstance(given, np.dtype):
        return given
    raise LxcError(
        "LXC-E0103",
        f"the input is no NumPy array but of type {type(x).__name__}",
        expected=f"x: an array of {wanted}",
        actual=f"x: {shortened(x)}",
        hint=f"convert it with numpy.asarray(x, {wanted!r})",
    )


def entry(tree: Any, name: str, what: str) -> Any:
    """Return the part of a dict called `name`, or raise if it is missing."""
    if isinstance(tree, dict) and name in tree:
        return tree[name]
    raise LxcError(
        "LXC-E0105",
        f"the {what} of this layer must have an entry {name} (field missing)",
        expected=f"an entry {name}",
        actual=", ".join(tree) if isinstance(tree, dict) else f"a {kind_of(tree)}",
        hint="kaun.init makes variables that fit",
    )


def kind_of(tree: object) -> str:
    """Return what a tree is, in Python's words."""
    kinds = (kind.__name__ for kind in (dict, list, tuple) if isinstance(tree, kind))
    return next(kinds, type(tree).__name__)


def fields(tree: Any, dtype: np.dtype[Any], *names: str, what: str) -> dict[str, Any]:
    """Return tensors of a dict by name; raise if one is missing or of another type."""
    found = {name: entry(tree, name, what) for name in names}
    for name, leaf in found.items():
        if type_of(leaf).dtype is not dtype_of(dtype):
            raise LxcError(
                "LXC-E0105",
                f"the {what} of this layer are not of the model's dtype {dtype}",
                expected=f"{name}: {TensorType(dtype_of(dtype), shape_of(leaf))}",
                actual=f"{name}: {type_of(leaf)}",
                hint="lxc.cast converts a model's variables together with its dtype",
            )
    return found
