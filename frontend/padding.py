"""Spatial options of convolutions and pools: a number, one per axis, or pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxc.errors import LxcError

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SamePad:
    """Padding of K - 1 cells per axis, K the dilated kernel; an odd cell goes in front.

    The output has ceil(size / stride) cells, whatever the stride.
    """


def per_axis(value: int | Sequence[int], rank: int, name: str) -> tuple[int, ...]:
    """Return one positive number per spatial axis."""
    numbers = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(numbers) != rank or min(numbers, default=1) < 1:
        raise LxcError(
            "LXC-E0101",
            f"{name} does not fit {rank} spatial axes",
            expected=f"{name}: a positive number, or {rank} of them",
            actual=f"{name}: {value}",
        )
    return numbers


def pad_pairs(
    pad: "int | Sequence[int] | SamePad", kernel: Sequence[int], dilation: Sequence[int]
) -> Pairs:
    """Return (before, after) per spatial axis.

    A number pads every side, N numbers both sides of each axis, 2N numbers are pairs per
    axis.
    """
    rank = len(kernel)
    if isinstance(pad, SamePad):
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple(((total + 1) // 2, total // 2) for total in totals)
    numbers = (pad,) * rank if isinstance(pad, int) else tuple(pad)
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
