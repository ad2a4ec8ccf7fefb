"""What a layer of the Lux family is.

A layer is a frozen dataclass of its configuration. Subclasses define `init_params`,
`init_state` and `__call__(x, ps, st) -> (y, st)`; on arrays a call runs at once, on traced
tensors it becomes a node whose body is what the call did. That needs no help from the
subclass: `__call__` is wrapped when the class is made.
"""

import functools
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.notebook import layer_html
from lxc.frontend.printing import layer_text
from lxc.frontend.record import LayerCall, call_layer
from lxc.ir.op import Op
from lxc.ir.ops import structure
from lxc.ir.tensor import source_line


class Layer:
    """One step of a network: configuration only, parameters and state come from outside.

    `init_params(rng)` and `init_state(rng)` return dicts of arrays; the state may also hold
    `training: True`. A call returns the output and the new state, in the same structure.
    """

    # What a layer itself keeps goes by names that settings of subclasses do not have.
    __lxc_op__: ClassVar[Op] = structure.layer
    __lxc_source__: str = ""

    def __new__(cls, /, *args: Any, **options: Any) -> Self:
        """Remember the line that made the layer, for messages."""
        made = super().__new__(cls)
        object.__setattr__(made, "__lxc_source__", source_line(""))
        return made

    def __init_subclass__(cls, **options: Any) -> None:
        """Make calls on traced tensors record themselves, and print layers alike."""
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:
            # A dataclass brings a text of its own unless its class has one.
            setattr(cls, "__repr__", layer_text)  # noqa: B010
        if "__call__" in cls.__dict__:
            # setattr, because a plain assignment would redefine a method for type checkers.
            setattr(cls, "__call__", recorded(cls.__dict__["__call__"]))  # noqa: B010

    def _repr_html_(self) -> str:
        """Return the layer for a notebook, its containers as what opens."""
        return layer_html(self)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return fresh parameters; a layer without any returns `{}`."""
        return {}

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the state of a new model; a layer without any returns `{}`."""
        return {}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the output for `x` and the new state."""
        raise LxcError(
            "LXC-E0101",
            f"{type(self).__name__} does not say what it computes",
            hint="define __call__(self, x, ps, st) that returns (y, st)",
        )


def recorded(run: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    """Return the method `run` so that its calls on traced tensors become nodes."""

    @functools.wraps(run)
    def call(self: Layer, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        bound = functools.partial(run, self)
        named = LayerCall(type(self).__name__, self.__lxc_source__, self.__lxc_op__, bound)
        return call_layer(named, x, ps, st)

    return call
