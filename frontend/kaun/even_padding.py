"""Zeros around an axis so that its windows are as many as its strides."""

from lxc.ir.dim import Size


def even_pads(size: Size, reach: int, stride: int) -> tuple[Size, Size]:
    """Return the zeros before and after an axis that make ceil(size / stride) windows.

    A window reaches over `reach` cells. There are as few zeros as possible, and an odd one
    stands behind. If the size is symbolic, so are the numbers; where windows leave gaps,
    zeros that no window reads may then follow.
    """
    steps = (size - 1) // stride
    total: Size = steps * stride + reach - size
    if isinstance(total, int):
        total = max(0, total)
    elif reach < stride:
        return pads_with_gaps(size, reach, stride)
    return total // 2, total - total // 2


def pads_with_gaps(size: Size, reach: int, stride: int) -> tuple[Size, Size]:
    """Return the zeros around an axis of symbolic size for windows that leave gaps."""
    steps = (size - 1) // stride
    total: Size = 0
    for cells in range(1, reach):
        # The term is 1 if the last window finds at most that many cells, and else 0.
        total = total + 1 + steps - (size - 1 + stride - cells) // stride
    before = total // 2
    return before, (steps + 1) * stride + reach - 1 - size - before
