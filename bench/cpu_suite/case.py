"""What a case is: a model family with its sizes, and the arrays it is fed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Input:
    """One array: float32 from a normal distribution, or int32 from 0 to `below` - 1.

    State comes back as an output of the same shape; it is listed behind all other inputs,
    and comes back behind all other outputs, in the same order.
    """

    name: str
    shape: tuple[int, ...]
    below: int | None = None
    state: bool = False

    def draw(self, rng: np.random.Generator) -> Array:
        """Return the array."""
        if self.below is None:
            return rng.standard_normal(self.shape, np.float32)
        return rng.integers(0, self.below, self.shape, np.int32)


@dataclass(frozen=True)
class Case:
    """A model to measure; `options` are those of its family.

    `flops` is given where counting the products of the torch model would miss some.
    """

    name: str
    family: str
    inputs: tuple[Input, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    flops: int | None = None

    def arrays(self) -> dict[str, Array]:
        """Return the inputs; the same every time."""
        rng = np.random.default_rng(1)
        return {one.name: one.draw(rng) for one in self.inputs}

    @property
    def states(self) -> int:
        """How many of the last inputs, and of the last outputs, are state."""
        return sum(one.state for one in self.inputs)
