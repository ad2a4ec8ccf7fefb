"""Kernels of one warp that call one intrinsic each."""

from collections.abc import Sequence

from lxc.targets.cuda.intrinsic import Intrinsic
from lxc.targets.cuda.intrinsics import (
    BARRIER,
    CLOSE_COPIES,
    LOAD_16,
    STORE_16,
    WAIT_COPIES,
    WARP_BARRIER,
)
from lxc.targets.cuda.shared_memory import SharedArray, shared_arrays
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Function,
    Stmt,
    address_of,
    allocate,
    array,
    constant,
    load,
    sequence,
    store,
    variable,
)
from lxc.targets.tvm_functions import function
from lxc.targets.tvm_grid import register_array, thread_extent, unrolled_loop

LANES = 32
LANE, BLOCK = variable("thread", "int32"), variable("block", "int32")


def warp_kernel(parameters: Sequence[Buffer], *statements: Stmt) -> Function:
    """Return a kernel of arrays that one warp executes."""
    body = thread_extent("threadIdx.x", LANE, LANES, sequence(statements))
    body = thread_extent("blockIdx.x", BLOCK, 1, body)
    return function(parameters, body, symbol=None, noalias=True)


def value_kernel(intrinsic: Intrinsic, types: Sequence[str], result: str) -> Function:
    """Return a kernel that stores what an intrinsic returns to each lane."""
    inputs = [array(f"x{number}", kind, LANES) for number, kind in enumerate(types)]
    output = array("y", result, LANES)
    found = intrinsic.value(result, *(load(one, LANE) for one in inputs))
    return warp_kernel([*inputs, output], store(output, LANE, found))


def pair_kernel(intrinsic: Intrinsic) -> Function:
    """Return a kernel that stores the two words that an intrinsic makes of two numbers."""
    x, y = array("x", "float32", LANES), array("y", "float32", LANES)
    z, two = array("z", "uint32", 2 * LANES), register_array("two", "uint32", 2)
    places = address_of(two, 0), address_of(two, 1)
    return warp_kernel(
        [x, y, z],
        allocate(two),
        intrinsic.statement(*places, load(x, LANE), load(y, LANE)),
        moved(z, LANE * 2, two, 0, 2),
    )


def memory_kernel(copy: Intrinsic | None, words: int) -> Function:
    """Return a kernel that brings four numbers of each lane to another place.

    They go through shared memory with copies of so many words where a condition holds, or
    through registers.
    """
    x, where = array("x", "float32", 4 * LANES), array("where", "int32", LANES)
    y = array("y", "float32", 4 * LANES)
    four = register_array("four", "float32", 4)
    memory = shared_arrays(SharedArray("kept", "float32", 4 * LANES))
    source = x if copy is None else memory.arrays[0]
    statements = [*memory.declarations, allocate(four)]
    for word in range(0, 4, words):
        if copy is None:
            break
        place = LANE * 4 + word
        there, here = address_of(memory.arrays[0], place), address_of(x, place)
        statements.append(copy.statement(there, here, load(where, LANE)))
        statements.append(CLOSE_COPIES.statement())
    return warp_kernel(
        [x, where, y],
        *statements,
        WAIT_COPIES.statement(constant(0, "int32")),
        BARRIER.statement(),
        LOAD_16.statement(address_of(four, 0), address_of(source, LANE * 4)),
        STORE_16.statement(address_of(y, LANE * 4), address_of(four, 0)),
    )


def matrix_kernel(intrinsic: Intrinsic) -> Function:
    """Return a kernel that stores what lanes hold of four matrices in shared memory."""
    x, y = array("x", "uint16", 8 * LANES), array("y", "uint32", 4 * LANES)
    four = register_array("four", "uint32", 4)
    memory = shared_arrays(SharedArray("kept", "uint16", 8 * LANES))
    (kept,) = memory.arrays
    row = LANE * 8
    return warp_kernel(
        [x, y],
        *memory.declarations,
        allocate(four),
        moved(kept, row, x, row, 8),
        WARP_BARRIER.statement(),
        intrinsic.statement(address_of(four, 0), address_of(kept, row)),
        moved(y, LANE * 4, four, 0, 4),
    )


def fragment_kernel(intrinsic: Intrinsic) -> Function:
    """Return a kernel that adds a product of fragments to a third one."""
    counts = 4, 4, 2
    sums, x, y, z = (
        array("sums", "float32", 4 * LANES),
        array("x", "uint32", 4 * LANES),
        array("y", "uint32", 2 * LANES),
        array("z", "float32", 4 * LANES),
    )
    held = [
        register_array(f"held_{one.name}", kind, count)
        for one, kind, count in zip(
            (sums, x, y), ("float32", "uint32", "uint32"), counts, strict=True
        )
    ]
    filled = [
        moved(registers, 0, one, LANE * count, count)
        for registers, one, count in zip(held, (sums, x, y), counts, strict=True)
    ]
    return warp_kernel(
        [sums, x, y, z],
        *map(allocate, held),
        *filled,
        intrinsic.statement(*(address_of(one, 0) for one in held)),
        moved(z, LANE * 4, held[0], 0, 4),
    )


def moved(to: Buffer, first: Expr, source: Buffer, start: Expr, count: int) -> Stmt:
    """Return a loop that copies elements."""
    turn = variable("turn", "int32")
    return unrolled_loop(turn, count, store(to, first + turn, load(source, start + turn)))
