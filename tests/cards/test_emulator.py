"""The emulator executes kernels as a card would, and reports what a card forbids."""

import numpy as np
import pytest

from lxc.targets.cuda.intrinsics import (
    BARRIER,
    CLOSE_COPIES,
    COPY_16_LATER,
    LOAD_16,
    LOAD_MATRICES,
    SHUFFLE_XOR,
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
    as_index,
    bind,
    branch,
    cast,
    constant,
    divide,
    is_less,
    load,
    load_vector,
    modulo,
    only_if,
    sequence,
    store,
    store_vector,
    variable,
)
from lxc.targets.tvm_functions import function
from lxc.targets.tvm_grid import (
    register_array,
    strided_loop,
    thread_extent,
    unrolled_loop,
)
from tests.cards.emulator.faults import Fault
from tests.cards.emulator.launch import EmulatedKernel, Output

THREADS = 64
X, Y = array("x", "float32", 4 * THREADS), array("y", "float32", 4 * THREADS)
THREAD, BLOCK = variable("thread", "int32"), variable("block", "int32")
INPUT = np.arange(4 * THREADS, dtype=np.float32)


def number(value: int) -> Expr:
    """Return a constant of the type of thread numbers."""
    return constant(value, "int32")


def kernel(*statements: Stmt, blocks: int) -> Function:
    """Return a kernel of `x` and `y`."""
    body = thread_extent("threadIdx.x", THREAD, THREADS, sequence(statements))
    body = thread_extent("blockIdx.x", BLOCK, blocks, body)
    return function([X, Y], body, symbol="kernel", noalias=True)


def results(*statements: Stmt, blocks: int = 1) -> np.ndarray:
    """Return what a kernel writes to `y` when `x` counts up."""
    found = np.full(4 * THREADS, np.nan, dtype=np.float32)
    EmulatedKernel(kernel(*statements, blocks=blocks)).launch(INPUT.copy(), Output(found))
    return found


def fault(*statements: Stmt, blocks: int = 1) -> str:
    """Return the kind of fault that a kernel has."""
    with pytest.raises(Fault) as raised:
        results(*statements, blocks=blocks)
    return raised.value.kind


def shared(count: int = THREADS, dtype: str = "float32") -> tuple[Buffer, list[Stmt]]:
    """Return an array in shared memory and what declares it."""
    memory = shared_arrays(SharedArray("kept", dtype, count))
    return memory.arrays[0], list(memory.declarations)


def turned(kept: Buffer, *between: Stmt) -> list[Stmt]:
    """Return statements that turn `x` round through shared memory."""
    return [
        store(kept, THREAD, load(X, THREAD)),
        *between,
        store(Y, THREAD, load(kept, THREADS - 1 - THREAD)),
    ]


def test_threads_exchange_values_across_a_barrier() -> None:
    kept, declared = shared()
    found = results(*declared, *turned(kept, BARRIER.statement()))
    np.testing.assert_array_equal(found[:THREADS], INPUT[:THREADS][::-1])


def test_a_missing_barrier_is_a_race() -> None:
    kept, declared = shared()
    assert fault(*declared, *turned(kept)) == "race"


def test_a_barrier_of_the_warp_does_not_order_other_warps() -> None:
    kept, declared = shared()
    assert fault(*declared, *turned(kept, WARP_BARRIER.statement())) == "race"


def test_a_barrier_of_the_warp_orders_its_lanes() -> None:
    kept, declared = shared()
    neighbour = load(kept, cast("int64", THREAD) + 1 - modulo(THREAD, 2) * 2)
    found = results(
        *declared,
        store(kept, THREAD, load(X, THREAD)),
        WARP_BARRIER.statement(),
        store(Y, THREAD, neighbour),
    )
    expected = INPUT[:THREADS].reshape(-1, 2)[:, ::-1].reshape(-1)
    np.testing.assert_array_equal(found[:THREADS], expected)


def test_writing_again_what_others_still_read_is_a_race() -> None:
    kept, declared = shared()
    again = store(kept, THREAD, constant(0.0, "float32"))
    between = [*turned(kept, BARRIER.statement()), again]
    assert fault(*declared, *between) == "race"


def test_two_threads_that_write_one_element_race() -> None:
    assert fault(store(Y, divide(THREAD, 2), load(X, THREAD))) == "race"


def test_blocks_that_write_one_element_race() -> None:
    assert fault(store(Y, THREAD, load(X, THREAD)), blocks=2) == "race"


def test_blocks_have_memory_of_their_own() -> None:
    place = cast("int64", BLOCK) * THREADS + THREAD
    found = results(store(Y, place, load(X, place) * 2), blocks=4)
    np.testing.assert_array_equal(found, INPUT * 2)


def test_an_index_outside_of_an_array_is_reported() -> None:
    assert fault(store(Y, THREAD, load(X, THREAD * 4 + 4))) == "bounds"


def test_a_guarded_index_may_lie_outside() -> None:
    inside = is_less(THREAD, number(THREADS - 1))
    guarded = only_if(inside, load(X, THREAD * 4 + 4), constant(-1.0, "float32"))
    found = results(store(Y, THREAD, guarded))
    expected = np.append(INPUT[4::4], -1.0)
    np.testing.assert_array_equal(found[:THREADS], expected)


def test_a_barrier_that_some_threads_miss_is_reported() -> None:
    some = branch(is_less(THREAD, number(THREADS // 2)), BARRIER.statement(), None)
    assert fault(some) == "divergence"


def test_a_shuffle_that_some_lanes_miss_is_reported() -> None:
    moved = SHUFFLE_XOR.value("float32", load(X, THREAD), number(1))
    some = branch(is_less(THREAD, number(16)), store(Y, THREAD, moved), None)
    assert fault(some) == "divergence"


def test_a_shuffle_may_leave_out_whole_warps() -> None:
    moved = SHUFFLE_XOR.value("float32", load(X, THREAD), number(4))
    found = results(branch(is_less(THREAD, number(32)), store(Y, THREAD, moved), None))
    np.testing.assert_array_equal(found[:32], INPUT[np.arange(32) ^ 4])


def test_shared_memory_has_no_value_before_it_is_written() -> None:
    kept, declared = shared()
    assert fault(*declared, store(Y, THREAD, load(kept, THREAD))) == "uninitialised"


def test_memory_whose_size_the_launch_says_is_declared_once() -> None:
    kept, declared = shared()
    other, more = shared()
    both = [store(one, THREAD, load(X, THREAD)) for one in (kept, other)]
    assert fault(*declared, *more, *both) == "overlap"


def test_registers_have_no_value_before_they_are_written() -> None:
    register = register_array("register", "float32", 2)
    written = store(register, 0, load(X, THREAD))
    read = store(Y, THREAD, load(register, 1))
    assert fault(allocate(register), written, read) == "uninitialised"


def test_a_result_has_no_value_before_it_is_written() -> None:
    assert fault(store(Y, THREAD, load(Y, THREAD) + load(X, THREAD))) == "uninitialised"


def test_sixteen_bytes_lie_at_a_multiple_of_sixteen() -> None:
    four = register_array("four", "float32", 4)
    moved = LOAD_16.statement(address_of(four, 0), address_of(X, THREAD + 1))
    assert fault(allocate(four), moved) == "misaligned"


def test_a_vector_lies_at_a_multiple_of_its_size() -> None:
    ones = register_array("ones", "float32", 4)
    fill = [store(ones, lane, constant(1.0, "float32")) for lane in range(4)]
    whole = only_if(is_less(THREAD, number(8)), number(1), number(0))
    shifted = store_vector(Y, cast("int64", THREAD) * 4 + whole, four_of(ones), 4)
    assert fault(allocate(ones), *fill, shifted) == "misaligned"


def four_of(buffer: Buffer) -> Expr:
    """Return the first four elements of an array as a vector."""
    return load_vector(buffer, 0, 4)


def copied(kept: Buffer, *between: Stmt) -> list[Stmt]:
    """Return statements that copy `x` to shared memory and read it turned round."""
    here, there = address_of(X, THREAD * 4), address_of(kept, THREAD * 4)
    return [
        COPY_16_LATER.statement(there, here, number(1)),
        CLOSE_COPIES.statement(),
        *between,
        store(Y, THREAD, load(kept, 4 * THREADS - 1 - THREAD)),
    ]


def test_copies_are_there_after_a_wait_and_a_barrier() -> None:
    kept, declared = shared(4 * THREADS)
    waited = WAIT_COPIES.statement(number(0)), BARRIER.statement()
    found = results(*declared, *copied(kept, *waited))
    np.testing.assert_array_equal(found[:THREADS], INPUT[::-1][:THREADS])


def test_copies_that_nobody_waits_for_are_reported() -> None:
    kept, declared = shared(4 * THREADS)
    assert fault(*declared, *copied(kept, BARRIER.statement())) == "copy in flight"


def test_waiting_for_all_groups_but_the_last_leaves_it_in_flight() -> None:
    kept, declared = shared(4 * THREADS)
    waited = WAIT_COPIES.statement(number(1)), BARRIER.statement()
    assert fault(*declared, *copied(kept, *waited)) == "copy in flight"


def test_waiting_for_all_groups_but_the_last_finishes_the_first() -> None:
    wanted = [SharedArray(name, "float32", 4 * THREADS) for name in ("kept", "later")]
    memory, more = shared_arrays(*wanted), number(1)
    kept, later = memory.arrays
    here, there = address_of(X, THREAD * 4), address_of(later, THREAD * 4)
    between = [
        COPY_16_LATER.statement(there, here, more),
        CLOSE_COPIES.statement(),
        WAIT_COPIES.statement(more),
        BARRIER.statement(),
    ]
    found = results(*memory.declarations, *copied(kept, *between))
    np.testing.assert_array_equal(found[:THREADS], INPUT[::-1][:THREADS])


def test_copies_of_other_threads_need_a_barrier_too() -> None:
    kept, declared = shared(4 * THREADS)
    assert fault(*declared, *copied(kept, WAIT_COPIES.statement(number(0)))) == "race"


def test_a_row_of_a_matrix_in_shared_memory_has_sixteen_bytes() -> None:
    kept, declared = shared(8 * THREADS, "uint16")
    four = register_array("four", "uint32", 4)
    turn = variable("turn")
    fill = store(kept, THREAD * 8 + turn, constant(0, "uint16"))
    matrices = LOAD_MATRICES.statement(address_of(four, 0), address_of(kept, THREAD * 4))
    between = [unrolled_loop(turn, 8, fill), BARRIER.statement()]
    assert fault(*declared, allocate(four), *between, matrices) == "misaligned"


def test_threads_leave_a_strided_loop_after_turns_of_their_own() -> None:
    turn, first = variable("turn"), variable("first")
    stop = 3 * THREADS + 5
    body = store(Y, turn, load(X, turn) + 1)
    start = bind(first, cast("int64", THREAD))
    found = results(start, strided_loop(turn, first, as_index(stop), THREADS, body))
    np.testing.assert_array_equal(found[:stop], INPUT[:stop] + 1)
    assert np.isnan(found[stop:]).all()
