"""Sizes and positions as numbers to compute with, also where they are symbolic."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lxc.ir.dim import Atom, Dim, Size, expression, terms
from lxc.ir.node import Location
from lxc.ir.op import Op
from lxc.ir.ops import shape as ops
from lxc.ir.ops.arithmetic import add, floor_divide, multiply
from lxc.ir.tensor import Operand, Tensor, apply, lifted, shape_of, source_line
from lxc.ir.types import DType, count_elements


def axis_length(x: Operand, axis: int) -> Operand:
    """Return the size of an axis as an int64 scalar."""
    entry = shape_of(x)[axis]
    if isinstance(entry, int):
        return np.asarray(entry, np.int64)
    length: Operand = apply(ops.dim, x, axis=axis)
    return length


def axes_length(x: Operand, axes: Sequence[int]) -> Operand:
    """Return the number of elements along some axes as an int64 scalar."""
    shape = shape_of(x)
    number: Size = count_elements([shape[place] for place in axes])
    if isinstance(number, int):
        return np.asarray(number, np.int64)
    total: Operand = np.asarray(1, np.int64)
    for place in axes:
        total = apply(multiply, *lifted((total, axis_length(x, place))))
    return total


def size_number(entry: Size, like: Tensor) -> Operand:
    """Return a size as an int64 scalar in the graph of `like`."""
    total: Operand = np.asarray(0, np.int64)
    for monomial, factor in terms(entry):
        part: Operand = np.asarray(factor, np.int64)
        for atom in monomial:
            part = apply(multiply, *lifted((part, atom_number(atom, like))))
        total = apply(add, *lifted((total, part)))
    return total


def atom_number(atom: Atom, like: Tensor) -> Operand:
    """Return a dimension or a quotient as an int64 scalar in the graph of `like`."""
    if isinstance(atom, Dim):
        flag = source(like, ops.constant, dtype=DType.BOOL, shape=(), value=(True,))
        line = apply(ops.broadcast, flag, shape=(expression(atom),), axes=())
        return axis_length(line, 0)
    whole = size_number(atom.numerator, like)
    divided: Operand = apply(
        floor_divide, *lifted((whole, np.asarray(atom.divisor, np.int64)))
    )
    return divided


def counter(
    like: Operand | None, shape: Sequence[Size], axis: int, dtype: DType = DType.I64
) -> Operand:
    """Return the index of each element of a shape along `axis`, traced if `like` is."""
    return source(like, ops.iota, dtype=dtype, shape=tuple(shape), axis=axis)


def source(like: Operand | None, op: Op, **attributes: Any) -> Operand:
    """Return what an op without operands gives, in the graph of `like` if it is traced."""
    if not isinstance(like, Tensor):
        made: Operand = apply(op, **attributes)
        return made
    around = like.builder.location
    location = Location(around.layers, source_line(around.source))
    (value,) = like.builder.add(op, location=location, **attributes)
    return Tensor(value, like.builder)
