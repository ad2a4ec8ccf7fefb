"""Operators on shapes whose sizes are symbolic: what exporters compute of them.

Exported models read shapes, take them apart, compute with them and put them together for
Reshape and Expand. Done here on arrays of sizes, the results stay known.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.values import is_sizes
from lxc.ir.dim import bounds
from lxc.ir.types import Array


def gathered(x: Array, indices: Any, *, axis: int = 0, **_: Any) -> Any:
    """Return the entries that indices name."""
    return np.take(x, np.asarray(indices, np.int64), axis)


def sliced(
    x: Array, starts: Any, ends: Any, axes: Any = None, steps: Any = None, **_: Any
) -> Any:
    """Return the entries between two ends along the first axis."""
    step = 1 if steps is None else int(np.ravel(steps)[0])
    return x[int(np.ravel(starts)[0]) : int(np.ravel(ends)[0]) : step]


def concatenated(*xs: Array, axis: int = 0, **_: Any) -> Any:
    """Return shapes one behind the other."""
    return np.concatenate([x.astype(object) for x in xs], axis)


def reshaped(x: Array, shape: Any, **_: Any) -> Any:
    """Return the entries in another shape."""
    return x.reshape(tuple(np.asarray(shape, np.int64)))


def unsqueezed(x: Array, axes: Any, **_: Any) -> Any:
    """Return the entries with one more axis, or several."""
    return np.expand_dims(x, tuple(np.ravel(axes).astype(int)))


def squeezed(x: Array, axes: Any = None, **_: Any) -> Any:
    """Return the entries without axes of size 1."""
    return np.squeeze(x, None if axes is None else tuple(np.ravel(axes).astype(int)))


def divided(x: Array, y: Array, **_: Any) -> Any:
    """Return whole quotients, truncated."""
    return np.frompyfunc(quotient, 2, 1)(x.astype(object), y.astype(object))


def quotient(x: Any, y: Any) -> Any:
    """Return the truncated quotient of sizes, by a number or by the same size."""
    if x == y:
        return 1
    low, high = bounds(x)
    if not isinstance(y, int) or y == 0 or low < 0 < high:
        raise LxcError(
            "LXC-E0111", f"{x} cannot be divided by {y}", actual=f"{low}..{high} by {y}"
        )
    whole = abs(x) // abs(y) if isinstance(x, int) else (-x if low < 0 else x) // abs(y)
    return whole if (low < 0) == (y < 0) else -whole


def same(x: Array, **_: Any) -> Any:
    """Return the entries as they are; all integer types are one here."""
    return x


def reduced(function: Callable[[Any, Any], Any], first: int) -> Callable[..., Any]:
    """Return an operator that joins all entries to one."""

    def apply(x: Array, *_: Any, keepdims: int = 1, **__: Any) -> Any:
        made = np.empty((1,) * x.ndim if keepdims else (), object)
        made[...] = reduce(function, x.ravel().tolist(), first)
        return made

    return apply


def negated(x: Array, **_: Any) -> Any:
    """Return the entries with the other sign."""
    return np.frompyfunc(lambda entry: -entry, 1, 1)(x.astype(object))


def chosen(condition: Array, x: Array, y: Array, **_: Any) -> Any:
    """Return entries of x where the condition holds, of y elsewhere."""
    return np.where(condition, x.astype(object), y.astype(object))


def computed(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return an operator of two arrays that computes entry by entry."""
    entrywise = np.frompyfunc(function, 2, 1)

    def apply(x: Array, y: Array, **_: Any) -> Any:
        return entrywise(x.astype(object), y.astype(object))

    return apply


def compared(x: Array, y: Array, **_: Any) -> Any:
    """Return where two arrays have the same entries; a symbolic one equals itself only."""
    return np.asarray(x.astype(object) == y.astype(object), np.bool_)


ON_SIZES: Mapping[str, Callable[..., Any]] = {
    "Add": computed(lambda x, y: x + y),
    "Cast": same,
    "Concat": concatenated,
    "Div": divided,
    "Equal": compared,
    "Gather": gathered,
    "Identity": same,
    "Max": computed(lambda x, y: x if x >= y else y),
    "Min": computed(lambda x, y: x if x <= y else y),
    "Mod": computed(lambda x, y: x % y),
    "Mul": computed(lambda x, y: x * y),
    "Neg": negated,
    "ReduceProd": reduced(lambda x, y: x * y, 1),
    "ReduceSum": reduced(lambda x, y: x + y, 0),
    "Reshape": reshaped,
    "Slice": sliced,
    "Squeeze": squeezed,
    "Sub": computed(lambda x, y: x - y),
    "Unsqueeze": unsqueezed,
    "Where": chosen,
}
"""What operators do on arrays of sizes; all others get such arrays as tensors."""
MOVING = frozenset(("Gather", "Reshape", "Slice", "Squeeze", "Unsqueeze"))
"""Operators that give entries of their first operand, whatever the others are."""


def on_sizes(kind: str, values: Sequence[Any]) -> Callable[..., Any] | None:
    """Return what an operator does where some of its operands are sizes, if it is known.

    A constant of which sizes say a part becomes a tensor, because no array is cut there.
    """
    if kind in MOVING and not is_sizes(values[0]):
        return None
    return ON_SIZES.get(kind)
