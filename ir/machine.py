"""What passes and kernel generators know of the machine that code is made for."""

from dataclasses import dataclass, field

LARGEST_SECOND_CACHE = 2 << 20
"""So large may a second-level cache be, in bytes, whatever is known of the machine."""


@dataclass(frozen=True)
class Machine:
    """The facts that shape generated code; a target fills them in.

    `lanes` is the number of float32 in one vector register, `registers` how many of those
    there are. Cache sizes are in bytes, per core. No decision may depend on the machine
    that compiles. `has_bf16_dot` says that one instruction adds the products of two
    bfloat16 to each lane, `has_bf16_tiles` that one multiplies whole tiles of them,
    `has_look_up` that one takes each lane's number of 32 out of registers. Where it
    `pads_in_products`, kernels of convolutions take zeros for what is beside an operand.
    Where it `has_tf32`, matrix units read float32 factors of products as TF32. Products for
    all steps of a loop may take `stacked_bytes` in front of it; 0 stands for half of the
    second cache. It `converts_halves` if it has instructions between float16 and float32.
    """

    name: str
    lanes: int
    registers: int
    has_fma: bool
    first_cache: int
    second_cache: int
    has_bf16_dot: bool = False
    has_bf16_tiles: bool = False
    has_look_up: bool = False
    pads_in_products: bool = False
    has_tf32: bool = False
    # Not in the text that names a machine in records of tiles, which do not depend on it.
    stacked_bytes: int = field(default=0, repr=False)
    converts_halves: bool = field(default=True, repr=False)
