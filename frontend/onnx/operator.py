"""An ONNX operator as lxc has it: a Python function, whose signature is the declaration.

Positional parameters are the inputs in their order, keyword-only ones the attributes under
ONNX' own names. A parameter of type `Known` is an input whose contents have to be known;
one of type `Literal` is an attribute of which only these values are covered. An input that
was an attribute in older opsets is filled from that. Three keywords are no attributes:
`opset` says which opset the node follows, `output_count` how many outputs it has, and
`like` is a traced tensor of the model, or None where the model runs on arrays.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lxc.frontend.onnx.values import KNOWN

GIVEN = ("opset", "output_count", "like")


@dataclass(frozen=True)
class Operator:
    """A function with what its signature says.

    `known` names the inputs whose contents have to be known, `attributes` holds the values
    that each attribute may have, or None for any. `outputs` is how many of its outputs the
    function can give. `direct` says that the result follows from the types of the inputs.
    """

    function: Callable[..., Any]
    inputs: tuple[str, ...]
    variadic: bool
    known: frozenset[str]
    attributes: Mapping[str, tuple[Any, ...] | None]
    given: tuple[str, ...]
    outputs: int
    direct: bool

    def name_of_input(self, place: int) -> str:
        """Return the name of the input at a place."""
        return self.inputs[min(place, len(self.inputs) - 1)]

    def needs(self, place: int) -> bool:
        """Return whether the contents of the input at a place have to be known."""
        return self.name_of_input(place) in self.known


def operator_of(
    function: Callable[..., Any], *, outputs: int = 1, direct: bool = False
) -> Operator:
    """Return the operator that a function declares."""
    parameters = inspect.signature(function).parameters.values()
    hints = get_type_hints(function, include_extras=True)
    inputs = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    words = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    return Operator(
        function,
        tuple(p.name for p in inputs),
        any(p.kind is p.VAR_POSITIONAL for p in inputs),
        frozenset(p.name for p in inputs if is_known(hints.get(p.name))),
        {name: allowed_by(hints.get(name)) for name in words if name not in GIVEN},
        tuple(name for name in words if name in GIVEN),
        outputs,
        direct,
    )


def is_known(hint: Any) -> bool:
    """Return whether a type says that an input has to be known."""
    return KNOWN in getattr(hint, "__metadata__", ())


def allowed_by(hint: Any) -> tuple[Any, ...] | None:
    """Return the values that a type allows, or None for any."""
    return get_args(hint) if get_origin(hint) is Literal else None


def unary(function: Callable[[Any], Any]) -> Operator:
    """Return the operator of one operand without attributes that a function computes."""

    def apply(x: Any) -> Any:
        return function(x)

    return operator_of(apply)


def binary(function: Callable[[Any, Any], Any]) -> Operator:
    """Return the operator of two operands without attributes that a function computes."""

    def apply(x: Any, y: Any) -> Any:
        return function(x, y)

    return operator_of(apply)
