"""What all calls with arrays of the same shapes have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.runtime.buffers import DimSolver, Slot

MOST_PLANS = 256
"""How many are kept for one prepared buffer; more shapes are solved anew."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The values of the dimensions in header order, shapes and types of the outputs."""

    dims: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype[Any], ...]


def plan_for(solver: DimSolver, outputs: Sequence[Slot], dims: Mapping[str, int]) -> Plan:
    """Return the plan for these values of the dimensions."""
    shapes = tuple(shape_of(slot, dims) for slot in outputs)
    return Plan(tuple(solver.table(dims)), shapes, tuple(slot.dtype for slot in outputs))


def shape_of(slot: Slot, dims: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape of a leaf at these values of the dimensions."""
    return slot.shape if slot.shape is not None else slot.leaf.shape_at(dims)
