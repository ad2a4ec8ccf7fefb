"""Variables of a Kaun model: parameters, state, and the element type both were made in."""

from dataclasses import dataclass, replace
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
    given = getattr(x, "dtype", None)
    if given != dtype:
        raise LxcError(
            "LXC-E0103",
            f"input dtype {given} does not match model dtype {dtype}",
            expected=f"x: {TensorType(dtype_of(dtype), shape_of(x))}",
            actual=f"x: {type_of(x)}",
            hint="convert the input, or set the model up in its type",
        )
