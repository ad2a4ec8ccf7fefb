"""Convolutions of channels in plain order that copy what they read, part by part."""

from typing import Any

from lxc.errors import Mismatch
from lxc.ir.dim import Size, bounds
from lxc.ir.op import op
from lxc.ir.ops.contract import conv, conv_arrays
from lxc.ir.types import Array, TensorType, count_elements


@op(kind="reduction")
def staged_conv(
    x: TensorType,
    weight: TensorType,
    memory: TensorType,
    *,
    strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
) -> TensorType:
    """Return the cross-correlation of `x` [N, C, *spatial] with [O, C/groups, *taps].

    `memory` is scratch memory: each of its rows holds the channels of one group with what
    is around them, and is worked in by itself.
    """
    facts = {
        "strides": strides,
        "padding": padding,
        "lhs_dilation": (1,) * len(strides),
        "rhs_dilation": rhs_dilation,
        "groups": groups,
    }
    (found,) = conv.infer((x, weight), facts)
    least = staged_size(x, weight, strides, padding)
    check_memory(memory, x, least, f"x is {x}")
    return found


def check_memory(memory: TensorType, x: TensorType, least: Size, because: str) -> None:
    """Refuse scratch memory that has no rows of at least so many elements like `x`."""
    fits = memory.rank == 2 and memory.dtype == x.dtype
    if not fits or bounds(memory.shape[1] - least)[0] < 0:
        wanted = f"rows of {least} {x.dtype} or more"
        raise Mismatch("memory", wanted, memory, because=because)


def staged_size(
    x: TensorType,
    weight: TensorType,
    strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
) -> Size:
    """Return how many elements the channels of one group take with what is around them.

    Along the last axis as many cells as a step is long lie apart, in rows of their own.
    """
    sizes = staged_shape(x, strides, padding)
    return count_elements((weight.shape[1], *sizes))


def staged_shape(
    x: TensorType, strides: tuple[int, ...], padding: tuple[tuple[int, int], ...]
) -> tuple[Size, ...]:
    """Return the sizes of a channel: outer axes, the rows of a cell, and their length."""
    around = zip(x.shape[2:], padding, strict=True)
    *outer, last = (entry + low + high for entry, (low, high) in around)
    step = strides[-1]
    return (*outer, step, (last + step - 1) // step)


@staged_conv.reference
def staged_conv_arrays(
    x: Array,
    weight: Array,
    memory: Array,
    *,
    strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    rhs_dilation: tuple[int, ...],
    groups: int,
) -> Array:
    """Convolve; the memory is not needed."""
    found: Array = conv_arrays(
        x,
        weight,
        strides=strides,
        padding=padding,
        lhs_dilation=(1,) * len(strides),
        rhs_dilation=rhs_dilation,
        groups=groups,
        weight_order="oi",
    )
    return found


@op(kind="reduction")
def stretched_conv(
    x: TensorType, weight: TensorType, memory: TensorType, *, groups: int
) -> TensorType:
    """Return the convolution of `x` [N, C, *spatial] with [O, C/groups, *ones].

    `memory` is scratch memory: each of its rows holds some neighbouring cells of all
    channels of one group, and is worked in by itself.
    """
    (found,) = conv.infer((x, weight), one_tap(groups, x.rank - 2))
    taps = weight.shape[2:]
    if any(entry != 1 for entry in taps):
        raise Mismatch("weight", "one tap", weight, because="each cell is read once")
    check_memory(memory, x, weight.shape[1], f"weight is {weight}")
    return found


def one_tap(groups: int, rank: int) -> dict[str, Any]:
    """Return the attributes of a convolution that reads every cell once."""
    return {
        "strides": (1,) * rank,
        "padding": ((0, 0),) * rank,
        "lhs_dilation": (1,) * rank,
        "rhs_dilation": (1,) * rank,
        "groups": groups,
    }


@stretched_conv.reference
def stretched_conv_arrays(x: Array, weight: Array, memory: Array, *, groups: int) -> Array:
    """Convolve; the memory is not needed."""
    facts = one_tap(groups, x.ndim - 2)
    found: Array = conv_arrays(x, weight, **facts, weight_order="oi")
    return found
