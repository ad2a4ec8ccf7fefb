"""What recurrent cells have in common: one step over [batch, features].

A cell is called with x alone, and starts, or with (x, carry). It returns ((y, carry), st),
where y is the first entry of the carry, so that the result feeds straight back in. The
state holds the key `rng`; it moves on, and is needed, only if the first carry is random.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.initializers import Initializer, initialise
from lxc.frontend.layer import Layer
from lxc.frontend.layers.dropout import draw_key
from lxc.frontend.layers.initial_state import Start
from lxc.frontend.layers.naming import entry
from lxc.ir import functions as ops
from lxc.ir.functions.promotion import common_type
from lxc.ir.types import shape_text
from lxc.tree import flatten

Carry = tuple[Any, ...]


@dataclass(frozen=True, init=False)
class RecurrentCell(Layer):
    """What the cells have in common: how they start and how they are called.

    `starts` lists, for each entry of the carry, the parameter that holds it if it is
    `trained`; `first_values` the initialisers of all.
    """

    starts: ClassVar[tuple[str, ...]] = ("hidden_state",)
    inputs: int
    outputs: int

    @property
    def first_values(self) -> tuple[Initializer, ...]:
        """The initialiser of each entry of the carry."""
        raise LxcError(
            "LXC-E0101",
            f"{type(self).__name__} does not say what it begins with",
            hint="define first_values: one initialiser per entry of the carry",
        )

    @property
    def trained(self) -> tuple[bool, ...]:
        """Whether each entry of the first carry is a parameter."""
        return (False,) * len(self.starts)

    def step(self, x: Any, carry: Carry, ps: Any) -> Carry:
        """Return the carry after one step; its first entry is the output."""
        raise LxcError(
            "LXC-E0101",
            f"{type(self).__name__} does not say what a step computes",
            hint="define step(self, x, carry, ps) that returns the next carry",
        )

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a key, for first carries that are random."""
        return {"rng": draw_key(rng)}

    def initial_carry(self, ps: Any, st: Any, x: Any) -> tuple[Carry, Any]:
        """Return the carry that a sequence starts with, for its first entry x, and st."""
        check_input(x, self.inputs)
        like = ops.astype(x, common_type((x, *flatten(ps)[0])))
        begin = start = Start(st.get("rng"))
        carry = []
        rows = zip(self.starts, self.first_values, self.trained, strict=True)
        for name, make, trained in rows:
            if trained:
                value = ops.astype(entry(ps, name, "parameters"), like.dtype)
                value = ops.broadcast_to(value, (x.shape[0], self.outputs))
            else:
                value, start = start.state(make, like, self.outputs)
            carry.append(value)
        return tuple(carry), st if start is begin else {**st, "rng": start.key}

    def trained_starts(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of those entries of the first carry that are trained."""
        shape, fans = (self.outputs,), (1, self.outputs)
        return {
            name: initialise(make, rng, shape, fans)
            for name, make, wanted in zip(
                self.starts, self.first_values, self.trained, strict=True
            )
            if wanted
        }

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return ((y, carry), st) for x, which starts, or for (x, carry)."""
        if isinstance(x, tuple):
            x, carry = with_carry(x, len(self.starts))
        else:
            carry, st = self.initial_carry(ps, st, x)
        check_input(x, self.inputs)
        for part in carry:
            check_carry(part, x, self.outputs)
        after = self.step(x, carry, ps)
        return (after[0], after), st


def with_carry(x: tuple[Any, ...], count: int) -> tuple[Any, Carry]:
    """Return input and carry, or raise if they are not that."""
    if len(x) == 2 and isinstance(x[1], tuple) and len(x[1]) == count:
        return x
    raise LxcError(
        "LXC-E0103",
        "a cell takes x, or x with the carry of the step before",
        expected=f"(x, ({', '.join('hc'[:count])},))" if count == 1 else "(x, (h, c))",
        actual=f"a tuple of {len(x)}",
    )


def check_input(x: Any, inputs: int) -> None:
    """Refuse what is not [batch, inputs]."""
    shape: Any = getattr(x, "shape", ())
    if len(shape) != 2 or shape[-1] != inputs:
        raise Mismatch(
            "x",
            f"[batch, {inputs}]",
            shape_text(shape),
            because=f"the cell takes {inputs} features",
        )


def check_carry(part: Any, x: Any, outputs: int) -> None:
    """Refuse a carry of another batch or size."""
    wanted = (x.shape[0], outputs)
    if tuple(part.shape) != wanted:
        raise Mismatch(
            "carry",
            shape_text(wanted),
            shape_text(part.shape),
            because=f"x is {shape_text(x.shape)}; to start anew, "
            'lxc.update_state(st, "carry", None)',
        )


def blocks(
    initializers: Sequence[Initializer],
    rng: np.random.Generator,
    shape: tuple[int, int],
    fans: tuple[int, int],
) -> Any:
    """Return one block of `shape` per initialiser, one above the other."""
    return np.concatenate([initialise(make, rng, shape, fans) for make in initializers])


def per_gate(given: Any, count: int, name: str) -> tuple[Initializer, ...]:
    """Return one initialiser per gate; a single one serves all."""
    if callable(given):
        return (given,) * count
    if isinstance(given, Sequence) and len(given) == count:
        return tuple(given)
    raise LxcError(
        "LXC-E0101",
        f"{name} needs one initialiser per gate",
        expected=f"{name}: {count} initialisers, or one for all",
        actual=f"{name}: {len(given) if isinstance(given, Sequence) else repr(given)}",
    )


def product(x: Any, weight: Any) -> Any:
    """Return x @ weight.T."""
    return ops.tensordot(x, weight, ((-1,), (1,)))


def with_bias(total: Any, ps: Any, name: str, wanted: bool) -> Any:
    """Return `total` plus the parameter `name`, if it is wanted."""
    return ops.add(total, entry(ps, name, "parameters")) if wanted else total
