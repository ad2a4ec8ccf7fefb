"""Layers without parameters: identity, functions, and changes of shape."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any, ClassVar

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.activations import identity
from lxc.frontend.layer import Layer
from lxc.frontend.padding import numbers_of
from lxc.ir import functions as ops
from lxc.ir.functions.indexing import getitem
from lxc.ir.functions.shape import axis_of
from lxc.ir.op import Op
from lxc.ir.ops import structure
from lxc.ir.types import count_elements


@dataclass(frozen=True)
class NoOpLayer(Layer):
    """Return whatever comes in: an array, a tuple, a dict or None."""

    __lxc_op__: ClassVar[Op] = structure.noop

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x."""
        return x, st


@dataclass(frozen=True)
class WrappedFunction(Layer):
    """Apply a function of one argument; it has no parameters and no state."""

    function: Callable[[Any], Any]

    def __post_init__(self) -> None:
        """Refuse what cannot be called with x."""
        if not callable(self.function):
            raise no_layer(self.function)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return function(x)."""
        return self.function(x), st


def ActivationFunction(function: Callable[[Any], Any]) -> WrappedFunction:  # noqa: N802 - Lux's name
    """Return `WrappedFunction(function)`; an older name of it."""
    warnings.warn(
        "ActivationFunction is an older name of WrappedFunction",
        DeprecationWarning,
        stacklevel=2,
    )
    return WrappedFunction(function)


@dataclass(frozen=True)
class LayerFunction(Layer):
    """Use a function (x, ps, st) -> (y, st) as a layer without parameters and state."""

    function: Callable[[Any, Any, Any], tuple[Any, Any]]

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return function(x, ps, st)."""
        return self.function(x, ps, st)


@dataclass(frozen=True)
class FlattenLayer(Layer):
    """Return [N, d1, ..., dk] as [N, d1 * ... * dk] in C order; [N] becomes [N, 1]."""

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x with one axis behind the batch axis."""
        return ops.reshape(x, (batch_of(x), count_elements(x.shape[1:]))), st


@dataclass(frozen=True, init=False)
class ReshapeLayer(Layer):
    """Return [N, ...] as [N, *dims]; dims are in NumPy order, the reverse of Lux's.

    One of them may be -1: it is what the others leave.
    """

    dims: tuple[int, ...]

    def __init__(self, *dims: int | Sequence[int]) -> None:
        """Take the sizes behind the batch axis, as a tuple or one by one."""
        flat = tuple(size for entry in dims for size in numbers_of(entry, 1, "dims"))
        if min(flat, default=0) < -1 or flat.count(-1) > 1:
            raise LxcError(
                "LXC-E0101",
                "dims are the sizes behind the batch axis",
                expected="dims: numbers from 0 up, one of them perhaps -1",
                actual=f"dims: {flat}",
            )
        object.__setattr__(self, "dims", flat)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x in the new shape."""
        return ops.reshape(x, (batch_of(x), *self.dims)), st


@dataclass(frozen=True)
class SelectDim(Layer):
    """Return what stands at place `index` of axis `dim`; the axis is gone.

    Both count from 0 and may be negative, as everywhere in NumPy (in Lux.jl they count
    from 1, and axes in the other direction).
    """

    dim: int
    index: int

    def __post_init__(self) -> None:
        """Refuse places that are no whole numbers."""
        for name, number in (("dim", self.dim), ("index", self.index)):
            if not isinstance(number, int | np.integer):
                raise LxcError(
                    "LXC-E0101",
                    "axis and index are whole numbers",
                    actual=f"{name}: {number!r}",
                )

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the entries at the index."""
        axis = axis_of(self.dim, len(x.shape))
        return getitem(x, (*(slice(None),) * axis, self.index)), st


def batch_of(x: Any) -> Any:
    """Return the size of the batch axis."""
    if not x.shape:
        raise LxcError("LXC-E0103", "there is no batch axis to keep", actual="rank 0")
    return x.shape[0]


def as_layer(item: Any) -> Layer:
    """Return a layer as it is and a function wrapped.

    A function that needs three arguments is called with (x, ps, st) and returns (y, st);
    any other is called with x alone.
    """
    if isinstance(item, Layer):
        check_protocol(item)
        return item
    if item is identity:
        return NoOpLayer()
    check_instance(item)
    if not callable(item):
        raise no_layer(item)
    wrapped: Layer = LayerFunction(item) if needs_three(item) else WrappedFunction(item)
    return wrapped


def check_protocol(layer: Layer) -> None:
    """Refuse a layer in which a setting stands where a method belongs."""
    for name in ("init_params", "init_state"):
        value: object = getattr(layer, name)
        if not callable(value):
            raise LxcError(
                "LXC-E0101",
                f"{type(layer).__name__} has a setting called {name}, which is a method",
                expected=f"{name}(rng)",
                actual=f"{name} = {shortened(value)}",
                hint="give the setting another name",
            )


def check_instance(item: object) -> None:
    """Refuse a class of layers, which is callable but not as a layer is."""
    if isinstance(item, type) and issubclass(item, Layer):
        raise LxcError(
            "LXC-E0101",
            f"{item.__name__} is a class of layers, not a layer",
            hint=f"make one: {item.__name__}()",
        )


def no_layer(item: object) -> LxcError:
    """Return the error for something that is not a layer of the Lux family."""
    if hasattr(item, "init") and hasattr(item, "apply"):
        return LxcError(
            "LXC-E0101",
            "a layer of the Kaun family cannot stand where one of the Lux family is due",
            hint="make its variables with kaun.init, and combine it with kaun.sequential",
        )
    return LxcError(
        "LXC-E0101",
        f"{item!r} is neither a layer nor a function",
        hint="give layers, functions, or lists of them",
    )


def needs_three(function: Callable[..., Any]) -> bool:
    """Return whether a function takes exactly (x, ps, st) and not x alone."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Ufuncs and other builtins without a signature are functions of one array.
        return False
    return not accepts(signature, 1) and accepts(signature, 3)


def accepts(signature: inspect.Signature, count: int) -> bool:
    """Return whether a call with `count` positional arguments fits."""
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
