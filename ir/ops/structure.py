"""Ops that hold bodies: the structure of the model, fused kernels and loops.

A body is closed: every value it needs is an operand, and its parameters have the operands'
types.
"""

from collections.abc import Callable

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.ir.dim import Size, bounds
from lxc.ir.op import op
from lxc.ir.types import Array, TensorType
from lxc.structure import LEAF, Structure

Run = Callable[..., tuple[Array, ...]]


def body_results(
    operands: tuple[TensorType, ...], bodies: tuple["BodyLike", ...]
) -> tuple[TensorType, ...]:
    """Return what the only body yields, or raise if it cannot take the operands."""
    (body,) = bodies
    parameters = tuple(value.type for value in body.parameters)
    if len(parameters) != len(operands):
        raise Mismatch(
            "body", f"{len(operands)} parameters", f"{len(parameters)} parameters"
        )
    for parameter, operand in zip(parameters, operands, strict=True):
        if parameter != operand:
            raise Mismatch("body's parameter", operand, parameter)
    return body.output_types


class TypedLike:
    """Something with a type."""

    type: TensorType


class BodyLike:
    """What type rules read of a body."""

    parameters: tuple[TypedLike, ...]
    output_types: tuple[TensorType, ...]


@op(kind="structure")
def layer(
    *xs: TensorType,
    bodies: tuple[BodyLike, ...],
    kind: str,
    tree_in: Structure = LEAF,
    tree_out: Structure = LEAF,
) -> tuple[TensorType, ...]:
    """Run the body of one layer: its outputs, then its new states.

    `kind` is the layer's own name, `tree_in` and `tree_out` the nesting of what it takes
    and returns.
    """
    return body_results(xs, bodies)


@layer.reference
def layer_arrays(
    *xs: Array, bodies: tuple[Run, ...], kind: str, tree_in: Structure, tree_out: Structure
) -> tuple[Array, ...]:
    """Run the body."""
    return bodies[0](*xs)


@op(kind="structure")
def chain(
    *xs: TensorType,
    bodies: tuple[BodyLike, ...],
    kind: str,
    tree_in: Structure = LEAF,
    tree_out: Structure = LEAF,
) -> tuple[TensorType, ...]:
    """Run layers one after the other: the outputs of the last, then all new states."""
    return body_results(xs, bodies)


@chain.reference
def chain_arrays(
    *xs: Array, bodies: tuple[Run, ...], kind: str, tree_in: Structure, tree_out: Structure
) -> tuple[Array, ...]:
    """Run the body."""
    return bodies[0](*xs)


@op(kind="structure")
def noop(*xs: TensorType) -> tuple[TensorType, ...]:
    """Return the operands as they are."""
    return xs


@noop.reference
def noop_arrays(*xs: Array) -> tuple[Array, ...]:
    """Hand the arrays on."""
    return xs


@op(kind="structure")
def fused(*xs: TensorType, bodies: tuple[BodyLike, ...]) -> tuple[TensorType, ...]:
    """Run the body as one kernel."""
    return body_results(xs, bodies)


@fused.reference
def fused_arrays(*xs: Array, bodies: tuple[Run, ...]) -> tuple[Array, ...]:
    """Run the body."""
    return bodies[0](*xs)


@op(kind="structure")
def scan(
    *xs: TensorType,
    bodies: tuple[BodyLike, ...],
    carries: int,
    consts: int,
    length: Size,
    axis: int = 0,
    reverse: bool = False,
) -> tuple[TensorType, ...]:
    """Run the body `length` times, handing `carries` values from each step to the next.

    Operands are the carries, then `consts` values that every step sees whole, then
    sequences: each step sees one slice along `axis`, which disappears. The body yields the
    new carries and any number of per-step values. Results are the last carries, then the
    per-step values stacked along `axis`. `reverse` walks the sequences from their end;
    stacked values keep the places of the slices they come from.
    """
    if bounds(length)[0] < 1:
        raise LxcError(
            "LXC-E0103", "a scan makes at least one step", actual=f"length: {length}"
        )
    whole, sequences = xs[: carries + consts], xs[carries + consts :]
    for x in sequences:
        if not 0 <= axis < x.rank or x.shape[axis] != length:
            raise Mismatch("sequence", f"{length} entries along axis {axis}", x)
    steps = (x.with_shape((*x.shape[:axis], *x.shape[axis + 1 :])) for x in sequences)
    yields = body_results((*whole, *steps), bodies)
    for before, after in zip(xs[:carries], yields[:carries], strict=False):
        if before != after:
            raise Mismatch("carry", before, after, because="every step takes and gives it")
    if len(yields) < carries:
        raise LxcError("LXC-E0103", "the body of a scan yields too few carries")
    if any(not 0 <= axis <= y.rank for y in yields[carries:]):
        raise LxcError(
            "LXC-E0103",
            f"a yielded value has no place for axis {axis}",
            expected=f"rank {axis} or more",
            actual=", ".join(map(str, yields[carries:])),
        )
    stacks = (
        y.with_shape((*y.shape[:axis], length, *y.shape[axis:])) for y in yields[carries:]
    )
    return (*yields[:carries], *stacks)


@scan.reference
def scan_arrays(
    *xs: Array,
    bodies: tuple[Run, ...],
    carries: int,
    consts: int,
    length: int,
    axis: int,
    reverse: bool,
) -> tuple[Array, ...]:
    """Loop in Python."""
    state, fixed = xs[:carries], xs[carries : carries + consts]
    sequences = xs[carries + consts :]
    rows: list[tuple[Array, ...]] = []
    for step in reversed(range(length)) if reverse else range(length):
        slices = tuple(np.take(x, step, axis) for x in sequences)
        results = bodies[0](*state, *fixed, *slices)
        state, row = results[:carries], results[carries:]
        rows.append(row)
    if reverse:
        rows.reverse()
    return (*state, *(np.stack(column, axis) for column in zip(*rows, strict=True)))
