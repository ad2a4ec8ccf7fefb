"""The declaration of an op, and the table of all ops.

An op maps operands to results. It is declared once, as its type rule:

    @op(kind="elementwise")
    def add(x: TensorType, y: TensorType) -> TensorType: ...

    @add.reference
    def add_arrays(x: Array, y: Array) -> Array: ...

Positional parameters are operands (a starred one takes any number), keyword-only parameters
are attributes; a keyword-only parameter called `bodies` means that nodes of this op hold
bodies. Builder, printer, parser and verifier read all of that off the signature. The
reference has the same signature over arrays and is the meaning of the op: it must work in
float64 as well.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from lxc.errors import InternalError
from lxc.ir.dim import Size
from lxc.ir.types import Array, DType, TensorType

Number: TypeAlias = bool | int | float
Attribute: TypeAlias = (
    bool
    | int
    | float
    | str
    | DType
    | tuple[Size, ...]
    | tuple[Number, ...]
    | tuple[tuple[int, ...], ...]
    | Any
)

Kind = Literal["elementwise", "view", "source", "reduction", "opaque", "structure"]
"""How an op reads its operands, which is what fusion asks.

elementwise: result element i depends on element i of every operand.
view: every result element is one operand element (or a constant), found by an index map.
source: no operands; an element depends on its index only.
reduction: an element combines many operand elements with an associative operation.
opaque: none of these; the op is a kernel of its own.
structure: the op only groups a body; `inline-layers` or lowering takes it apart.
"""

Types: TypeAlias = TensorType | tuple[TensorType, ...]
TypeRule: TypeAlias = Callable[..., Types]
Reference: TypeAlias = Callable[..., Any]


@dataclass(eq=False)
class Op:
    """One operation: its name, signature, type rule and reference.

    `commutative` lets passes order the operands; `pure` is false for no op: effects are
    graph updates, never nodes.
    """

    name: str
    kind: Kind
    type_rule: TypeRule
    operands: tuple[str, ...]
    variadic: bool
    attributes: Mapping[str, Any]
    defaults: Mapping[str, Attribute]
    has_bodies: bool
    commutative: bool = False
    meaning: Reference | None = field(default=None)

    def infer(
        self,
        operands: tuple[TensorType, ...],
        attributes: Mapping[str, Attribute],
        bodies: tuple[Any, ...] = (),
    ) -> tuple[TensorType, ...]:
        """Return the result types, or raise the `Mismatch` that the type rule finds."""
        extra = {"bodies": bodies} if self.has_bodies else {}
        types = self.type_rule(*operands, **attributes, **extra)
        return types if isinstance(types, tuple) else (types,)

    def run(
        self,
        operands: tuple[Array, ...],
        attributes: Mapping[str, Attribute],
        bodies: tuple[Callable[..., tuple[Array, ...]], ...] = (),
    ) -> tuple[Array, ...]:
        """Return the results on arrays, by the reference."""
        if self.meaning is None:
            raise InternalError(self.name, "the op has no reference")
        extra = {"bodies": bodies} if self.has_bodies else {}
        results = self.meaning(*operands, **attributes, **extra)
        return results if isinstance(results, tuple) else (results,)

    def reference(self, meaning: Reference) -> Reference:
        """Take `meaning` as what this op does to arrays; it has the rule's signature."""
        own = list(inspect.signature(self.type_rule).parameters)
        if list(inspect.signature(meaning).parameters) != own:
            raise InternalError(self.name, f"the reference's parameters are not {own}")
        self.meaning = meaning
        return meaning

    def __str__(self) -> str:
        """Print the name."""
        return self.name


OPS: dict[str, Op] = {}


def op(*, kind: Kind, commutative: bool = False) -> Callable[[TypeRule], Op]:
    """Declare an op by its type rule and enter it into `OPS`."""

    def declare(rule: TypeRule) -> Op:
        parameters = inspect.signature(rule).parameters.values()
        positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        named = {p.name: p for p in keywords if p.name != "bodies"}
        declared = Op(
            name=rule.__name__,
            kind=kind,
            type_rule=rule,
            operands=tuple(p.name for p in positional),
            variadic=any(p.kind is p.VAR_POSITIONAL for p in positional),
            attributes={name: p.annotation for name, p in named.items()},
            defaults={n: p.default for n, p in named.items() if p.default is not p.empty},
            has_bodies=len(named) < len(keywords),
            commutative=commutative,
        )
        declared.__doc__ = rule.__doc__
        if declared.name in OPS:
            raise InternalError(declared.name, "two ops have this name")
        OPS[declared.name] = declared
        return declared

    return declare
