"""Parameters as a direction and a length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import as_layer
from lxc.frontend.layers.naming import entry
from lxc.frontend.padding import numbers_of
from lxc.ir import functions as ops
from lxc.ir.functions.promotion import as_float, as_operand
from lxc.ir.functions.reduce import summing_type
from lxc.ir.functions.shape import axes_of
from lxc.ir.types import dtype_of

Kept = tuple[int, ...] | None


@dataclass(frozen=True, init=False)
class WeightNorm(Layer):
    """Run a layer with some of its parameters as g * v / (norm(v) + eps).

    The parameters are {normalized: {weight_g, weight_v, ...}, unnormalized: {...}}, in the
    layer's order; the state is the layer's. eps is the machine epsilon of the parameter's
    element type; half types are computed in float32. Fresh parameters have g = norm(v), so
    that the layer does what it did. In an artifact the products are prepared once.

    `dims` holds for each parameter the axis, or axes, along which lengths are kept apart: g
    has size 1 along all others. For a `Conv`, and a `Dense` alike, dims=(0,) gives each
    output a length of its own, as in torch. Without `dims`, or for None, there is one
    length for the whole array (differs from Lux.jl, whose code keeps the last axis, because
    its page says the entire array). A parameter of zeros only is refused: it has no
    direction.
    """

    layer: Layer
    which_params: tuple[str, ...]
    dims: tuple[Kept, ...]

    def __init__(
        self,
        layer: Any,
        which_params: str | Sequence[str],
        dims: int | Sequence[int | Sequence[int] | None] | None = None,
    ) -> None:
        """Take a layer, names of its parameters, and the axes that each of them keeps."""
        names = (which_params,) if isinstance(which_params, str) else tuple(which_params)
        entries = (dims,) if isinstance(dims, int | np.integer) else dims
        kept = (None,) * len(names) if entries is None else tuple(map(axes, entries))
        if not names or len(set(names)) < len(names):
            raise LxcError(
                "LXC-E0101",
                "which_params names each parameter once, and one at least",
                actual=f"which_params: {', '.join(names)}",
            )
        if len(kept) != len(names):
            raise LxcError(
                "LXC-E0101",
                "dims has one entry for each parameter",
                expected=f"{len(names)} entries",
                actual=f"{len(kept)} entries",
                hint="None in place of an entry stands for the whole array",
            )
        object.__setattr__(self, "layer", as_layer(layer))
        object.__setattr__(self, "which_params", names)
        object.__setattr__(self, "dims", kept)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return lengths and directions of some parameters, and the others as they are."""
        ps = self.layer.init_params(rng)
        for name in self.which_params:
            check_direction(name, ps)
        kept = dict(zip(self.which_params, self.dims, strict=True))
        normalized = {}
        for name in ps:
            if name in kept:
                length = norm(ps[name], kept[name])
                normalized[f"{name}_g"] = as_operand(length, ps[name].dtype)
                normalized[f"{name}_v"] = ps[name]
        others = {name: part for name, part in ps.items() if name not in kept}
        return {"normalized": normalized, "unnormalized": others}

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the layer's state."""
        return self.layer.init_state(rng)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return what the layer does with the parameters put together."""
        normalized = entry(ps, "normalized", "parameters")
        whole = dict(entry(ps, "unnormalized", "parameters"))
        for name, kept in zip(self.which_params, self.dims, strict=True):
            length = entry(normalized, f"{name}_g", "parameters")
            direction = entry(normalized, f"{name}_v", "parameters")
            whole[name] = product(length, direction, kept)
        return self.layer(x, whole, st)


def axes(given: int | Sequence[int] | None) -> Kept:
    """Return axes as a tuple; None stays."""
    return None if given is None else numbers_of(given, 1, "dims")


def norm(v: Any, kept: Kept) -> Any:
    """Return the root of the sum of squares over all axes but `kept`, with size 1 there."""
    rank = len(v.shape)
    reduced = set(range(rank)) - set(axes_of(kept or (), rank))
    wide = summing_type(as_float(v))
    squares = ops.sum(ops.multiply(wide, wide), tuple(sorted(reduced)), keepdims=True)
    return ops.sqrt(squares)


def product(g: Any, v: Any, kept: Kept) -> Any:
    """Return g * v / (norm(v) + eps) in the element type of `v`."""
    divisor = ops.add(norm(v, kept), machine_epsilon(v.dtype))
    factor = ops.divide(summing_type(g), divisor)
    return as_operand(ops.multiply(summing_type(v), factor), v.dtype)


def machine_epsilon(dtype: np.dtype[Any]) -> float:
    """Return the distance from 1 to the next number of a float type."""
    below = np.nextafter(dtype.type(1), dtype.type(0))
    return 2 * float(dtype.type(1) - below)


def check_direction(name: str, ps: Any) -> None:
    """Refuse a parameter that is not there, or not an array, or zero everywhere."""
    found = ps.get(name) if isinstance(ps, dict) else None
    if not isinstance(found, np.ndarray) or not dtype_of(found.dtype).is_float:
        raise LxcError(
            "LXC-E0101",
            f"the layer has no parameter {name} of floats to normalise",
            expected="one of " + (", ".join(ps) if ps else "none"),
            actual=f"which_params: {name}",
        )
    if not found.any():
        raise LxcError(
            "LXC-E0101",
            f"the parameter {name} is zero everywhere, so it has no direction",
            hint=f"start {name} from other values, or leave it out of which_params",
        )
