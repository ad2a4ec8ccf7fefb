"""Random bits from a counter and a key: Threefry-2x32 with 20 rounds.

Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011). A key
is u32[2]. The same key gives the same bits on every target, whatever the number of threads.
"""

import numpy as np

from lxc.errors import Mismatch
from lxc.ir.op import op
from lxc.ir.types import Array, DType, Shape, TensorType

KEY = TensorType(DType.U32, (2,))
ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
PARITY = 0x1BD11BDA
SPLIT = 0xFFFFFFFF


def threefry(key: Array, high: Array, low: Array) -> tuple[Array, Array]:
    """Return the two output words for every counter block (high, low); all are u32."""
    with np.errstate(over="ignore"):
        schedule = (key[0], key[1], key[0] ^ key[1] ^ np.uint32(PARITY))
        first = high + schedule[0]
        second = low + schedule[1]
        for turn in range(20):
            rotation = np.uint32(ROTATIONS[turn % 8])
            first = first + second
            second = (second << rotation) | (second >> (np.uint32(32) - rotation))
            second = second ^ first
            if turn % 4 == 3:
                injection = turn // 4 + 1
                first = first + schedule[injection % 3]
                second = second + schedule[(injection + 1) % 3] + np.uint32(injection)
    return first, second


def check_key(key: TensorType) -> None:
    """Refuse anything but a key."""
    if key != KEY:
        raise Mismatch("key", KEY, key)


@op(kind="opaque")
def random_bits(key: TensorType, *, shape: Shape) -> TensorType:
    """Return u32 bits of `shape`: element i in C order is word i mod 2 of block i // 2.

    The block's number fills the counter as (high word, low word).
    """
    check_key(key)
    return TensorType(DType.U32, shape)


@random_bits.reference
def random_bits_array(key: Array, *, shape: tuple[int, ...]) -> Array:
    """Compute all blocks at once."""
    count = int(np.prod(shape))
    block = np.arange((count + 1) // 2, dtype=np.uint64)
    high = (block >> np.uint64(32)).astype(np.uint32)
    words = threefry(key, high, block.astype(np.uint32))
    return np.stack(words, axis=1).reshape(-1)[:count].reshape(shape)


@op(kind="opaque")
def random_split(key: TensorType, *, count: int) -> TensorType:
    """Return `count` new keys, u32[count, 2]: key j is block (0xFFFFFFFF, j).

    No draw of fewer than 2**65 - 2**33 words reaches those blocks.
    """
    check_key(key)
    return TensorType(DType.U32, (count, 2))


@random_split.reference
def random_split_array(key: Array, *, count: int) -> Array:
    """Compute all keys at once."""
    high = np.full(count, SPLIT, np.uint32)
    return np.stack(threefry(key, high, np.arange(count, dtype=np.uint32)), axis=1)
