"""Functions in TVM's loop language, and how they call each other."""

from collections.abc import Iterable
from typing import Any

from lxc.targets.tvm_api import Buffer, Expr, Function, Index, Stmt, as_index, load

# isort: split
# That file checks which tvm it is and how it is imported, so it comes first.
from tvm import tirx
from tvm.ir import Call, GlobalVar


def function(
    parameters: Iterable[Any], body: Stmt, *, symbol: str | None, noalias: bool
) -> Function:
    """Return a function of pointers and numbers; one without `symbol` is private."""
    made = tirx.PrimFunc(list(parameters), body).with_attr("s_tir", True)
    if symbol:
        made = made.with_attr("global_symbol", symbol)
    return made.with_attr("tirx.noalias", True) if noalias else made


def exported(made: Function, symbol: str) -> Function:
    """Return a function under a name that the linker sees."""
    return made.with_attr("global_symbol", symbol)


def function_name(name: str) -> Expr:
    """Return the handle by which functions of one module call each other."""
    return GlobalVar(name)


def call(target: Expr, arguments: Iterable[Expr]) -> Expr:
    """Return the status of a call of a function of the same module."""
    return Call(target, list(arguments), ret_ty="int32")


def pointer(address: Expr) -> Expr:
    """Return the pointer whose address is an int64."""
    return tirx.reinterpret("handle", address)


def accumulate_status(cell: Buffer, status: Expr) -> Stmt:
    """Return the statement that keeps a status other than zero."""
    return tirx.BufferStore(cell, load(cell, 0) | status, [as_index(0)])


def move_bytes(destination: Expr, source: Expr, count: Index) -> Stmt:
    """Return the statement that copies memory, which may overlap."""
    moved = tirx.call_extern("handle", "memmove", destination, source, as_index(count))
    return tirx.Evaluate(moved)


def call_c(name: str, *arguments: Expr) -> Stmt:
    """Return the statement that calls a C function for what it does."""
    return tirx.Evaluate(tirx.call_extern("int32", name, *arguments))


def answer_of(name: str, *arguments: Expr) -> Expr:
    """Return the int32 that a C function returns."""
    return tirx.call_extern("int32", name, *arguments)
