"""What kernels for cards need of TVM's loop language beside `tvm_api`."""

from collections.abc import Mapping

from lxc.targets.tvm_api import Buffer, Expr, Index, Stmt, as_index, load

# isort: split
# That file checks which tvm it is and how it is imported, so it comes first.
import tvm_ffi
from tvm import tirx


def register_array(name: str, dtype: str, count: int) -> Buffer:
    """Return a flat array of one thread, in registers if its indices are known."""
    return tirx.decl_buffer((as_index(count),), dtype, name, scope="local", layout=None)


def thread_extent(axis: str, number: Expr, extent: Index, body: Stmt) -> Stmt:
    """Return statements that `extent` blocks or threads execute, each with its number."""
    axis_of_launch = tirx.IterVar(None, number, tirx.IterVar.ThreadIndex, axis)
    count = tirx.IntImm("int32", extent) if isinstance(extent, int) else extent
    return tirx.AttrStmt(axis_of_launch, "thread_extent", count, body)


def strided_loop(counter: Expr, first: Expr, stop: Index, step: Index, body: Stmt) -> Stmt:
    """Return a loop from `first` on in steps, below `stop`."""
    extent = as_index(stop) - first
    return tirx.For(counter, first, extent, tirx.ForKind.SERIAL, body, step=as_index(step))


def with_values(value: Index, names: Mapping[Expr, Expr]) -> Index:
    """Return an index where variables have values."""
    if isinstance(value, int):
        return value
    for name, meaning in names.items():
        value = tirx.Let(name, meaning, value)
    return value


SHARED = "shared.dyn"
"""Memory that the threads of a block share; a launch says how much of it."""


def shared_memory(name: str, count: int) -> Buffer:
    """Return all the bytes that the threads of a block share."""
    return tirx.decl_buffer(
        (as_index(count),), "uint8", name, scope=SHARED, layout=None, data_alignment=16
    )


def shared_array(
    memory: Buffer, start: int, name: str, dtype: str, count: int
) -> tuple[Buffer, Stmt]:
    """Return a flat array in shared memory, and the statement that declares it."""
    view = tirx.decl_buffer(
        (as_index(count),), dtype, name, scope=SHARED, layout=None, data_alignment=16
    )
    return view, tirx.DeclBuffer(view, data=tirx.address_of(load(memory, start)))


def part_of(buffer: Buffer, start: Index, name: str, count: Index) -> tuple[Buffer, Stmt]:
    """Return so many elements of an array from `start` on, and what declares them."""
    view = tirx.decl_buffer(
        (as_index(count),), buffer.dtype, name, scope=buffer.scope(), layout=None
    )
    return view, tirx.DeclBuffer(view, data=tirx.address_of(load(buffer, start)))


def unrolled_loop(counter: Expr, extent: int, body: Stmt) -> Stmt:
    """Return a loop whose turns are all written out."""
    return tirx.For(counter, as_index(0), as_index(extent), tirx.ForKind.UNROLLED, body)


def device_call(dtype: str, name: str, *arguments: Expr) -> Expr:
    """Return the result of a function of the device that depends on more than arguments."""
    return tirx.call_extern(dtype, name, *arguments)


def device_statement(name: str, *arguments: Expr) -> Stmt:
    """Return the statement that calls a function of the device for what it does."""
    return tirx.Evaluate(tirx.call_extern("void", name, *arguments))


def dtype_of(buffer: Buffer) -> str:
    """Return the type of an array's elements."""
    return str(buffer.dtype)


def replaced(value: Index, name: Expr, meaning: Index) -> Index:
    """Return an index with another in place of a variable."""
    if isinstance(value, int):
        return value

    def other(found: Expr) -> Expr:
        return as_index(meaning) if found.same_as(name) else found

    return tvm_ffi.structural_map(value, (tirx.Var, other))


def block_array(name: str, dtype: str, count: int) -> Buffer:
    """Return a small flat array for `allocate` that the threads of a block share."""
    return tirx.decl_buffer(
        (as_index(count),), dtype, name, scope="shared", layout=None, data_alignment=16
    )


def known_count(buffer: Buffer) -> int | None:
    """Return how many elements an array has, None if that depends on the call."""
    (count,) = buffer.shape
    return int(count.value) if isinstance(count, tirx.IntImm) else None
