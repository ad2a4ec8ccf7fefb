"""Spatial options of convolutions and pools: a number, one per axis, or pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index

import numpy as np

from lxc.errors import LxcError

Numbers = int | Sequence[int]
Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SamePad:
    """Padding that keeps the size of an axis but for the stride; an odd cell goes in front.

    Convolutions and pools get K - 1 cells per axis, K the dilated kernel, whatever the
    stride: the output has ceil(size / stride) cells. A transposed convolution crops
    max(K - stride, 0) cells: the output has size * stride cells, as long as K reaches the
    stride.
    """


def numbers_of(value: Numbers, rank: int, name: str) -> tuple[int, ...]:
    """Return one whole number `rank` times, and several as they are."""
    if isinstance(value, int | np.integer):
        return (int(value),) * rank
    try:
        return tuple(map(index, value))
    except TypeError:
        raise LxcError(
            "LXC-E0101",
            f"{name} is a whole number, or several",
            actual=f"{name}: {value!r}",
        ) from None


def per_axis(value: Numbers, rank: int, name: str) -> tuple[int, ...]:
    """Return one positive number per spatial axis."""
    numbers = numbers_of(value, rank, name)
    if len(numbers) != rank or min(numbers, default=1) < 1:
        raise LxcError(
            "LXC-E0101",
            f"{name} does not fit {rank} spatial axes",
            expected=f"{name}: a positive number, or {rank} of them",
            actual=f"{name}: {value}",
        )
    return numbers


def window_sizes(value: Numbers, name: str) -> tuple[int, ...]:
    """Return positive numbers, one per spatial axis, however many there are."""
    numbers = numbers_of(value, 1, name)
    return per_axis(numbers, max(1, len(numbers)), name)


def pad_pairs(
    pad: Numbers | SamePad, kernel: Sequence[int], dilation: Sequence[int]
) -> Pairs:
    """Return (before, after) per spatial axis.

    A number pads every side, N numbers both sides of each axis, 2N numbers are pairs per
    axis.
    """
    rank = len(kernel)
    if isinstance(pad, SamePad):
        return halves([d * (k - 1) for k, d in zip(kernel, dilation, strict=True)])
    numbers = numbers_of(pad, rank, "pad")
    if len(numbers) not in (rank, 2 * rank) or min(numbers, default=0) < 0:
        raise LxcError(
            "LXC-E0101",
            f"pad does not fit {rank} spatial axes",
            expected=f"pad: SamePad(), a number, {rank} or {2 * rank} numbers from 0 up",
            actual=f"pad: {pad}",
        )
    if len(numbers) == rank:
        return tuple((number, number) for number in numbers)
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def crop_pairs(
    pad: Numbers | SamePad,
    kernel: Sequence[int],
    dilation: Sequence[int],
    stride: Sequence[int],
) -> Pairs:
    """Return the cells a transposed convolution leaves out: (before, after) per axis."""
    if not isinstance(pad, SamePad):
        return pad_pairs(pad, kernel, dilation)
    steps = zip(kernel, dilation, stride, strict=True)
    return halves([max(d * (k - 1) + 1 - s, 0) for k, d, s in steps])


def halves(totals: Sequence[int]) -> Pairs:
    """Return every total in two parts, the larger one in front."""
    return tuple(((total + 1) // 2, total // 2) for total in totals)
