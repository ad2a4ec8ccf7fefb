"""What passes and kernel generators know of the machine that code is made for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """The facts that shape generated code; a target fills them in.

    `lanes` is the number of float32 in one vector register, `registers` how many of those
    there are. Cache sizes are in bytes, per core. No decision may depend on the machine
    that compiles.
    """

    name: str
    lanes: int
    registers: int
    has_fma: bool
    first_cache: int
    second_cache: int
