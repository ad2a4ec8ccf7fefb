"""What code generators build programs with: TVM's loop language.

Only the files named after tvm import it. Expressions are TVM objects, typed `Expr` here;
indices may also be Python ints, which fold at once. Importing this file checks that the
installed pair of packages is the one that works together.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from lxc.targets.tvm_packages import check_versions, installed_versions, without_torch

check_versions(installed_versions())

with without_torch(sys.modules):  # type: ignore[arg-type]
    from tvm import tirx
    from tvm.ir import StringImm

Expr: TypeAlias = Any
Stmt: TypeAlias = Any
Buffer: TypeAlias = Any
Index: TypeAlias = Any
Function: TypeAlias = Any

SERIAL, PARALLEL, VECTORIZED = (
    tirx.ForKind.SERIAL,
    tirx.ForKind.PARALLEL,
    tirx.ForKind.VECTORIZED,
)


def as_index(value: Index) -> Expr:
    """Return an index as an expression."""
    return tirx.IntImm("int64", value) if isinstance(value, int) else value


def constant(value: float, dtype: str) -> Expr:
    """Return a number of an element type; infinities and NaN included."""
    if dtype.startswith("float"):
        return tirx.FloatImm(dtype, float(value))
    return tirx.const(value, dtype)


def variable(name: str, dtype: str = "int64") -> Expr:
    """Return a fresh scalar variable."""
    return tirx.Var(name, dtype)


def array(name: str, dtype: str, count: Index) -> Buffer:
    """Return a flat array that a function takes as a parameter."""
    return tirx.decl_buffer((as_index(count),), dtype, name, layout=None)


def stack_array(name: str, dtype: str, count: int) -> Buffer:
    """Return a flat array for `allocate`; below 1024 bytes it surely lives on the stack."""
    return tirx.decl_buffer(
        (as_index(count),), dtype, name, scope="global", layout=None, data_alignment=64
    )


def allocate(buffer: Buffer, *, stays: bool = False) -> Stmt:
    """Return the statement that opens the life of a `stack_array`.

    One that `stays` lives on the stack whatever its size.
    """
    marks = {"disable_lower_builtin": tirx.const(True, "bool")} if stays else None
    return tirx.AllocBuffer(buffer, marks)


def load(buffer: Buffer, index: Index) -> Expr:
    """Return one element."""
    return tirx.BufferLoad(buffer, [as_index(index)])


def store(buffer: Buffer, index: Index, value: Expr) -> Stmt:
    """Return the statement that writes one element."""
    return tirx.BufferStore(buffer, value, [as_index(index)])


def load_vector(buffer: Buffer, start: Index, width: int) -> Expr:
    """Return neighbouring elements as one vector, for `shuffled` and `store_vector`."""
    return tirx.BufferLoad(buffer, [tirx.Ramp(as_index(start), as_index(1), width)])


def store_vector(buffer: Buffer, start: Index, value: Expr, width: int) -> Stmt:
    """Return the statement that writes a vector to neighbouring elements."""
    return tirx.BufferStore(buffer, value, [tirx.Ramp(as_index(start), as_index(1), width)])


def shuffled(vectors: Iterable[Expr], order: Iterable[int]) -> Expr:
    """Return a vector of lanes of some vectors, which are numbered from first to last."""
    return tirx.Shuffle(list(vectors), [tirx.IntImm("int32", lane) for lane in order])


def prefetch(buffer: Buffer, index: Index, *, nearest: bool = False) -> Stmt:
    """Return the statement that brings the line of an element to the second-level cache.

    If it is to be the `nearest` one, that is the first level.
    """
    address = tirx.address_of(load(buffer, index))
    # Reading, the level, data.
    kind = [tirx.const(number, "int32") for number in (0, 3 if nearest else 2, 1)]
    return tirx.Evaluate(tirx.call_llvm_intrin("void", "llvm.prefetch", address, *kind))


def bind(name: Expr, value: Expr) -> Stmt:
    """Return the statement that gives a variable its value in what follows."""
    return tirx.Bind(name, value)


def loop(counter: Expr, extent: Index, kind: Any, body: Stmt) -> Stmt:
    """Return a loop that counts from zero."""
    return tirx.For(counter, as_index(0), as_index(extent), kind, body)


def sequence(statements: Iterable[Stmt]) -> Stmt:
    """Return statements one after the other."""
    listed = list(statements)
    return listed[0] if len(listed) == 1 else tirx.SeqStmt(listed)


def nothing() -> Stmt:
    """Return a statement without effect."""
    return tirx.Evaluate(tirx.IntImm("int32", 0))


def branch(condition: Expr, then: Stmt, otherwise: Stmt | None) -> Stmt:
    """Return a conditional statement."""
    return tirx.IfThenElse(condition, then, otherwise)


def select(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    """Return one of two values; both are computed."""
    return tirx.Select(condition, then, otherwise)


def only_if(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    """Return one of two values; the other is not computed. All lanes go one way."""
    return tirx.if_then_else(condition, then, otherwise)


def cast(dtype: str, value: Expr) -> Expr:
    """Return a value converted to another type."""
    return tirx.Cast(dtype, value)


def reinterpret(dtype: str, value: Expr) -> Expr:
    """Return the same bits as another type of the same size."""
    if isinstance(value, tirx.FloatImm | tirx.IntImm):
        # Some code generators take the address of what they reinterpret.
        bits = np.array(value.value, str(value.ty)).view(dtype)
        return constant(bits.item(), dtype)
    return tirx.reinterpret(dtype, value)


def settled(dtype: str, value: Expr) -> Expr:
    """Return a float as it is rounded: no product is fused with what follows it.

    Numbers of other types are returned as they are.
    """
    if not dtype.startswith("float"):
        return value
    return tirx.call_llvm_pure_intrin(dtype, "llvm.arithmetic.fence", value)


def multiply_add(x: Expr, y: Expr, z: Expr) -> Expr:
    """Return x * y + z, rounded once where the machine has an instruction for it."""
    return tirx.call_llvm_pure_intrin(str(x.ty), "llvm.fmuladd", x, y, z)


def any_bit(vector: Expr) -> Expr:
    """Return the bits that any lane of a vector of int32 has."""
    return tirx.call_llvm_pure_intrin("int32", "llvm.vector.reduce.or", vector)


def extern(dtype: str, name: str, *arguments: Expr) -> Expr:
    """Return the result of a C function without side effects."""
    return tirx.call_pure_extern(dtype, name, *arguments)


def with_helper(text: str, body: Stmt) -> Stmt:
    """Return statements that may call the functions in the text of an LLVM module."""
    name = "pragma_import_llvm"
    return tirx.AttrStmt(tirx.const(0, "int32"), name, StringImm(text), body)


def call_helper(name: str) -> Stmt:
    """Return the statement that calls a function of a helper that takes nothing."""
    return tirx.Evaluate(tirx.call_extern("void", name))


def repeated(value: Expr, width: int) -> Expr:
    """Return a vector of one number, for `extern` and `store_vector`."""
    return tirx.Broadcast(value, width)


def address_of(buffer: Buffer, index: Index) -> Expr:
    """Return the address of an element."""
    return tirx.address_of(load(buffer, index))


def instruction(name: str, *arguments: Expr) -> Stmt:
    """Return the statement that executes an instruction by LLVM's name of it."""
    return tirx.Evaluate(tirx.call_llvm_intrin("void", name, *arguments))


def divide(value: Index, divisor: Index) -> Index:
    """Return the floor of a division of indices."""
    return value if is_one(divisor) else tirx.floordiv(as_index(value), as_index(divisor))


def modulo(value: Index, divisor: Index) -> Index:
    """Return what a floor division of indices leaves."""
    return 0 if is_one(divisor) else tirx.floormod(as_index(value), as_index(divisor))


def is_one(value: Index) -> bool:
    """Return whether an index is known to be one."""
    return isinstance(value, int) and value == 1


def at_least(value: Index, low: Index) -> Index:
    """Return the larger of two indices."""
    return tirx.max(as_index(value), as_index(low))


def at_most(value: Index, high: Index) -> Index:
    """Return the smaller of two indices."""
    return tirx.min(as_index(value), as_index(high))


def both(x: Expr, y: Expr) -> Expr:
    """Return whether two conditions hold."""
    return tirx.And(x, y)


def either(x: Expr, y: Expr) -> Expr:
    """Return whether one of two conditions holds."""
    return tirx.Or(x, y)


def negation(x: Expr) -> Expr:
    """Return whether a condition does not hold."""
    return tirx.Not(x)


def is_equal(x: Expr, y: Expr) -> Expr:
    """Return whether two numbers are equal."""
    return tirx.EQ(x, y)


def differs(x: Expr, y: Expr) -> Expr:
    """Return whether two numbers differ."""
    return tirx.NE(x, y)


def is_less(x: Expr, y: Expr) -> Expr:
    """Return whether x < y."""
    return tirx.LT(x, y)


def is_at_most(x: Expr, y: Expr) -> Expr:
    """Return whether x <= y."""
    return tirx.LE(x, y)


def is_nan(x: Expr) -> Expr:
    """Return whether a number is none, by its bits: TVM's own test takes lanes apart."""
    width = int(str(x.ty).removeprefix("float"))
    kind = f"uint{width}"
    largest = {32: 0x7F800000, 64: 0x7FF0000000000000}[width]
    mask = constant((1 << (width - 1)) - 1, kind)
    return is_less(constant(largest, kind), tirx.bitwise_and(reinterpret(kind, x), mask))


INTRINSICS: Mapping[str, Callable[..., Expr]] = {
    "abs": tirx.abs,
    "ceil": tirx.ceil,
    "floor": tirx.floor,
    "isnan": is_nan,
    "nearbyint": tirx.nearbyint,
    "sqrt": tirx.sqrt,
    "and": tirx.bitwise_and,
    "or": tirx.bitwise_or,
    "xor": tirx.bitwise_xor,
    "not": tirx.bitwise_not,
    "shift_left": tirx.shift_left,
    "shift_right": tirx.shift_right,
    "truncating_divide": tirx.truncdiv,
}


def intrinsic(name: str, *arguments: Expr) -> Expr:
    """Return an operation that TVM maps to one instruction, or nearly."""
    return INTRINSICS[name](*arguments)


def address(buffer: Buffer) -> Expr:
    """Return the address of an array as an int64."""
    return reinterpret("int64", tirx.address_of(load(buffer, 0)))
