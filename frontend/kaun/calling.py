"""How a user's `apply` of the Kaun family takes its arguments.

It is called with (params, state, dtype, training, rngs, ctx, x), of which rngs and ctx may
be left out, or stand elsewhere under their own names.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lxc.errors import LxcError

LEADING = ("params", "state", "dtype", "training")
OPTIONAL = ("rngs", "ctx")
EXPECTED = "apply(params, state, dtype, training, [rngs], [ctx], x)"
POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


@dataclass(frozen=True)
class Calling:
    """What is passed behind the first four arguments: in this order, and by these names."""

    order: tuple[str, ...]
    names: tuple[str, ...] = ()

    def fits(self, signature: inspect.Signature) -> bool:
        """Return whether a function with this signature can be called so."""
        places = range(len(LEADING) + len(self.order))
        try:
            signature.bind(*places, **dict.fromkeys(self.names))
        except TypeError:
            return False
        return "x" in self.order

    def call(
        self, function: Callable[..., Any], leading: Iterable[Any], given: dict[str, Any]
    ) -> Any:
        """Return what the function makes of its first arguments and of those in `given`."""
        behind = (given[name] for name in self.order)
        return function(*leading, *behind, **{name: given[name] for name in self.names})


EVERYTHING = Calling((*OPTIONAL, "x"))


def calling_of(function: Callable[..., Any], kind: str, source: str) -> Calling:
    """Return how `function` is called; names are believed before numbers of arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Builtins without a signature are taken to follow the whole protocol.
        return EVERYTHING
    for calling in (by_name(signature), EVERYTHING):
        if calling.fits(signature):
            return calling
    raise LxcError(
        "LXC-E0101",
        "the apply of a layer cannot be called with what a layer is given",
        layer=f"{kind}  ({source})" if source else kind,
        expected=EXPECTED,
        actual=f"apply{signature}",
    )


def by_name(signature: inspect.Signature) -> Calling:
    """Return the call that gives rngs and ctx to parameters of these names, if any."""
    parameters = signature.parameters.values()
    places = [p.name.strip("_") for p in parameters if p.kind in POSITIONAL]
    order: list[str] = []
    for name in places[len(LEADING) :]:
        if name not in OPTIONAL and "x" in order:
            break
        order.append(name if name in OPTIONAL else "x")
    names = [name for name in OPTIONAL if name in signature.parameters]
    return Calling(tuple(order), tuple(name for name in names if name not in order))
