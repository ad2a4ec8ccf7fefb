"""Sizes of blocks: few enough that one given back fits the next who wants one."""

SMALLEST = 256
LARGE = 2 << 20


def block_size(size: int) -> int:
    """Return the size of the block for `size` bytes.

    It is 256 times a power of two, or above 2 MiB a multiple of that.
    """
    if size > LARGE:
        return -(-size // LARGE) * LARGE
    return max(SMALLEST, 1 << (size - 1).bit_length())
