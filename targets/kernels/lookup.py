"""Look up a number for the index of every lane, in a table that stays in registers.

A machine may have an instruction that does so for all lanes of a vector at once.
"""

from collections.abc import Sequence

from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Expr,
    constant,
    extern,
    load,
    load_vector,
    repeated,
    shuffled,
    store_vector,
)

LANES = 16
ENTRIES = 2 * LANES
"""The numbers of a table, which the five low bits of an index tell apart."""
NAME = "lxc_looked_up"
HELPER = f"""\
define <16 x float> @{NAME}(<16 x i32> %index, <16 x float> %low, <16 x float> %high) {{
  %r = call <16 x float> @llvm.x86.avx512.vpermi2var.ps.512(
    <16 x float> %low, <16 x i32> %index, <16 x float> %high)
  ret <16 x float> %r
}}
declare <16 x float> @llvm.x86.avx512.vpermi2var.ps.512(
  <16 x float>, <16 x i32>, <16 x float>)
"""


def write_look_up(
    writer: Writer, width: int, table: Sequence[float], index: Expr, *, clears: bool
) -> Expr:
    """Write the numbers that a vector of indices names; return that of the current lane.

    A short vector is looked up as a whole one, of which the other lanes are not used. If it
    `clears` them, no loop keeps what they were before. LLVM puts that on the stack, which
    costs less than registers where sums need all of them.
    """
    writer.use(HELPER)
    whole = -(-width // LANES) * LANES
    places, found = writer.array("int32", whole), writer.array("float32", whole)
    if clears and whole > width:
        zeros = repeated(constant(0, "int32"), whole)
        writer.write(store_vector(places, 0, zeros, whole))
    writer.store(places, writer.lane(width), index, width)
    numbers = [constant(value, "float32") for value in table]
    low, high = (shuffled(numbers[at : at + LANES], range(LANES)) for at in (0, LANES))
    for start in range(0, whole, LANES):
        part = load_vector(places, start, LANES)
        named = extern(f"float32x{LANES}", NAME, part, low, high)
        writer.write(store_vector(found, start, named, LANES))
    return load(found, writer.lane(width))
